/**
 * The system calls that node:fs lacks. The only file that uses koffi; it is loaded at the first call (about 8 ms).
 * Every function throws an Error with `code` (errno's name) and `syscall`, like node:fs does. Paths may be bytes: names are.
 * A wrong prototype crashes the process: each has its test.
 */
import { createRequire } from "node:module";
import { arch, constants } from "node:os";
import type Koffi from "koffi";
import { errnoOf, SlipwayError } from "../base/errors.ts";

export type Path = string | Uint8Array;

/** Numbers of calls that older C libraries have no function for. */
const numbers: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  x64: { mknodat: 259, renameat2: 316 },
  arm64: { mknodat: 33, renameat2: 276 },
};
/** The same on every architecture. */
const newer = { move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432, openat2: 437 } as const;

/** `syscall` in the error; the second member is the prototype for koffi. A `const void *` takes a string, bytes or null. */
const prototypes = {
  unshare: "int unshare(int flags)",
  setns: "int setns(int fd, int type)",
  socket: "int socket(int family, int type, int protocol)",
  bind: "int bind(int fd, const void *address, unsigned int size)",
  chroot: "int chroot(const void *path)",
  fchdir: "int fchdir(int fd)",
  mount: "int mount(const void *source, const void *target, const void *type, unsigned long flags, const void *data)",
  umount2: "int umount2(const void *target, int flags)",
  utimensat: "int utimensat(int dir, const void *path, const void *times, int flags)",
  futimens: "int futimens(int fd, const void *times)",
  llistxattr: "long llistxattr(const void *path, void *list, size_t size)",
  lgetxattr: "long lgetxattr(const void *path, const void *name, void *value, size_t size)",
  lsetxattr: "int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)",
  lremovexattr: "int lremovexattr(const void *path, const void *name)",
  flock: "int flock(int fd, int operation)",
  syncfs: "int syncfs(int fd)",
  mknodat: "long syscall(long number, int dir, const void *path, unsigned int mode, unsigned int device)",
  renameat2: "long syscall(long number, int fromDir, const void *from, int toDir, const void *to, unsigned int flags)",
  openat2: "long syscall(long number, int dir, const void *path, const void *how, size_t size)",
  fsopen: "long syscall(long number, const void *type, unsigned int flags)",
  fsconfig: "long syscall(long number, int fd, unsigned int command, const void *key, const void *value, int aux)",
  fsmount: "long syscall(long number, int fd, unsigned int flags, unsigned int attributes)",
  move_mount: "long syscall(long number, int fromDir, const void *from, int toDir, const void *to, unsigned int flags)",
} as const;

type CallName = keyof typeof prototypes;
type Argument = Path | number | bigint | null;
type Native = (...args: Argument[]) => number;

interface Library {
  readonly errno: () => number;
  readonly bind: (prototype: string) => Native;
}

let library: Library | undefined;
const bound = new Map<CallName, Native>();

function openLibrary(): Library {
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
    const libc = koffi.load(null);
    return { errno: () => koffi.errno(), bind: (prototype) => libc.func(prototype) as Native };
  } catch (error) {
    throw new SlipwayError("failed_precondition", "SYSCALLS_UNAVAILABLE", `system calls are not available on this ${process.platform} ${arch()}`, {}, error);
  }
}

function bind(name: CallName): Native {
  library ??= openLibrary();
  const prototype = prototypes[name];
  const native = library.bind(prototype);
  if (!prototype.includes(" syscall(")) return native;
  const number = { ...newer, ...numbers[arch()] }[name as string];
  if (number === undefined) throw new SlipwayError("unsupported", "SYSCALLS_UNAVAILABLE", `${name} is not known on ${arch()}`);
  return (...args) => native(number, ...args);
}

/** The result, or -1 with errno still to be read. */
function tryCall(name: CallName, args: Argument[]): number {
  let native = bound.get(name);
  if (native === undefined) {
    native = bind(name);
    bound.set(name, native);
  }
  return native(...args);
}

function call(name: CallName, subject: Path | undefined, ...args: Argument[]): number {
  const result = tryCall(name, args);
  if (result < 0) throw systemError(name, subject);
  return result;
}

export interface SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
}

function errnoName(number: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? otherErrnoNames[number] ?? `E${number}`;
}

/** Linux errors that node:os does not list. */
const otherErrnoNames: Readonly<Record<number, string>> = { 61: "ENODATA", 95: "EOPNOTSUPP", 117: "EUCLEAN" };

function systemError(name: CallName, subject: Path | undefined): SystemError {
  const number = library?.errno() ?? 0;
  const code = errnoName(number);
  const path = subject === undefined ? undefined : typeof subject === "string" ? subject : Buffer.from(subject).toString();
  const error = new Error(`${code}: ${name}${path === undefined ? "" : ` '${path}'`}`);
  return Object.assign(error, { code, errno: -number, syscall: name, ...(path !== undefined && { path }) });
}

