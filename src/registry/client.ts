/**
 * The distribution client: resolves references, fetches manifests, streams blobs and lists tags, over mirrors, with
 * credentials, proxies and custom certificates, every wait and every body bounded. @see distribution-spec
 */
import type { Hash } from "node:crypto";
import type { Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { Reference } from "../oci/reference.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** A manifest or an index as the registry serves it; the bytes have the descriptor's digest and size. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** the host that served it: "registry-1.docker.io" */
  readonly host: string;
}

export interface OpenBlobOptions extends CallOptions {
  /** Bytes that the caller already has: the first byte that is sent is the one at this offset. */
  readonly offset?: number;
  /** A hash of the descriptor's algorithm that has read the first `offset` bytes; without it a blob opened at an offset is checked by its size only. */
  readonly hash?: Hash;
}

export interface RegistryClient {
  /**
   * What a reference means now, by one HEAD request; undefined where the registry does not say the digest.
   * Docker Hub does not count it against the pull limit.
   */
  head(reference: Reference, options?: CallOptions): Promise<Descriptor | undefined>;
  /** Fetches the manifest or index that the reference names; without tag and digest, `latest`. */
  resolve(reference: Reference, options?: CallOptions): Promise<FetchedManifest>;
  /** Fetches a manifest or index of the reference's repository by digest. */
  fetchManifest(reference: Reference, digest: Digest, options?: CallOptions): Promise<FetchedManifest>;
  /** Streams a blob of the reference's repository; the end is reached only if size and digest agree. */
  openBlob(reference: Reference, descriptor: Descriptor, options?: OpenBlobOptions): AsyncIterable<Uint8Array>;
  /** All tags of the reference's repository, in the registry's order. */
  listTags(reference: Reference, options?: CallOptions): Promise<readonly string[]>;
  /** Closes idle connections; calls in flight fail. */
  close(): Promise<void>;
}
