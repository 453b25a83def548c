import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { parseVolume } from "./volume-spec.ts";

const plain = { readOnly: false, options: [] };

const accepted: readonly (readonly [string, unknown])[] = [
  ["/a:/b", { kind: "bind", source: "/a", destination: "/b", ...plain }],
  ["./x:/b", { kind: "bind", source: "/home/me/x", destination: "/b", ...plain }],
  [".:/b", { kind: "bind", source: "/home/me", destination: "/b", ...plain }],
  ["/a/../c:/b/", { kind: "bind", source: "/c", destination: "/b", ...plain }],
  ["/a:/b:ro", { kind: "bind", source: "/a", destination: "/b", readOnly: true, options: [] }],
  ["/a:/b:Z,ro", { kind: "bind", source: "/a", destination: "/b", readOnly: true, options: ["Z"] }],
  ["/a:/b:rshared", { kind: "bind", source: "/a", destination: "/b", readOnly: false, options: ["rshared"] }],
  ["data:/b", { kind: "named", name: "data", destination: "/b", ...plain }],
  ["data:/b:nocopy", { kind: "named", name: "data", destination: "/b", readOnly: false, options: ["nocopy"] }],
  ["/b", { kind: "anonymous", destination: "/b", ...plain }],
];

for (const [text, expected] of accepted) {
  test(`-v ${text}`, () => assert.deepEqual(parseVolume(text, "/home/me"), expected));
}

const refused: readonly (readonly [string, RegExp])[] = [
  ["", /^invalid empty volume spec$/],
  ["/a:", /^invalid spec: \/a:: empty section between colons$/],
  [":/b", /empty section between colons$/],
  ["/a:/b:/c:ro", /^invalid spec: \/a:\/b:\/c:ro: too many colons$/],
  ["a:/b:/c:ro", /^invalid volume specification: 'a:\/b:\/c:ro'$/],
  ["/a:/b:foo", /^invalid mode: foo$/],
  ["/a:/b:ro,rw", /^invalid mode: ro,rw$/],
  ["/a:b", /invalid mount path: 'b' mount path must be absolute$/],
  ["/a:/..", /destination can't be '\/'$/],
  ["vol:/", /invalid mount config for type "volume".*destination can't be '\/'$/],
  ["vol:/x:rshared", /field BindOptions must not be specified$/],
  ["b/c:/d", /^create b\/c: "b\/c" includes invalid characters for a local volume name/],
];

for (const [text, message] of refused) {
  test(`-v ${JSON.stringify(text)} is refused in Docker's words`, () => {
    assert.throws(
      () => parseVolume(text, "/"),
      (error: unknown) => isSlipwayError(error, "INVALID_VOLUME") && message.test(error.message),
    );
  });
}
