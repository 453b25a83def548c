import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { directoryModeOf, parseModeChange } from "./file-mode.ts";

/** As chmod(1) does it. */
const rows: readonly (readonly [text: string, mode: number, isDirectory: boolean, want: number])[] = [
  ["640", 0o755, false, 0o640],
  ["0", 0o755, false, 0],
  ["4755", 0o644, false, 0o4755],
  ["0600", 0o644, true, 0o600],
  ["u=rwX,go=rX", 0o640, false, 0o644],
  ["u=rwX,go=rX", 0o740, false, 0o755],
  ["u=rwX,go=rX", 0o600, true, 0o755],
  ["a+x", 0o644, false, 0o755],
  ["+x", 0o644, false, 0o755],
  ["g-w", 0o664, false, 0o644],
  ["o=", 0o777, false, 0o770],
  ["g=u", 0o640, false, 0o660],
  ["u+s,g+s", 0o755, false, 0o6755],
  ["+t", 0o755, true, 0o1755],
  ["u-x+w", 0o500, false, 0o600],
  ["u=rwx,g=rx,o=r", 0o6000, false, 0o754],
];
for (const [text, mode, isDirectory, want] of rows) {
  test(`${text} of ${mode.toString(8)}${isDirectory ? "/" : ""} is ${want.toString(8)}`, () =>
    assert.equal(parseModeChange(text)(mode, isDirectory).toString(8), want.toString(8)));
}

describe("refuses", () => {
  for (const text of ["999", "07777777", "rwx", "u=rwx,", "8", "u=q", "", "1u+x", "u"]) {
    test(JSON.stringify(text), () =>
      assert.throws(
        () => parseModeChange(text),
        (error) => isSlipwayError(error, "INVALID_CHMOD"),
      ),
    );
  }
});

test("directories on the way: the octal number, else 0755", () => {
  assert.deepEqual([undefined, "600", "u=rw", "4700"].map(directoryModeOf), [0o755, 0o600, 0o755, 0o700]);
});
