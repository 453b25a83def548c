/** OCI layouts, in a directory or in an archive: index.json says what there is, blobs lie under their digests. @see image-spec image-layout.md */
import { algorithmOf, hexOf, isDigest, type Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { maxDocumentBytes, parseIndex, parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { checked, checkedDocument, notInPlace, type Document, type ImageSource } from "./image-source.ts";

/** Files of the layout by their path in it. */
export interface LayoutFiles extends AsyncDisposable {
  /** undefined where there is none */
  size(path: string): number | undefined;
  read(path: string, limitBytes: number): Promise<Uint8Array>;
  stream(path: string): AsyncIterable<Uint8Array>;
}

const refName = "org.opencontainers.image.ref.name";
export const fullName = "io.containerd.image.name";

export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

function answersTo({ digest, annotations }: Descriptor, wanted: string): boolean {
  if (isDigest(wanted)) return digest === wanted;
  return annotations?.[refName] === wanted || annotations?.[fullName] === wanted;
}

/** The entry with the name, the only one where no name is asked for. Fails with IMAGE_NOT_IN_PLACE (not_found), which tells the names there are. */
export function chooseEntry(place: string, entries: readonly Descriptor[], wanted: string | undefined): Descriptor {
  const names = [...new Set(entries.map(({ digest, annotations }) => annotations?.[refName] ?? annotations?.[fullName] ?? digest))];
  const found = wanted === undefined ? entries : entries.filter((entry) => answersTo(entry, wanted));
  const [first] = found;
  const listed = names.slice(0, 20).join(", ");
  if (first === undefined) throw notInPlace(place, wanted === undefined ? "it holds no image" : `no image ${wanted} in it; it has ${listed || "none"}`);
  if (found.some(({ digest }) => digest !== first.digest)) throw notInPlace(place, `it holds several images, name one of them: ${listed}`);
  return first;
}

export async function layoutSource(place: string, files: LayoutFiles, wanted: string | undefined): Promise<ImageSource> {
  const index = parseIndex(await files.read("index.json", maxDocumentBytes));
  const document = async (digest: Digest): Promise<Document> => {
    const path = blobPath(digest);
    if (files.size(path) === undefined) throw notInPlace(place, `manifest ${digest} is missing`);
    const bytes = checkedDocument(await files.read(path, maxDocumentBytes), digest);
    return { bytes, descriptor: { mediaType: parseManifestOrIndex(bytes).mediaType, digest, size: bytes.length } };
  };
  return {
    name: place,
    root: async () => await document(chooseEntry(place, index.manifests, wanted).digest),
    document,
    has: ({ digest }) => files.size(blobPath(digest)) !== undefined,
    blob: (descriptor) => {
      const path = blobPath(descriptor.digest);
      if (files.size(path) === undefined) throw notInPlace(place, `blob ${descriptor.digest} is missing`);
      return checked(files.stream(path), descriptor);
    },
    [Symbol.asyncDispose]: async () => await files[Symbol.asyncDispose](),
  };
}
