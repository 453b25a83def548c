import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseBytes } from "./release-bytes.ts";

const large = 2 ** 20;
const cases: readonly { readonly name: string; readonly bytes: Buffer; readonly want: number }[] = [
  { name: "a large buffer", bytes: Buffer.alloc(large), want: 0 },
  { name: "one with a byte of room", bytes: Buffer.alloc(large + 1).subarray(0, large), want: 0 },
  { name: "a small one", bytes: Buffer.alloc(large - 1), want: large - 1 },
  { name: "a part of another", bytes: Buffer.alloc(large * 2).subarray(large), want: large },
];
for (const { name, bytes, want } of cases) {
  test(`memory that is given back: ${name}`, () => {
    releaseBytes(bytes);
    assert.equal(bytes.length, want);
  });
}
