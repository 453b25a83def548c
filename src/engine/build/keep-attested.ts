/** An image is kept with what is said of it: its manifest is made at once, since attestations name it by digest. */
import type { Digest } from "../../oci/digest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { planArchive, type ArchivePlan } from "../archive/archive-plan.ts";
import { commitIndex, readImageIndex } from "../images/image-index.ts";
import { keptAttestations } from "../attestations/kept-attestations.ts";
import { archivedResult } from "./export-archive.ts";
import type { Exportable } from "./exportable.ts";
import type { ImageOutput } from "./image-output.ts";

/** Packs what is not packed. Answers what adds the documents to the committed image or index, in the caller's transaction. */
export async function keepAttested(input: Exportable, { compression }: ImageOutput): Promise<(id: Digest) => void> {
  const { store, signal } = input;
  // eStargz's config is another than the store's
  const chosen = compression.type === "estargz" ? ({ type: "gzip", force: false } as const) : compression;
  const plan = await planArchive(store, [archivedResult(input, [])], { format: "oci", compression: chosen, signal });
  return (id) => keep(input, plan, id);
}

function keep({ store, images, asIndex }: Exportable, plan: ArchivePlan, id: Digest): void {
  for (const { source } of plan.blobs) if ("bytes" in source) store.blobs.put(source.bytes);
  const top = plan.index[0] as Descriptor;
  const parsed = parseManifestOrIndex(store.blobs.read(top.digest), top.mediaType);
  if (parsed.kind !== "index") return;
  const attestations = keptAttestations(store, parsed.index);
  const blobs = attestations.flatMap(({ descriptor, blobs: own }) => [descriptor.digest, ...own.map(({ digest }) => digest)]);
  for (const [at, { config, chain }] of images.entries()) {
    const manifest = parsed.index.manifests[at]?.digest;
    const document = asIndex ? {} : { document: top.digest };
    if (manifest !== undefined) store.images.commit({ config, chain, manifest, ...document, member: asIndex, blobs: [top.digest, ...blobs] });
  }
  if (asIndex) commitIndex(store, readImageIndex(store, id), [], top.digest);
}
