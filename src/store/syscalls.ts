/**
 * The system calls that node:fs lacks. The only file that uses koffi; it is loaded at the first call (about 8 ms).
 * Every function throws an Error with `code` (errno's name) and `syscall`, like node:fs does. Paths may be Buffers: names are bytes.
 */
export type Path = string | Uint8Array;

/** Access and modification time in nanoseconds since the epoch, exactly; a symlink itself, not what it points to. */
export declare function lutimesNs(path: Path, atimeNs: bigint, mtimeNs: bigint): void;
export declare function futimesNs(fd: number, atimeNs: bigint, mtimeNs: bigint): void;

/** Names of the extended attributes, none when the file system has no such thing. Never follows a symlink (like the three below). */
export declare function lListXattr(path: Path): string[];
/** undefined when there is none of that name. */
export declare function lGetXattr(path: Path, name: string): Buffer | undefined;
export declare function lSetXattr(path: Path, name: string, value: Uint8Array): void;
export declare function lRemoveXattr(path: Path, name: string): void;

/** Character and block devices, fifos. `mode` includes the type bits; the umask applies. */
export declare function mknod(path: Path, mode: number, device: { readonly major: number; readonly minor: number }): void;

/** Lock of the open file; the kernel drops it with the last descriptor. false: somebody else has it (only with `wait: false`). */
export declare function flock(fd: number, kind: "shared" | "exclusive" | "unlock", wait: boolean): boolean;

/** Opens `path` below the directory `fd` as if that were the root: `..` and absolute symlinks stay inside. Returns a descriptor. */
export declare function openInRoot(fd: number, path: Path, flags: number, mode?: number): number;

/** Writes everything of the file system that holds the open file to the disk. */
export declare function syncfs(fd: number): void;

/** Swaps two names atomically. */
export declare function renameExchange(first: Path, second: Path): void;
/** Renames only if `to` does not exist (EEXIST). */
export declare function renameNoReplace(from: Path, to: Path): void;
