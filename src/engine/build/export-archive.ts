/** `-o type=docker|oci`: the images as an archive, or as an OCI layout in a directory. */
import type { Descriptor } from "../../oci/manifest.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { BuildOutput } from "../api.ts";
import type { ArchivedImage, ArchivedIndex, ArchivePlan, ImageDocument, PlanOptions } from "../archive/archive-plan.ts";
import { annotationsFor, indexAnnotations } from "./annotations.ts";
import { namesOf, type BuiltImage, type Exportable, type Exported } from "./exportable.ts";
import type { ImageOutput } from "./image-output.ts";
import { runStepOf, type Step } from "./progress-steps.ts";
import { destinationRequired, writeStream } from "./write-stream.ts";

type ArchiveOutput = Extract<BuildOutput, { type: "docker" | "oci" }>;

export async function exportArchive(exportable: Exportable, output: ArchiveOutput, asked: ImageOutput): Promise<Exported> {
  const { onProgress } = exportable;
  const asIndex = standsAsIndex(exportable);
  const label = output.type === "oci" ? "exporting to oci image format" : "exporting to docker image format";
  return await runStepOf(onProgress, label, async (step) => {
    const input = tellingAttestations(exportable, step);
    const archived = archivedResult(input, namesOf(input.tags, [output]));
    step.status("exporting layers", 0, undefined, true);
    const plan = await writeArchived(input, output, archived, planOptions(input, output, asked));
    const manifest = withoutNames(plan.index[0] as Descriptor);
    if (asIndex) step.status(`exporting manifest list ${manifest.digest}`, 0, undefined, true);
    step.status("sending tarball", 0, undefined, true);
    const config = asIndex ? undefined : configOf(plan, manifest);
    return { id: config ?? manifest.digest, config, manifest };
  });
}

function configOf({ blobs }: ArchivePlan, { digest, mediaType }: Descriptor): Digest | undefined {
  const source = blobs.find((blob) => blob.digest === digest)?.source;
  const parsed = source !== undefined && "bytes" in source ? parseManifestOrIndex(source.bytes, mediaType) : undefined;
  return parsed?.kind === "manifest" ? parsed.manifest.config.digest : undefined;
}

/** The step has a line for each manifest with attestations, as BuildKit's has. */
export function tellingAttestations(input: Exportable, step: Step): Exportable {
  const { attest } = input;
  if (attest === undefined) return input;
  const told = new Set<Digest>();
  return {
    ...input,
    attest: async (at, document) => {
      const documents = await attest(at, document);
      for (const { digest } of documents.map(({ entry }) => entry)) {
        if (!told.has(digest)) step.status(`exporting attestation manifest ${digest}`, 0, undefined, true);
        told.add(digest);
      }
      return documents;
    },
  };
}

/** What was built, as archives and registries take it. */
export function archivedResult(input: Exportable, names: readonly string[]): ArchivedImage | ArchivedIndex {
  return standsAsIndex(input) ? archivedIndex(input, names) : archivedImage(input, input.images[0] as BuiltImage, names);
}

/** What is said of images in an index needs one. */
export function standsAsIndex({ asIndex, requests }: Exportable): boolean {
  const { provenance, sbom } = requests ?? {};
  return asIndex || provenance?.asReferrer === false || sbom?.asReferrer === false;
}

function archivedImage({ annotations, attest, images }: Exportable, image: BuiltImage, names: readonly string[]): ArchivedImage {
  const { platform, config, chain, baseLayers } = image;
  const at = images.indexOf(image);
  const said = attest === undefined ? {} : { attest: async (document: ImageDocument) => await attest(at, document) };
  return { config, chain, baseLayers, names, annotations: annotationsFor(annotations, platform), ...said };
}

function archivedIndex(input: Exportable, names: readonly string[]): ArchivedIndex {
  const images = input.images.map((image) => ({ ...archivedImage(input, image, []), platform: image.platform }));
  return { images, names, annotations: indexAnnotations(input.annotations) };
}

/** Without a word about compression layers go in whatever form lies here. */
function planOptions({ attest }: Exportable, { attributes }: ArchiveOutput, { compression, ociTypes }: ImageOutput): Omit<PlanOptions, "format" | "signal"> {
  const isAsked = ["compression", "compression-level", "force-compression"].some((name) => attributes[name] !== undefined);
  return { ...(isAsked ? { compression } : {}), dockerTypes: ociTypes === false && attest === undefined };
}

async function writeArchived(
  { store, options, signal }: Exportable,
  { type, dest, attributes }: ArchiveOutput,
  archived: ArchivedImage | ArchivedIndex,
  planned: Omit<PlanOptions, "format" | "signal">,
): Promise<ArchivePlan> {
  const { writeArchive, writeOciLayout } = await import("../archive/archive-images.ts");
  if (attributes["tar"] === "false") {
    if (dest === undefined) throw destinationRequired(type);
    return await writeOciLayout(store, [archived], dest, { ...planned, signal });
  }
  const { planArchive } = await import("../archive/archive-plan.ts");
  const plan = await planArchive(store, [archived], { ...planned, format: type, signal });
  await writeStream(writeArchive(store, plan, { signal }), dest ?? "-", options);
  return plan;
}

/** The names are the archive's: they are told beside it. */
function withoutNames({ annotations = {}, ...descriptor }: Descriptor): Descriptor {
  const own = Object.entries(annotations).filter(([key]) => key !== "io.containerd.image.name" && key !== "org.opencontainers.image.ref.name");
  return own.length === 0 ? descriptor : { ...descriptor, annotations: Object.fromEntries(own) };
}
