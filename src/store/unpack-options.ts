/** What unpacking takes and gives. */
import type { TarEntry } from "../tar/entry.ts";
import type { Owners } from "./unpack-attributes.ts";
import type { LowerParent } from "./unpack-tree.ts";

export interface UnpackLimits {
  /** Default 5,000,000. */
  readonly maxEntries: number;
  /** Content bytes of all files together, holes included. Default 1 TiB. */
  readonly maxBytes: number;
}

export interface UnpackOptions {
  /** Exists; empty for "overlay". */
  readonly directory: string;
  /** overlay: whiteouts become char 0:0 devices, opaque directories get the xattr · apply: they delete what the directory had before · literal: files like any other. */
  readonly whiteouts: "overlay" | "apply" | "literal";
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
  /** Content bytes written, holes included. */
  readonly bytes: number;
  /** Every member in the archive's order, at the clean path where it went; whiteouts under their `.wh.` names. */
  readonly index: readonly TarEntry[];
  /** Devices that this process may not create. */
  readonly skippedDevices: number;
}
