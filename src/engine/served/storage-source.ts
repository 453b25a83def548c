/** An image that a registry's storage has, as a source to copy from. The root is not there yet when its push is looked at. */
import { digestOf } from "../../oci/digest.ts";
import type { DistributionStorage, StoredManifest } from "../../distribution/index.ts";
import { checked, notInPlace, type Document, type ImageSource } from "../transports/image-source.ts";

function documentFrom({ digest, mediaType, bytes }: StoredManifest): Document {
  return { bytes, descriptor: { mediaType, digest, size: bytes.length } };
}

export function storageSource(storage: DistributionStorage, repository: string, root: StoredManifest): ImageSource {
  return {
    name: repository,
    root: async () => documentFrom(root),
    document: async (digest) => {
      const found = await storage.manifest(repository, digest);
      if (found === undefined || digestOf(found.bytes) !== digest) throw notInPlace(repository, `manifest ${digest} is missing`);
      return documentFrom(found);
    },
    has: () => undefined,
    blob: (descriptor) => checked(storage.readBlob(repository, descriptor.digest), descriptor),
    [Symbol.asyncDispose]: async () => {},
  };
}
