import assert from "node:assert/strict";
import { test } from "node:test";
import { DetachKeys, parseDetachKeys, untilDetached } from "./detach-keys.ts";

const parsed: readonly (readonly [text: string | undefined, bytes: readonly number[]])[] = [
  [undefined, [0x10, 0x11]],
  ["", [0x10, 0x11]],
  ["ctrl-a,z", [0x01, 0x7a]],
  ["ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", [0x00, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f]],
  ["a", [0x61]],
];
for (const [text, bytes] of parsed) test(`detach keys ${text}`, () => assert.deepEqual([...parseDetachKeys(text)], bytes));

for (const text of ["foo", "ctrl-", "ctrl-1", "a,,b", "ctrl-A"]) {
  test(`detach keys ${text} are refused`, () => assert.throws(() => parseDetachKeys(text), { message: `Invalid escape keys (${text}) provided` }));
}

const P = "\u0010";
const Q = "\u0011";
const typed: readonly { readonly name: string; readonly chunks: readonly string[]; readonly want: string; readonly detached: boolean }[] = [
  { name: "no keys", chunks: ["ab", "c"], want: "abc", detached: false },
  { name: "both in one piece", chunks: [`ab${P}${Q}cd`], want: "ab", detached: true },
  { name: "one by one", chunks: ["a", P, Q, "b"], want: "a", detached: true },
  { name: "half of them goes on with the next key", chunks: [P, "x"], want: `${P}x`, detached: false },
  { name: "half of them at the end is held back", chunks: [`a${P}`], want: "a", detached: false },
  { name: "a second first key begins nothing", chunks: [`${P}${P}${Q}`], want: `${P}${P}${Q}`, detached: false },
];
for (const { name, chunks, want, detached } of typed) {
  test(`typed: ${name}`, async () => {
    let left = false;
    let text = "";
    const input = (async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk);
    })();
    for await (const data of untilDetached(input, parseDetachKeys(undefined), () => (left = true))) text += Buffer.from(data).toString();
    assert.deepEqual([text, left], [want, detached]);
  });
}

test("a key of one byte", () => {
  assert.deepEqual(new DetachKeys(Uint8Array.of(0x18)).push(Uint8Array.of(0x61, 0x18)), { data: Uint8Array.of(0x61), detached: true });
});
