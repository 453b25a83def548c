/** The library's call about what each layer of an image adds, changes and removes, and what of it is never seen. */
import type { Digest } from "../oci/digest.ts";

export interface LayerChange {
  readonly kind: "added" | "changed" | "removed";
  /** absolute */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "char" | "block" | "fifo";
  /** bytes that this layer has for it; 0 when it was removed */
  readonly sizeBytes: number;
  /** bytes that it had before, of a removed directory all of it */
  readonly beforeBytes: number;
}

export interface LayerReport {
  /** from 0, the bottom one */
  readonly index: number;
  readonly diffId: Digest;
  /** "RUN apt-get update"; "" where the image does not say */
  readonly instruction: string;
  /** the Dockerfile's lines, of images that this store built */
  readonly place: { readonly dockerfile: string; readonly start: number; readonly end: number } | undefined;
  /** undefined where nobody knows */
  readonly fromBase: boolean | undefined;
  /** of its files */
  readonly sizeBytes: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** bytes of it that later layers replace or remove */
  readonly wastedBytes: number;
  /** bytes of earlier layers that it replaces or removes */
  readonly hiddenBytes: number;
  /** sorted by path */
  readonly changes: readonly LayerChange[];
}

/** Bytes that are in the image and in no container of it. */
export interface WastedFile {
  readonly path: string;
  readonly wastedBytes: number;
  /** each copy that a later layer hides */
  readonly copies: readonly { readonly layer: number; readonly sizeBytes: number; readonly hiddenBy: number; readonly how: "changed" | "removed" }[];
}

/** What one layer brings and another hides. */
export interface WastedBetween {
  readonly layer: number;
  readonly hiddenBy: number;
  readonly files: number;
  readonly wastedBytes: number;
}

export interface LayersReport {
  readonly image: string;
  readonly id: Digest;
  readonly platform: string;
  readonly layers: readonly LayerReport[];
  /** of the files of all layers */
  readonly sizeBytes: number;
  readonly wastedBytes: number;
  /** the part of the bytes that a container sees, 0 to 1 */
  readonly efficiency: number;
  /** the most wasteful first */
  readonly wasted: readonly WastedFile[];
  /** the most wasteful first */
  readonly wastedBetween: readonly WastedBetween[];
}
