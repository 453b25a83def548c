/** An image of a registry. */
import { formatReference, withDefaultTag, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { ImageSource } from "./image-source.ts";

export function registrySource(client: RegistryClient, named: Reference): ImageSource {
  const reference = withDefaultTag(named);
  const call = (signal: AbortSignal | undefined): { readonly signal?: AbortSignal } => (signal === undefined ? {} : { signal });
  return {
    name: formatReference(reference),
    reference,
    root: async (signal) => await client.resolve(reference, call(signal)),
    document: async (digest, signal) => await client.fetchManifest(reference, digest, call(signal)),
    has: () => true,
    blob: (descriptor, signal) => client.openBlob(reference, descriptor, call(signal)),
    blobFrom: (descriptor, offset, signal) => client.openBlob(reference, descriptor, { offset, ...call(signal) }),
    [Symbol.asyncDispose]: async () => {},
  };
}
