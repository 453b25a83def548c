/** An image's packages with what made each of its layers: the value that bills, scans and their renderings take. */
import type { Digest } from "../../oci/digest.ts";
import type { Inventory } from "./package.ts";

/** What made a layer. */
export interface LayerOrigin {
  readonly diffId: Digest;
  /** "RUN apt-get install -y curl"; absent where nothing says */
  readonly instruction?: string;
  /** lines of the Dockerfile, of images that this store built */
  readonly place?: { readonly dockerfile: string; readonly start: number; readonly end: number };
  /** absent where it is not known which part of the image is its base */
  readonly fromBase?: boolean;
}

export interface ImageInventory extends Inventory {
  /** of a directory of files that is no image; the only layer is all of it */
  readonly kind?: "files";
  /** as it was asked for */
  readonly name: string;
  /** the config's digest */
  readonly id: Digest;
  /** of the image's manifest, where it has one */
  readonly manifest: Digest | undefined;
  /** "linux/amd64" */
  readonly platform: string;
  readonly createdSeconds: number | undefined;
  /** bottom first; an ImagePackage's `layer` is a position here */
  readonly layers: readonly LayerOrigin[];
  /** undefined where it is not known, or the image stands on nothing */
  readonly base: { readonly reference: string; readonly layers: number } | undefined;
  /** what the image says of itself and nobody compared */
  readonly claimedBase?: string;
}

/** "Dockerfile:12 RUN apt-get install -y curl", as far as it is known. */
export function formatOrigin(origin: LayerOrigin | undefined): string {
  if (origin === undefined) return "";
  const { place, instruction = "" } = origin;
  const line = place === undefined ? "" : `${place.dockerfile}:${place.start}`;
  return [line, instruction].filter((word) => word !== "").join(" ");
}
