/** A directory → one deterministic tar stream: sorted, no clocks of its own; overlay's marks become whiteouts again. */
import type { Digest } from "../oci/digest.ts";
import type { TarEntry } from "../tar/entry.ts";
import type { Owners } from "./unpack.ts";

export interface PackOptions {
  readonly directory: string;
  /** The directory is an overlay's upper: char 0:0 → `.wh.` entry, opaque → `.wh..wh..opq`; overlay's own xattrs are dropped. */
  readonly overlay: boolean;
  /** The inverse of unpacking: map translates ids on disk to ids inside; ignore records 0:0 everywhere. Default keep. */
  readonly owners?: Owners;
  /** Later modification times are written as this one (SOURCE_DATE_EPOCH). */
  readonly mtimeClampNs?: bigint;
  /** Called with each entry before its header's bytes. */
  readonly onEntry?: (entry: TarEntry) => void;
  /** Slices of a buffer that is reused: copy what is kept. */
  readonly onChunk: (bytes: Buffer) => void;
}

export interface PackResult {
  readonly entries: number;
  /** Bytes of the tar stream. */
  readonly size: number;
}

/**
 * One synchronous pass: names sorted by their bytes within each directory, parents before children, the root itself without an entry,
 * sockets left out. Fails with FILE_CHANGED (conflict) when a file's size is not what it was when the pass reached it.
 */
export declare function packDirectory(options: PackOptions): PackResult;

/** The diffID of a directory, without keeping the tar. */
export declare function hashDirectory(options: Omit<PackOptions, "onChunk">): PackResult & { readonly diffId: Digest };
