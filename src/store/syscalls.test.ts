import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as sys from "./syscalls.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-sys-"));
after(() => rmSync(scratch, { recursive: true }));

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : "needs root";

function file(name: string, content = ""): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}

function failsWith(code: string, syscall: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && "code" in error && error.code === code && "syscall" in error && error.syscall === syscall;
}

test("times are exact to the nanosecond, also before the epoch and of links", () => {
  const path = file("times");
  const link = join(scratch, "times-link");
  symlinkSync("times", link);
  for (const timeNs of [0n, 1n, 1_700_000_000_123_456_789n, -1n, -1_500_000_000n, -2_000_000_000n]) {
    sys.lutimesNs(path, 5n, timeNs);
    assert.equal(lstatSync(path, { bigint: true }).mtimeNs, timeNs);
    assert.equal(lstatSync(path, { bigint: true }).atimeNs, 5n);
    sys.lutimesNs(Buffer.from(link), 0n, timeNs + 7n);
    assert.equal(lstatSync(link, { bigint: true }).mtimeNs, timeNs + 7n);
    assert.equal(lstatSync(path, { bigint: true }).mtimeNs, timeNs, "the link's target is untouched");
    const fd = openSync(path, "r");
    sys.futimesNs(fd, 0n, timeNs + 9n);
    assert.equal(fstatSync(fd, { bigint: true }).mtimeNs, timeNs + 9n);
    closeSync(fd);
  }
  assert.throws(() => sys.lutimesNs(join(scratch, "none"), 0n, 0n), failsWith("ENOENT", "utimensat"));
  assert.throws(() => sys.futimesNs(9999, 0n, 0n), failsWith("EBADF", "futimens"));
});

test("extended attributes", () => {
  const path = file("xattr");
  const value = Buffer.from([0, 1, 0xff, 0x0a]);
  sys.lSetXattr(path, "user.binary", value);
  sys.lSetXattr(Buffer.from(path), "user.empty", Buffer.alloc(0));
  assert.deepEqual(sys.lListXattr(path).sort(), ["user.binary", "user.empty"]);
  assert.deepEqual(sys.lGetXattr(path, "user.binary"), value);
  assert.deepEqual(sys.lGetXattr(Buffer.from(path), "user.empty"), Buffer.alloc(0));
  assert.equal(sys.lGetXattr(path, "user.none"), undefined);
  sys.lRemoveXattr(path, "user.binary");
  assert.deepEqual(sys.lListXattr(Buffer.from(path)), ["user.empty"]);
  assert.throws(() => sys.lRemoveXattr(path, "user.binary"), failsWith("ENODATA", "lremovexattr"));
  assert.throws(() => sys.lListXattr(join(scratch, "none")), failsWith("ENOENT", "llistxattr"));
  assert.throws(() => sys.lGetXattr(join(scratch, "none"), "user.x"), failsWith("ENOENT", "lgetxattr"));
  assert.throws(() => sys.lSetXattr(path, "nonsense", value), failsWith("ENOTSUP", "lsetxattr"));
  assert.deepEqual(sys.lListXattr("/proc/self/status"), []);
});

test("attributes of a dangling symlink", { skip: needsRoot }, () => {
  const link = join(scratch, "dangling");
  symlinkSync("nowhere", link);
  sys.lSetXattr(link, "trusted.mark", Buffer.from("yes"));
  assert.deepEqual(sys.lListXattr(link), ["trusted.mark"]);
  assert.equal(sys.lGetXattr(link, "trusted.mark")?.toString(), "yes");
  assert.throws(() => sys.lSetXattr(link, "user.mark", Buffer.from("no")), failsWith("EPERM", "lsetxattr"));
});

test("whiteouts and fifos for everyone, devices for root", () => {
  const whiteout = join(scratch, "whiteout");
  sys.mknod(whiteout, constants.S_IFCHR | 0o600, { major: 0, minor: 0 });
  assert.ok(lstatSync(whiteout).isCharacterDevice());
  assert.equal(lstatSync(whiteout).rdev, 0);
  sys.mknod(Buffer.from(join(scratch, "fifo")), constants.S_IFIFO | 0o644);
  assert.ok(lstatSync(join(scratch, "fifo")).isFIFO());
  assert.throws(() => sys.mknod(whiteout, constants.S_IFIFO), failsWith("EEXIST", "mknodat"));
});

