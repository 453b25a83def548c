import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError } from "../base/errors.ts";
import type { RunMount } from "./instruction.ts";
import { parseRunMount } from "./run-mount.ts";

const errors = JSON.parse(readFileSync(new URL("testdata/mount-errors.json", import.meta.url), "utf8")) as [value: string, message: string][];

const plain: RunMount = {
  type: "bind",
  from: undefined,
  source: undefined,
  target: undefined,
  readonly: true,
  id: undefined,
  sharing: undefined,
  required: false,
  sizeBytes: undefined,
  mode: undefined,
  uid: undefined,
  gid: undefined,
  env: undefined,
};

describe("parseRunMount", () => {
  const cases: { value: string; expected: Partial<RunMount> }[] = [
    { value: "target=/x", expected: { target: "/x" } },
    { value: "type=bind,from=a,src=b,dst=/c,rw", expected: { from: "a", source: "b", target: "/c", readonly: false } },
    { value: "TYPE=Bind,Destination=/c,readwrite=false", expected: { target: "/c" } },
    { value: "type=bind,source=a,target=/b,ro=0", expected: { source: "a", target: "/b", readonly: false } },
    {
      value: "type=cache,id=i,target=/c,sharing=Locked,mode=0755,uid=1000,gid=7",
      expected: { type: "cache", id: "i", target: "/c", sharing: "locked", mode: 0o755, uid: 1000, gid: 7, readonly: false },
    },
    { value: "type=cache,target=/c,readonly", expected: { type: "cache", target: "/c" } },
    { value: "type=tmpfs,target=/t,size=1.5k", expected: { type: "tmpfs", target: "/t", sizeBytes: 1536, readonly: false } },
    { value: "type=tmpfs,target=/t,size=2GiB", expected: { type: "tmpfs", target: "/t", sizeBytes: 2 ** 31, readonly: false } },
    { value: "type=tmpfs,target=/t,size=100", expected: { type: "tmpfs", target: "/t", sizeBytes: 100, readonly: false } },
    { value: "type=secret,id=a,env=TOKEN,required", expected: { type: "secret", id: "a", env: "TOKEN", required: true } },
    { value: "type=secret,id=a,target=/run/x,mode=0400,required=false", expected: { type: "secret", id: "a", target: "/run/x", mode: 0o400 } },
    { value: "type=ssh", expected: { type: "ssh" } },
    { value: `type=bind,"target=/a,b"`, expected: { target: "/a,b" } },
    { value: `"target=/a""b",type=bind,from=`, expected: { target: `/a"b` } },
  ];
  for (const { value, expected } of cases) it(value, () => assert.deepEqual(parseRunMount(value), { ...plain, ...expected }));

  it("expands values, not fields", () => {
    const mount = parseRunMount("type=cache,target=$X,id=$Y", (word) => word.replace("$X", "/a,ro").replace("$Y", "y"));
    assert.deepEqual(mount, { ...plain, type: "cache", target: "/a,ro", id: "y", readonly: false });
  });

  for (const [value, message] of errors) it(`${value}: ${message}`, () => assert.throws(() => parseRunMount(value), { message, code: "DOCKERFILE_PARSE" }));

  it("fails only in its own words", () => {
    const piece = fc.constantFrom("type=", "cache", ",", '"', "target=", "/x", "size=", "1", "k", "mode=", "7", "ro", "=", "id", " ");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parseRunMount(pieces.join(""));
        } catch (error) {
          assert.ok(isSlipwayError(error, "DOCKERFILE_PARSE"), String(error));
        }
      }),
    );
  });
});