/** Strings pass as they are; bytes need the NUL that ends them. */
function cPath(path: Path): Path {
  if (typeof path === "string") {
    if (path.includes("\0")) throw Object.assign(new Error("EINVAL: path with a NUL byte"), { code: "EINVAL", syscall: "open" });
    return path;
  }
  if (path.includes(0)) throw Object.assign(new Error("EINVAL: path with a NUL byte"), { code: "EINVAL", syscall: "open" });
  const terminated = Buffer.alloc(path.length + 1);
  terminated.set(path);
  return terminated;
}

const currentDirectory = -100;
const noFollow = 0x100;

// --- times -------------------------------------------------------------------------------------------------------------------------------

const timespecs = Buffer.alloc(32);

function putTimes(atimeNs: bigint, mtimeNs: bigint): Buffer {
  for (const [at, timeNs] of [
    [0, atimeNs],
    [16, mtimeNs],
  ] as const) {
    // Nanoseconds count forward from the second below, also before the epoch.
    const nanoseconds = ((timeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    timespecs.writeBigInt64LE((timeNs - nanoseconds) / 1_000_000_000n, at);
    timespecs.writeBigInt64LE(nanoseconds, at + 8);
  }
  return timespecs;
}

/** Access and modification time in nanoseconds since the epoch, exactly; of a symlink itself, not of what it points to. */
export function lutimesNs(path: Path, atimeNs: bigint, mtimeNs: bigint): void {
  call("utimensat", path, currentDirectory, cPath(path), putTimes(atimeNs, mtimeNs), noFollow);
}

export function futimesNs(fd: number, atimeNs: bigint, mtimeNs: bigint): void {
  call("futimens", undefined, fd, putTimes(atimeNs, mtimeNs));
}

// --- extended attributes; never of what a symlink points to --------------------------------------------------------------------------------

/** The kernel's own bound of a name list and of a value (XATTR_LIST_MAX, XATTR_SIZE_MAX). */
const maxXattrBytes = 65_536;
const xattrBuffer = Buffer.alloc(maxXattrBytes);

/** The names; none where the file system has no such thing. */
export function lListXattr(path: Path): string[] {
  const length = tryCall("llistxattr", [cPath(path), xattrBuffer, maxXattrBytes]);
  if (length > 0) return xattrBuffer.toString("utf8", 0, length - 1).split("\0");
  if (length === 0) return [];
  const error = systemError("llistxattr", path);
  if (error.code === "ENOTSUP" || error.code === "EOPNOTSUPP") return [];
  throw error;
}

/** undefined when there is none of that name, or no such thing on the file system. */
export function lGetXattr(path: Path, name: string): Buffer | undefined {
  const length = tryCall("lgetxattr", [cPath(path), name, xattrBuffer, maxXattrBytes]);
  if (length >= 0) return Buffer.from(xattrBuffer.subarray(0, length));
  const error = systemError("lgetxattr", path);
  if (error.code === "ENODATA" || error.code === "ENOTSUP" || error.code === "EOPNOTSUPP") return undefined;
  throw error;
}

export function lSetXattr(path: Path, name: string, value: Uint8Array): void {
  call("lsetxattr", path, cPath(path), name, value.length === 0 ? null : value, value.length, 0);
}

export function lRemoveXattr(path: Path, name: string): void {
  call("lremovexattr", path, cPath(path), name);
}

// --- files -------------------------------------------------------------------------------------------------------------------------------

/** Character and block devices, fifos. `mode` includes the type bits (fs.constants.S_IFCHR, …); the umask applies. */
export function mknod(path: Path, mode: number, device: { readonly major: number; readonly minor: number } = { major: 0, minor: 0 }): void {
  const { major, minor } = device;
  if (major > 0xfff || minor > 0xfffff) throw Object.assign(new Error("EINVAL: mknodat"), { code: "EINVAL", syscall: "mknodat" });
  // The kernel's encoding: low 8 bits of the minor, 12 bits of the major, the rest of the minor.
  const number = (minor & 0xff) + major * 0x100 + Math.floor(minor / 0x100) * 0x100000;
  call("mknodat", path, currentDirectory, cPath(path), mode, number);
}

const lockOperations = { shared: 1, exclusive: 2, unlock: 8 } as const;

/**
 * Lock of the open file, dropped by the kernel with its last descriptor. Waits, and blocks the whole thread, unless `nonBlocking`:
 * then EAGAIN tells that another has it.
 */
export function flock(fd: number, kind: keyof typeof lockOperations, options: { readonly nonBlocking?: boolean } = {}): void {
  call("flock", undefined, fd, lockOperations[kind] | (options.nonBlocking ? 4 : 0));
}

/** A mount or rename anywhere on the machine makes openat2 give up on a `..`: EAGAIN asks for another try. */
const openAttempts = 1000;

/** Opens `path` below the directory `fd` as if that were the root: `..` and absolute symlinks stay inside. Returns a descriptor. */
export function openInRoot(fd: number, path: Path, flags: number, mode = 0): number {
  const closeOnExec = 0o2000000;
  const resolveInRoot = 0x10n;
  const resolveNoMagicLinks = 0x02n;
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | closeOnExec), 0);
  how.writeBigUInt64LE(BigInt(mode), 8);
  how.writeBigUInt64LE(resolveInRoot | resolveNoMagicLinks, 16);
  for (let attempt = 1; ; attempt++) {
    try {
      return call("openat2", path, fd, cPath(path), how, how.length);
    } catch (error) {
      if (errnoOf(error) !== "EAGAIN" || attempt === openAttempts) throw error;
    }
  }
}