test("device numbers", { skip: needsRoot }, () => {
  for (const [major, minor] of [
    [1, 3],
    [259, 70_000],
    [4095, 0xfffff],
  ] as const) {
    const path = join(scratch, `dev-${major}-${minor}`);
    sys.mknod(path, constants.S_IFBLK | 0o600, { major, minor });
    const { rdev } = lstatSync(path);
    assert.deepEqual([(rdev >>> 8) & 0xfff, (rdev & 0xff) | ((rdev >>> 12) & 0xfff00)], [major, minor]);
  }
  assert.throws(() => sys.mknod(join(scratch, "far"), constants.S_IFCHR, { major: 4096, minor: 0 }), failsWith("EINVAL", "mknodat"));
});

test("locks belong to the open file", () => {
  const path = file("lock");
  const [first, second] = [openSync(path, "r"), openSync(path, "r")];
  sys.flock(first, "exclusive");
  assert.throws(() => sys.flock(second, "exclusive", { nonBlocking: true }), failsWith("EAGAIN", "flock"));
  sys.flock(first, "unlock");
  sys.flock(second, "shared", { nonBlocking: true });
  sys.flock(first, "shared", { nonBlocking: true });
  closeSync(second);
  sys.flock(first, "exclusive", { nonBlocking: true });
  closeSync(first);
});

test("opening inside a root", () => {
  const root = join(scratch, "root");
  mkdirSync(join(root, "etc"), { recursive: true });
  writeFileSync(join(root, "etc/passwd"), "inside");
  symlinkSync("/etc", join(root, "absolute"));
  symlinkSync("../../../../etc", join(root, "climbing"));
  const dir = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  for (const path of ["etc/passwd", "/etc/passwd", "absolute/passwd", Buffer.from("climbing/passwd"), "../../etc/passwd"]) {
    const fd = sys.openInRoot(dir, path, constants.O_RDONLY);
    assert.equal(readFileSync(fd, "utf8"), "inside", String(path));
    closeSync(fd);
  }
  closeSync(sys.openInRoot(dir, "new", constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
  assert.equal(lstatSync(join(root, "new")).mode & 0o777, 0o600);
  assert.throws(() => sys.openInRoot(dir, "none", constants.O_RDONLY), failsWith("ENOENT", "openat2"));
  closeSync(dir);
});

test("renames", () => {
  const [one, two] = [file("one", "1"), file("two", "2")];
  sys.renameExchange(one, two);
  assert.equal(readFileSync(one, "utf8"), "2");
  assert.throws(() => sys.renameNoReplace(one, two), failsWith("EEXIST", "renameat2"));
  sys.renameNoReplace(Buffer.from(one), join(scratch, "three"));
  assert.equal(readFileSync(join(scratch, "three"), "utf8"), "2");
});

test("syncfs", () => {
  const fd = openSync(scratch, "r");
  sys.syncfs(fd);
  closeSync(fd);
  assert.throws(() => sys.syncfs(9999), failsWith("EBADF", "syncfs"));
});

test("paths with a NUL byte are refused, not cut", () => {
  const path = file("nul");
  utimesSync(path, 1, 1);
  assert.throws(() => sys.lutimesNs(`${path}\0x`, 0n, 0n), /EINVAL/);
  assert.throws(() => sys.lutimesNs(Buffer.from(`${path}\0x`), 0n, 0n), /EINVAL/);
  assert.equal(lstatSync(path).mtimeMs, 1000);
});

test("mount calls report the kernel's errors", { skip: needsRoot }, () => {
  assert.throws(() => sys.mount("none", join(scratch, "none"), "tmpfs", 0, null), failsWith("ENOENT", "mount"));
  assert.throws(() => sys.mount("none", scratch, "tmpfs", 0, "x".repeat(4096)), failsWith("E2BIG", "mount"));
  assert.throws(() => sys.umountDetach(scratch), failsWith("EINVAL", "umount2"));
  assert.throws(() => sys.fsopen("nosuchfs"), failsWith("ENODEV", "fsopen"));
  const fd = sys.fsopen("tmpfs");
  assert.throws(() => sys.fsconfigString(fd, "nonsense", "1"), failsWith("EINVAL", "fsconfig"));
  assert.throws(() => sys.fsconfigFlag(fd, "nonsense"), failsWith("EINVAL", "fsconfig"));
  assert.throws(() => sys.fsmount(fd), failsWith("EINVAL", "fsmount"));
  assert.throws(() => sys.moveMount(fd, scratch), failsWith("EINVAL", "move_mount"));
  closeSync(fd);
});
