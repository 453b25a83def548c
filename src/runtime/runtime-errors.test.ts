import assert from "node:assert/strict";
import { test } from "node:test";
import { execFailureOf, startFailureOf } from "./runtime-errors.ts";

const logged = (msg: string): string => `${JSON.stringify({ msg, level: "error", time: "" })}\n`;

/** what crun or runc logged, the command, what is said instead, the exit code */
const cases: readonly (readonly [string, string, string, number])[] = [
  ["executable file `nosuch` not found in $PATH: No such file or directory", "nosuch", 'exec: "nosuch": executable file not found in $PATH', 127],
  ["executable file `/nosuch` not found in $PATH: No such file or directory", "/nosuch", 'exec: "/nosuch": stat /nosuch: no such file or directory', 127],
  ["open executable: Operation not permitted", "/etc", 'exec: "/etc": is a directory: permission denied', 126],
  ["the path `/etc` is not a regular file: Operation not permitted", "/etc", 'exec: "/etc": is a directory: permission denied', 126],
  ["the path `/s` exists but it is not executable: Operation not permitted", "/s", 'exec: "/s": permission denied', 126],
  ["open executable: Permission denied", "/s", 'exec: "/s": permission denied', 126],
  ["chdir `/gone`: No such file or directory", "true", 'chdir to cwd ("/gone") set in config.json failed: no such file or directory', 127],
  ["chdir `/f`: Not a directory", "true", "error during container init: mkdir /f: not a directory", 126],
  [
    'runc run failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
    "nosuch",
    'exec: "nosuch": executable file not found in $PATH',
    127,
  ],
  [
    "mount `/etc/passwd` to `etc`: Not a directory",
    "true",
    'error mounting "/etc/passwd" to rootfs at "/etc": not a directory: Are you trying to mount a directory onto a file (or vice-versa)? ' +
      "Check if the specified host path exists and is the expected type",
    125,
  ],
  ["cannot setresgid to 1000: Invalid argument", "true", "cannot setresgid to 1000: Invalid argument", 125],
];

for (const [message, command, expected, exitCode] of cases) {
  test(message, () => assert.deepEqual(startFailureOf(logged(message), [command]), { message: `unable to start container process: ${expected}`, exitCode }));
}

test("a log without errors is no failure", () => {
  assert.equal(startFailureOf("", ["true"]), undefined);
  assert.equal(startFailureOf('{"msg":"hello","level":"warning"}\n', ["true"]), undefined);
});

test("crun's words about a file that is no program", () => {
  const text = '{"msg":"exec container process `/sbad`: Exec format error","level":"error","time":"x"}\n';
  assert.deepEqual(execFailureOf(text), { message: "exec /sbad: exec format error", exitCode: 255 });
  assert.equal(execFailureOf("sh: nosuch: not found\n"), undefined);
});