/** Writes everything of the file system that holds the open file to the disk. */
export function syncfs(fd: number): void {
  call("syncfs", undefined, fd);
}

/** Swaps two names atomically. */
export function renameExchange(first: Path, second: Path): void {
  call("renameat2", first, currentDirectory, cPath(first), currentDirectory, cPath(second), 2);
}

/** Renames only if `to` does not exist (EEXIST). */
export function renameNoReplace(from: Path, to: Path): void {
  call("renameat2", to, currentDirectory, cPath(from), currentDirectory, cPath(to), 1);
}

// --- mounts ------------------------------------------------------------------------------------------------------------------------------

export const mountFlag = {
  readonly: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  remount: 32,
  bind: 4096,
  move: 8192,
  recursive: 16384,
  private: 1 << 18,
  slave: 1 << 19,
} as const;

const mountNamespace = 0x20000;

/** Gives this thread a mount namespace, root and working directory of its own. */
export function unshareMounts(): void {
  const cloneFs = 0x200;
  call("unshare", undefined, cloneFs | mountNamespace);
}

/** Enters the mount namespace that `fd` is open on, at its root: it becomes root and working directory, also out of a chroot. */
export function enterMounts(fd: number): void {
  call("setns", undefined, fd, mountNamespace);
}

const networkNamespace = 0x40000000;

/** This thread gets a network namespace of its own, with nothing in it; sockets that are open stay where they are. */
export function unshareNetwork(): void {
  call("unshare", undefined, networkNamespace);
}

export function enterNetwork(fd: number): void {
  call("setns", undefined, fd, networkNamespace);
}

/** A descriptor in this thread's network namespace, bound to an IPv4 address; the caller closes it. */
export function openBoundSocket(kind: "tcp" | "udp", address: readonly [number, number, number, number], port: number): number {
  const [inet, closeOnExec] = [2, 0x80000];
  const fd = call("socket", undefined, inet, (kind === "tcp" ? 1 : 2) | closeOnExec, 0);
  const name = Buffer.alloc(16);
  name.writeUInt16LE(inet, 0);
  name.writeUInt16BE(port, 2);
  name.set(address, 4);
  try {
    call("bind", undefined, fd, name, name.length);
    return fd;
  } catch (error) {
    process.getBuiltinModule("node:fs").closeSync(fd);
    throw error;
  }
}

/** Like unshareMounts() before it: for this thread, and for children spawned afterwards. */
export function chroot(target: Path): void {
  call("chroot", target, cPath(target));
}

export function changeDirectory(fd: number): void {
  call("fchdir", undefined, fd);
}

/** mount(2). `data` is cut by the kernel after 4095 bytes: longer ones are refused here with E2BIG. */
export function mount(source: Path | null, target: Path, type: string | null, flags: number, data: string | null): void {
  if (data !== null && Buffer.byteLength(data) > 4095) throw Object.assign(new Error("E2BIG: mount"), { code: "E2BIG", syscall: "mount" });
  call("mount", target, source === null ? null : cPath(source), cPath(target), type, flags, data);
}

/** Lazily: the mount vanishes from the tree at once and ends with its last user. A symlink at `target` is not followed. */
export function umountDetach(target: Path): void {
  const detach = 2;
  const umountNoFollow = 8;
  call("umount2", target, cPath(target), detach | umountNoFollow);
}

/** A file system about to be configured; the descriptor is read for the kernel's own messages. */
export function fsopen(type: string): number {
  return call("fsopen", undefined, type, 1);
}

export function fsconfigString(fd: number, key: string, value: string): void {
  call("fsconfig", undefined, fd, 1, key, value, 0);
}

export function fsconfigFlag(fd: number, key: string): void {
  call("fsconfig", undefined, fd, 0, key, null, 0);
}

export function fsconfigCreate(fd: number): void {
  call("fsconfig", undefined, fd, 6, null, null, 0);
}

/** A descriptor of the mounted, not yet attached tree. It goes with the descriptor unless it is attached. */
export function fsmount(fd: number, options: { readonly readonly?: boolean } = {}): number {
  return call("fsmount", undefined, fd, 1, options.readonly ? 1 : 0);
}

/** Attaches what fsmount() returned. */
export function moveMount(fd: number, target: Path): void {
  const emptyFromPath = 4;
  call("move_mount", target, fd, "", currentDirectory, cPath(target), emptyFromPath);
}
