import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError } from "../base/errors.ts";
import { parseDigest } from "./digest.ts";
import { familiarName, familiarRepository, formatReference, parseReference, repositoryName, withDefaultTag, withDigest, withTag } from "./reference.ts";

const hex = "0123456789".repeat(6) + "0123";
const digest = parseDigest(`sha256:${hex}`);
const sha512 = parseDigest(`sha512:${hex}${hex}`);

describe("what Docker accepts", () => {
  const table: readonly [text: string, full: string, familiar: string][] = [
    ["busybox", "docker.io/library/busybox", "busybox"],
    ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
    [`busybox@${digest}`, `docker.io/library/busybox@${digest}`, `busybox@${digest}`],
    [`busybox:1.36@${digest}`, `docker.io/library/busybox:1.36@${digest}`, `busybox:1.36@${digest}`],
    [`busybox@${sha512}`, `docker.io/library/busybox@${sha512}`, `busybox@${sha512}`],
    ["library/busybox", "docker.io/library/busybox", "busybox"],
    ["docker.io/busybox", "docker.io/library/busybox", "busybox"],
    ["index.docker.io/busybox", "docker.io/library/busybox", "busybox"],
    ["index.docker.io/a/b", "docker.io/a/b", "a/b"],
    ["docker.io/library/library/b", "docker.io/library/library/b", "library/library/b"],
    ["grafana/grafana:11", "docker.io/grafana/grafana:11", "grafana/grafana:11"],
    ["localhost", "docker.io/library/localhost", "localhost"],
    ["localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"],
    ["localhost/app", "localhost/app", "localhost/app"],
    ["localhost:5000/a/b/c:t", "localhost:5000/a/b/c:t", "localhost:5000/a/b/c:t"],
    ["127.0.0.1:5000/x", "127.0.0.1:5000/x", "127.0.0.1:5000/x"],
    ["[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x"],
    ["[2001:db8::1]/x", "[2001:db8::1]/x", "[2001:db8::1]/x"],
    ["FOO.com/bar", "FOO.com/bar", "FOO.com/bar"],
    ["Foo/bar", "Foo/bar", "Foo/bar"],
    ["foo_bar/x", "docker.io/foo_bar/x", "foo_bar/x"],
    ["a__b/c---d", "docker.io/a__b/c---d", "a__b/c---d"],
    ["a.b_c/d", "a.b_c/d", "a.b_c/d"],
    ["docker.io", "docker.io/library/docker.io", "docker.io"],
    ["ghcr.io/owner/name:sha-1.2_3", "ghcr.io/owner/name:sha-1.2_3", "ghcr.io/owner/name:sha-1.2_3"],
    [`x:${"t".repeat(128)}`, `docker.io/library/x:${"t".repeat(128)}`, `x:${"t".repeat(128)}`],
    [`127.0.0.1:5000/${"a".repeat(255)}`, `127.0.0.1:5000/${"a".repeat(255)}`, `127.0.0.1:5000/${"a".repeat(255)}`],
  ];
  for (const [text, full, familiar] of table) {
    test(text.slice(0, 60), () => {
      const reference = parseReference(text);
      assert.equal(formatReference(reference), full);
      assert.equal(familiarName(reference), familiar);
      assert.deepEqual(parseReference(full), reference);
    });
  }
});

describe("what Docker refuses, in its words", () => {
  const format = "invalid reference format";
  const table: readonly [text: string, message: string][] = [
    ["", format],
    [" x", format],
    ["busybox:", format],
    ["busybox@", format],
    ["a@b", format],
    ["a..b", format],
    ["a___b/c", format],
    ["-x", format],
    ["x/", format],
    ["/x", format],
    ["docker.io/", format],
    ["127.0.0.1:5000/a//b", format],
    ["x:t:t", format],
    ["x:-t", format],
    ["x:.t", format],
    ["x:bad tag", format],
    [`x:${"t".repeat(129)}`, format],
    ["http://x/y", format],
    ["reg:/x", format],
    ["reg:80x/y", format],
    ["a.b-/d", format],
    ["[::1]x/y", format],
    ["[fe80::1%eth0]:5000/x", format],
    ["é/x", format],
    ["x\n", format],
    ["x@sha256:abc", format],
    ["x@md5:abc", format],
    [`x@${digest}@${digest}`, format],
    ["x".repeat(5000), format],
    ["Foo", "invalid reference format: repository name (library/Foo) must be lowercase"],
    ["Foo/Bar", "invalid reference format: repository name (Bar) must be lowercase"],
    ["localhost:5000/Foo", "invalid reference format: repository name (Foo) must be lowercase"],
    ["localhost/Foo:x", "invalid reference format: repository name (Foo) must be lowercase"],
    [`x@SHA256:${hex}`, "invalid reference format: repository name (library/x@SHA256) must be lowercase"],
    [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
    [`x@sha256:${hex.slice(1)}`, "invalid checksum digest length"],
    [`x@sha512:${hex}`, "invalid checksum digest length"],
    [`x@sha256:${hex.slice(3)}ABC`, "invalid checksum digest format"],
    [`x@foo:${hex}`, "unsupported digest algorithm"],
    [`127.0.0.1:5000/${"a".repeat(256)}`, "repository name must not be more than 255 characters"],
    [`${"a".repeat(255)}/b`, "repository name must not be more than 255 characters"],
  ];
  for (const [text, message] of table) {
    test(JSON.stringify(text.slice(0, 60)), () => {
      assert.throws(
        () => parseReference(text),
        (error: unknown) => isSlipwayError(error, "INVALID_REFERENCE") && error.kind === "invalid_argument" && error.message === message,
      );
    });
  }
});

test("the default tag is added only where neither tag nor digest is given", () => {
  assert.equal(familiarName(withDefaultTag(parseReference("x"))), "x:latest");
  assert.equal(familiarName(withDefaultTag(parseReference("x:1"))), "x:1");
  assert.equal(familiarName(withDefaultTag(parseReference(`x@${digest}`))), `x@${digest}`);
});

test("withTag replaces tag and digest, withDigest keeps the tag", () => {
  const reference = parseReference(`x:1@${digest}`);
  assert.equal(familiarName(withTag(reference, "2")), "x:2");
  assert.equal(familiarName(withDigest(parseReference("x:1"), digest)), `x:1@${digest}`);
  assert.throws(() => withTag(reference, "a b"), { code: "INVALID_REFERENCE", message: "invalid tag format" });
  assert.equal(repositoryName(reference), "docker.io/library/x");
  assert.equal(familiarRepository(reference), "x");
});

test("any text either parses and formats back to itself, or fails with INVALID_REFERENCE", () => {
  const alphabet = fc.constantFrom(..."aZ09._-/:@[] ", "sha256", "localhost", "__", hex);
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
      let reference;
      try {
        reference = parseReference(parts.join(""));
      } catch (error) {
        assert.ok(isSlipwayError(error, "INVALID_REFERENCE"));
        return;
      }
      assert.deepEqual(parseReference(formatReference(reference)), reference);
    }),
  );
});
