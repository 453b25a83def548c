import assert from "node:assert/strict";
import { chmodSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { openRunDirectory, runDirectoryOf, userRunDirectory } from "./run-directory.ts";
import { temporaryDirectory } from "./test-machine.ts";
import { INSIDE_USERNS, RUN_DIRECTORY } from "./userns-env.ts";

const unusedId = 3_999_999_999;
const cases: readonly (readonly [string, Readonly<Record<string, string>>, number, string])[] = [
  ["the session's", { XDG_RUNTIME_DIR: "/run/user/7" }, 7, "/run/user/7/slipway"],
  ["no session", {}, unusedId, `/tmp/slipway-${unusedId}`],
  ["a name is not trusted", { USER: "../x" }, unusedId, `/tmp/slipway-${unusedId}`],
  ["inside the namespace", { [INSIDE_USERNS]: "ranges", [RUN_DIRECTORY]: "/run/me" }, 0, "/run/me"],
  ["handed on by nobody", { [RUN_DIRECTORY]: "/run/me" }, unusedId, `/tmp/slipway-${unusedId}`],
];
for (const [name, env, uid, expected] of cases) test(`run directory: ${name}`, () => assert.equal(userRunDirectory(env, uid), expected));

test("root's is the machine's, a user's is below the user's own", () => {
  assert.match(runDirectoryOf("/store", {}, 0), /^\/run\/slipway\/[0-9a-f]{8}$/);
  assert.match(runDirectoryOf("/store", { [INSIDE_USERNS]: "single", [RUN_DIRECTORY]: "/run/me" }, 0), /^\/run\/me\/[0-9a-f]{8}$/);
});

test("a directory that others could have prepared is refused", () => {
  using directory = temporaryDirectory();
  const uid = process.geteuid?.() ?? 0;
  const own = join(directory.path, "own");
  openRunDirectory(own, uid);
  openRunDirectory(own, uid);
  const refused = (path: string, id: number): void =>
    assert.throws(
      () => openRunDirectory(path, id),
      (error: unknown) => isSlipwayError(error, "RUN_DIRECTORY"),
    );
  refused(own, uid + 1);
  symlinkSync(own, join(directory.path, "link"));
  refused(join(directory.path, "link"), uid);
  chmodSync(own, 0o777);
  refused(own, uid);
});
