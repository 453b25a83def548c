/** All images that a layout's index.json leads to, with the names that they have there. */
import { isAttestation } from "../../oci/attestation.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { maxDocumentBytes, parseIndex, parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { IndexedImages } from "../archive/archive-agreement.ts";
import { invalidArchive } from "../archive/archive-members.ts";
import { checkedDocument } from "./image-source.ts";
import { blobPath, fullName, type LayoutFiles } from "./layout-source.ts";

const maxDocuments = 1000;
const maxDepth = 5;

/** What is not here is passed over. Fails with ARCHIVE_INVALID, INVALID_DOCUMENT (invalid_argument), DIGEST_MISMATCH (data_loss). */
export async function indexedImages(files: LayoutFiles): Promise<readonly IndexedImages[]> {
  let documents = 0;
  const configsBelow = async ({ digest }: Descriptor, depth: number): Promise<readonly Digest[]> => {
    const path = blobPath(digest);
    if (files.size(path) === undefined) return [];
    if (++documents > maxDocuments || depth > maxDepth) throw invalidArchive(`its index has more than ${maxDocuments} images, or is deeper than ${maxDepth}`);
    const parsed = parseManifestOrIndex(checkedDocument(await files.read(path, maxDocumentBytes), digest));
    if (parsed.kind === "manifest") return [parsed.manifest.config.digest];
    const found: Digest[] = [];
    for (const entry of parsed.index.manifests) if (!isAttestation(entry)) found.push(...(await configsBelow(entry, depth + 1)));
    return found;
  };
  const images: IndexedImages[] = [];
  for (const entry of parseIndex(await files.read("index.json", maxDocumentBytes)).manifests) {
    const name = entry.annotations?.[fullName];
    images.push({ configs: new Set(await configsBelow(entry, 0)), names: name === undefined ? [] : [name] });
  }
  return images;
}
