/**
 * What the server side of the distribution specification needs of whoever keeps the bytes. Names, tags and digests have
 * been checked before they come here. Blobs and manifests are those of one repository: what another repository has is
 * not seen, unless it was mounted. An upload is known by its id until it is committed or cancelled, and keeps what was
 * received when a connection breaks. @see distribution-spec
 */
import type { Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** The manifest that refers to another, as the referrers API lists it. */
export interface Referral {
  readonly subject: Digest;
  readonly descriptor: Descriptor;
}

/** First and last byte, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface DistributionStorage {
  /** sorted names of the repositories that hold a manifest */
  repositories(): Promise<readonly string[]>;

  blobSize(repository: string, digest: Digest): Promise<number | undefined>;
  /** Only for blobs whose size was told; undefined means the whole. */
  readBlob(repository: string, digest: Digest, range?: ByteRange): AsyncIterable<Uint8Array>;
  /** Makes a blob of one repository one of another too; false when `from` does not have it. */
  mountBlob(from: string, to: string, digest: Digest): Promise<boolean>;
  deleteBlob(repository: string, digest: Digest): Promise<boolean>;

  createUpload(repository: string): Promise<string>;
  /** bytes received so far; undefined when there is no such upload */
  uploadSize(repository: string, id: string): Promise<number | undefined>;
  /** Appends as the bytes come: what was received before a failure stays. */
  appendUpload(repository: string, id: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** Ends the upload either way; false when the bytes have another digest, and then nothing is kept. */
  commitUpload(repository: string, id: string, digest: Digest): Promise<boolean>;
  cancelUpload(repository: string, id: string): Promise<boolean>;

  /** of the repository, in any order */
  manifests(repository: string): Promise<readonly Digest[]>;
  manifest(repository: string, digest: Digest): Promise<StoredManifest | undefined>;
  /** Keeps the manifest, its tag and its referral together. */
  putManifest(repository: string, manifest: StoredManifest, tag?: string, referral?: Referral): Promise<void>;
  /** Takes the manifest's tags and its referral along. */
  deleteManifest(repository: string, digest: Digest): Promise<boolean>;
  /** sorted by their bytes; undefined when there is no such repository */
  tags(repository: string): Promise<readonly string[] | undefined>;
  resolveTag(repository: string, tag: string): Promise<Digest | undefined>;
  deleteTag(repository: string, tag: string): Promise<boolean>;
  referrers(repository: string, subject: Digest): Promise<readonly Descriptor[]>;
}
