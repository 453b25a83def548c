/** `-o type=docker|oci`: the images as an archive, or as an OCI layout in a directory. */
import type { Descriptor } from "../../oci/manifest.ts";
import { digestOf } from "../../oci/digest.ts";
import type { BuildOutput } from "../api.ts";
import type { ArchivedImage, ArchivedIndex, ArchivePlan } from "../archive/archive-plan.ts";
import { annotationsFor, indexAnnotations } from "./annotations.ts";
import { namesOf, type BuiltImage, type Exportable, type Exported } from "./exportable.ts";
import { runStepOf } from "./progress-steps.ts";
import { destinationRequired, writeStream } from "./write-stream.ts";

type ArchiveOutput = Extract<BuildOutput, { type: "docker" | "oci" }>;

export async function exportArchive(input: Exportable, output: ArchiveOutput): Promise<Exported> {
  const { onProgress, images, targets } = input;
  const first = images[0] as BuiltImage;
  const label = output.type === "oci" ? "exporting to oci image format" : "exporting to docker image format";
  return await runStepOf(onProgress, label, async (step) => {
    const archived = archivedResult(input, namesOf(input.tags, [output]));
    step.status("exporting layers", 0, undefined, true);
    const manifest = withoutNames((await writeArchived(input, output, archived)).index[0] as Descriptor);
    if (targets.several) step.status(`exporting manifest list ${manifest.digest}`, 0, undefined, true);
    step.status("sending tarball", 0, undefined, true);
    return { id: targets.several ? manifest.digest : digestOf(first.config), manifest };
  });
}

/** What was built, as archives and registries take it. */
export function archivedResult(input: Exportable, names: readonly string[]): ArchivedImage | ArchivedIndex {
  return input.targets.several ? archivedIndex(input, names) : archivedImage(input, input.images[0] as BuiltImage, names);
}

function archivedImage({ annotations }: Exportable, { platform, config, chain }: BuiltImage, names: readonly string[]): ArchivedImage {
  return { config, chain, names, annotations: annotationsFor(annotations, platform) };
}

function archivedIndex(input: Exportable, names: readonly string[]): ArchivedIndex {
  const images = input.images.map((image) => ({ ...archivedImage(input, image, []), platform: image.platform }));
  return { images, names, annotations: indexAnnotations(input.annotations) };
}

async function writeArchived(
  { store, options, signal }: Exportable,
  { type, dest, attributes }: ArchiveOutput,
  archived: ArchivedImage | ArchivedIndex,
): Promise<ArchivePlan> {
  const { writeArchive, writeOciLayout } = await import("../archive/archive-images.ts");
  if (attributes["tar"] === "false") {
    if (dest === undefined) throw destinationRequired(type);
    return await writeOciLayout(store, [archived], dest, { signal });
  }
  const { planArchive } = await import("../archive/archive-plan.ts");
  const plan = await planArchive(store, [archived], { format: type, signal });
  await writeStream(writeArchive(store, plan, { signal }), dest ?? "-", options);
  return plan;
}

/** The names are the archive's: they are told beside it. */
function withoutNames({ annotations = {}, ...descriptor }: Descriptor): Descriptor {
  const own = Object.entries(annotations).filter(([key]) => key !== "io.containerd.image.name" && key !== "org.opencontainers.image.ref.name");
  return own.length === 0 ? descriptor : { ...descriptor, annotations: Object.fromEntries(own) };
}
