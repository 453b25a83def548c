import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { readRootfsFile, resolveUserIn } from "./rootfs-files.ts";
import { temporaryDirectory } from "./test-machine.ts";

test("nothing outside the root file system is read", () => {
  using directory = temporaryDirectory();
  const rootfs = join(directory.path, "rootfs");
  mkdirSync(join(rootfs, "etc"), { recursive: true });
  writeFileSync(join(directory.path, "secret"), "outside");
  symlinkSync("../../secret", join(rootfs, "etc/up"));
  symlinkSync(join(directory.path, "secret"), join(rootfs, "etc/absolute"));
  symlinkSync("loop", join(rootfs, "etc/loop"));
  symlinkSync("/etc/group", join(rootfs, "etc/passwd"));
  writeFileSync(join(rootfs, "etc/group"), "foo:x:5:6::/home/foo:\n");
  execFileSync("mkfifo", [join(rootfs, "etc/fifo")]);
  for (const path of ["etc/up", "etc/absolute", "etc/loop", "etc/fifo", "etc", "missing", "etc/group/x"])
    assert.equal(readRootfsFile(rootfs, path), undefined, path);
  assert.equal(readRootfsFile(rootfs, "/etc/passwd")?.toString(), "foo:x:5:6::/home/foo:\n");
  assert.deepEqual(resolveUserIn(rootfs, "foo", { forExec: false }), { uid: 5, gid: 6, additionalGids: [6], home: "/home/foo", name: "foo" });
});

test("a file beyond the bound is refused", () => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, "big"), Buffer.alloc(40_000));
  assert.throws(
    () => readRootfsFile(directory.path, "big", 20_000),
    (error: unknown) => isSlipwayError(error, "FILE_TOO_LARGE"),
  );
  assert.equal(readRootfsFile(directory.path, "big", 40_000)?.length, 40_000);
});
