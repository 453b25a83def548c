import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { parseBundle } from "./parse-bundle.ts";

const digest = `sha256:${"a".repeat(64)}`;
const record = {
  outcome: "failed",
  name: "[2/2] RUN make",
  dockerfile: "Dockerfile",
  lines: { start: 2, end: 2 },
  exitCode: 1,
  endedMs: 5,
  args: ["/bin/sh", "-c", "make"],
  shell: ["/bin/sh", "-c"],
  env: ["A=1"],
  proxies: ["HTTP_PROXY"],
  cwd: "/w",
  user: "",
  network: "default",
  security: "sandbox",
  extraHosts: [],
  hostname: "buildkitsandbox",
  ulimits: [],
  platform: { os: "linux", architecture: "amd64" },
  root: { chain: [digest] },
  mounts: [{ type: "tmpfs", target: "/m", files: { chain: [], root: { uid: 0, gid: 0, mode: 0o1777 } }, source: "/", readonly: false }],
};
const written = (changes: object = {}, top: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ version: 1, record: { ...record, ...changes }, layers: [{ diffId: digest, digest }], ...top }));

test("what was written is read", () => {
  assert.deepEqual(parseBundle(written()).record, record);
});

describe("what a file may not decide is left out", () => {
  const cases: readonly (readonly [name: string, changes: object, want: object])[] = [
    ["more rights", { security: "insecure" }, { security: "sandbox" }],
    ["the host's network", { network: "host" }, { network: "default" }],
    ["no network stays none", { network: "none" }, { network: "none" }],
    ["variables of this machine that are no proxies", { proxies: ["AWS_SECRET_ACCESS_KEY", "https_proxy"] }, { proxies: ["https_proxy"] }],
    ["directories of this machine", { root: { chain: [digest], saved: "../../etc", cache: "x" } }, { root: { chain: [digest] } }],
  ];
  for (const [name, changes, want] of cases) test(name, () => assert.deepEqual(parseBundle(written(changes)).record, { ...record, ...want }));
});

describe("refused", () => {
  const cases: readonly (readonly [name: string, document: Buffer])[] = [
    ["no JSON", Buffer.from("{")],
    ["a list", Buffer.from("[]")],
    ["another version", written({}, { version: 2 })],
    ["no record", written({}, { record: undefined })],
    ["a digest that is a path", written({}, { layers: [{ diffId: digest, digest: "sha256:../../x" }] })],
    ["a layer that is none", written({ root: { chain: ["x"] } })],
    ["a target outside", written({ mounts: [{ ...record.mounts[0], target: "/../etc" }] })],
    ["a relative directory", written({ cwd: "w" })],
    ["a mount of another kind", written({ mounts: [{ ...record.mounts[0], type: "host" }] })],
    ["a word with a NUL", written({ args: ["a\0b"] })],
    ["numbers that are none", written({ endedMs: "1" })],
  ];
  for (const [name, document] of cases)
    test(name, () =>
      assert.throws(
        () => parseBundle(document),
        (error) => isSlipwayError(error, "BUNDLE_INVALID"),
      ),
    );
});
