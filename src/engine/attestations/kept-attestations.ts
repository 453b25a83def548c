/** Attestations of an index that are in the store with all their blobs: they go wherever the index goes. */
import { isAttestation } from "../../oci/attestation.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor, Index } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { Store } from "../../store/index.ts";

export interface KeptAttestation {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  /** config and statements */
  readonly blobs: readonly Descriptor[];
}

export function keptAttestations(store: Store, index: Index): readonly KeptAttestation[] {
  return index.manifests.filter(isAttestation).flatMap((descriptor) => keptAttestation(store, descriptor) ?? []);
}

function keptAttestation(store: Store, descriptor: Descriptor): KeptAttestation | undefined {
  if (store.blobs.size(descriptor.digest) !== descriptor.size) return undefined;
  const bytes = store.blobs.read(descriptor.digest);
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  if (parsed.kind !== "manifest") return undefined;
  const blobs = [parsed.manifest.config, ...parsed.manifest.layers];
  return blobs.every(({ digest, size }) => store.blobs.size(digest) === size) ? { descriptor, bytes, blobs } : undefined;
}

/** The index of the store, if it is one. */
export function readIndexDocument(
  store: Store,
  document: Digest | undefined,
): { readonly index: Index; readonly bytes: Buffer; readonly mediaType: string } | undefined {
  if (document === undefined || !store.blobs.has(document)) return undefined;
  const bytes = store.blobs.read(document);
  const parsed = parseManifestOrIndex(bytes);
  return parsed.kind === "index" ? { index: parsed.index, bytes, mediaType: parsed.mediaType } : undefined;
}
