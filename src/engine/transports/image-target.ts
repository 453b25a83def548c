/** Where images go: blobs first, then the documents that name them, the root last, so that a reader sees a whole image or none. */
import type { Descriptor } from "../../oci/manifest.ts";
import type { Reference } from "../../oci/reference.ts";
import type { Document } from "./image-source.ts";

export type BlobOutcome = "copied" | "exists" | "mounted";

export interface BlobOffer {
  readonly descriptor: Descriptor;
  /** the bytes, verified; only opened if they are needed */
  readonly open: (offset?: number) => AsyncIterable<Uint8Array>;
  /** the repository that has it */
  readonly from: Reference | undefined;
}

/** What goes to a target, known before the first blob does. */
export interface PlannedImage {
  /** the root last */
  readonly documents: readonly Document[];
  readonly blobs: readonly Descriptor[];
  /** of one of the blobs, from the source */
  readonly open: (descriptor: Descriptor) => AsyncIterable<Uint8Array>;
}

export interface ImageTarget extends AsyncDisposable {
  readonly name: string;
  /** where it is a registry's */
  readonly reference?: Reference;
  /** how many blobs it takes at once */
  readonly parallel: number;
  /** What will be offered, before the first of it is. */
  prepare?(planned: PlannedImage, signal?: AbortSignal): Promise<void>;
  putBlob(offer: BlobOffer, signal?: AbortSignal): Promise<BlobOutcome>;
  /** A manifest or an index whose blobs and documents are there. */
  putDocument(document: Document, signal?: AbortSignal): Promise<void>;
  /** A manifest that names a subject. Absent where nothing would find it. */
  putReferrer?(document: Document, signal?: AbortSignal): Promise<void>;
  /** The last document, under the target's name. Then the image is complete. */
  putRoot(document: Document, signal?: AbortSignal): Promise<void>;
}
