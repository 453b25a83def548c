/** What a directory and a registry have in common as places of caches. */
import type { Descriptor } from "../../../oci/manifest.ts";

export interface CacheReader {
  /** the manifest or index that was asked for, verified */
  readonly manifest: (signal: AbortSignal) => Promise<Uint8Array>;
  /** a config or a manifest below an index, verified */
  readonly document: (descriptor: Descriptor, signal: AbortSignal) => Promise<Uint8Array>;
  readonly open: (descriptor: Descriptor, signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>;
}

export interface CacheWriter {
  /** of the store's blobs; what is there already is not sent again */
  readonly layer: (descriptor: Descriptor, signal: AbortSignal) => Promise<void>;
  readonly document: (descriptor: Descriptor, bytes: Uint8Array, signal: AbortSignal) => Promise<void>;
  /** last: makes the cache visible under its name */
  readonly manifest: (descriptor: Descriptor, bytes: Uint8Array, signal: AbortSignal) => Promise<void>;
}
