/** A layer's tar → a directory, overlay-ready or applied onto what is there. Synchronous; hostile archives are refused. */
import type { TarEntry } from "../tar/entry.ts";

/** `count` ids from `inside` on (as in the archive) are `outside` … on disk. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/**
 * What happens to owners. keep: as recorded (root, or inside a user namespace with ranges) · map: through id ranges, an id outside them
 * fails with UNMAPPED_ID · ignore: everything belongs to this process, and what only root may do (chown, devices, trusted.*) is left out.
 */
export type Owners =
  | { readonly mode: "keep" }
  | { readonly mode: "map"; readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] }
  | { readonly mode: "ignore" };

/** What lower layers have at a path that the archive uses as a parent without an entry for it. */
export type LowerParent =
  | {
      readonly type: "directory";
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly mtimeNs: bigint;
      readonly xattrs: ReadonlyMap<string, Uint8Array>;
    }
  | { readonly type: "symlink"; readonly target: string };

export interface UnpackLimits {
  /** Default 5,000,000. */
  readonly maxEntries: number;
  /** Content bytes of all files together, holes included. Default 1 TiB. */
  readonly maxBytes: number;
}

export interface UnpackOptions {
  /** Exists; empty for "overlay". */
  readonly directory: string;
  /** overlay: whiteouts become char 0:0 devices, opaque directories get the xattr · apply: they delete what the directory had before. */
  readonly whiteouts: "overlay" | "apply";
  readonly owners: Owners;
  /** Default trusted.overlay.opaque. */
  readonly opaqueXattr?: "trusted.overlay.opaque" | "user.overlay.opaque";
  /** Asked with the path of a parent directory that the archive omits; without an answer it becomes 0755 0:0, mtime 0. */
  readonly missingParent?: (path: string) => LowerParent | undefined;
  /** Absolute path, on disk, of a lower layer's file that a hardlink names; it is copied with its attributes. */
  readonly resolveHardlink?: (path: string) => string | undefined;
  readonly limits?: Partial<UnpackLimits>;
}

export interface UnpackResult {
  /** Members of the archive, whiteouts included. */
  readonly entries: number;
  /** Content bytes written. */
  readonly bytes: number;
  /** Every member in the archive's order with its path made clean; whiteouts under their `.wh.` names. */
  readonly index: readonly TarEntry[];
  /** Devices that this process may not create (owners map or ignore). */
  readonly skippedDevices: number;
}

/** For sources that arrive in pieces: push() every chunk of the uncompressed tar, then finish(). Both are synchronous. */
export interface LayerUnpacker {
  push(chunk: Uint8Array): void;
  /** Sets the directories' attributes and times. Fails with TAR_TRUNCATED when the archive is not complete. */
  finish(): UnpackResult;
}

export declare function createUnpacker(options: UnpackOptions): LayerUnpacker;

/** `source`: chunks, or a file descriptor that is read to its end (it stays open). Failures: see createUnpacker; files may remain. */
export declare function unpackLayer(options: UnpackOptions & { readonly source: Iterable<Uint8Array> | number }): UnpackResult;

/**
 * The path that an archive's name means below the root: no leading slash, no `.`, `..` or empty parts; "" is the root itself.
 * Absolute names are relative to the root. Fails with TAR_PATH_ESCAPES (invalid_argument) when `..` leaves the root.
 */
export declare function sanitizeEntryPath(name: string): string;
