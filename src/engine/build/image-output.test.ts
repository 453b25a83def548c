/** The refusals are BuildKit's. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseImageOutput, type ImageOutput } from "./image-output.ts";

describe("attributes of an output", () => {
  const table: readonly (readonly [attributes: Readonly<Record<string, string>>, want: Partial<ImageOutput>])[] = [
    [{}, { push: false, byDigest: false, insecure: false, store: true, unpack: false, ociTypes: undefined, rewriteTimestamp: false, annotations: [] }],
    [{}, { compression: { type: "gzip", force: false } }],
    [
      { push: "1", "push-by-digest": "T", "registry.insecure": "", store: "F", unpack: "True" },
      { push: true, byDigest: true, insecure: true, store: false, unpack: true },
    ],
    [
      { "oci-mediatypes": "0", "rewrite-timestamp": "t" },
      { ociTypes: false, rewriteTimestamp: true },
    ],
    [{ compression: "zstd", "compression-level": "99", "force-compression": "true" }, { compression: { type: "zstd", level: 22, force: true } }],
    [{ compression: "zstd", "compression-level": "-5" }, { compression: { type: "zstd", level: 1, force: false } }],
    [{ "compression-level": "-1" }, { compression: { type: "gzip", force: false } }],
    [{ "annotation.a.b": "1" }, { annotations: [{ level: "manifest", platform: undefined, key: "a.b", value: "1" }] }],
    [
      { "annotation-manifest-descriptor[linux/arm64].a": "1" },
      { annotations: [{ level: "manifestDescriptor", platform: { os: "linux", architecture: "arm64" }, key: "a", value: "1" }] },
    ],
    [{ annotationx: "1", "annotation.": "2", nonsense: "3" }, { annotations: [] }],
  ];
  for (const [attributes, want] of table) {
    test(JSON.stringify(attributes), () => {
      const parsed = parseImageOutput(attributes);
      assert.deepEqual(Object.fromEntries(Object.keys(want).map((key) => [key, parsed[key as keyof ImageOutput]])), want);
    });
  }
});

describe("refused", () => {
  const number = "strconv.ParseInt: parsing";
  const bool = "strconv.ParseBool: parsing";
  const table: readonly (readonly [attributes: Readonly<Record<string, string>>, code: string, message: string])[] = [
    [{ push: "maybe" }, "INVALID_OUTPUT", `non-bool value specified for push: ${bool} "maybe": invalid syntax`],
    [{ "oci-mediatypes": "x" }, "INVALID_OUTPUT", `non-bool value specified for oci-mediatypes: ${bool} "x": invalid syntax`],
    [{ "rewrite-timestamp": "foo" }, "INVALID_OUTPUT", `non-bool value specified for rewrite-timestamp: ${bool} "foo": invalid syntax`],
    [{ "name-canonical": "x" }, "INVALID_OUTPUT", `non-bool value specified for name-canonical: ${bool} "x": invalid syntax`],
    [{ "force-compression": "maybe" }, "INVALID_OUTPUT", `non-bool value maybe specified for force-compression: ${bool} "maybe": invalid syntax`],
    [{ "rewrite-timestamp": "1", unpack: "1" }, "INVALID_OUTPUT", 'exporter option "rewrite-timestamp" conflicts with "unpack"'],
    [{ compression: "foo" }, "INVALID_COMPRESSION", "unsupported compression type foo"],
    [{ "compression-level": "abc" }, "INVALID_COMPRESSION", `non-integer value abc specified for compression-level: ${number} "abc": invalid syntax`],
    [{ "compression-level": "99" }, "INVALID_COMPRESSION", "gzip: invalid compression level: 99"],
    [{ "annotation-foo.x": "1" }, "INVALID_ANNOTATION", "unrecognized annotation type foo"],
  ];
  for (const [attributes, code, message] of table) test(message, () => assert.throws(() => parseImageOutput(attributes), { code, message }));
});
