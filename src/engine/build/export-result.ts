/** The end of a build: an image in the store, an archive, a tree of files; for several platforms an index, or a directory for each. */
import type { Digest } from "../../oci/digest.ts";
import type { BuildOutput, BuildResult } from "../api.ts";
import { familiar } from "../image-names.ts";
import { commitIndex } from "../images/image-index.ts";
import { annotationsFor, indexAnnotations, parseAnnotations } from "./annotations.ts";
import { assembleConfig } from "./assemble-config.ts";
import { buildOrigin } from "./build-origin.ts";
import { exportArchive } from "./export-archive.ts";
import { exportFiles } from "./export-files.ts";
import { namesOf, type BuiltImage, type Exportable, type Exported, type ExportInput, type PlatformResult } from "./exportable.ts";
import { runStepOf } from "./progress-steps.ts";
import { squashChain } from "./squash.ts";

export async function exportResult(input: ExportInput): Promise<BuildResult> {
  const { options } = input;
  const outputs: readonly BuildOutput[] = (options.outputs ?? []).length === 0 ? [{ type: "image", attributes: {} }] : (options.outputs ?? []);
  const images = await Promise.all(input.results.map((result) => imageOf(input, result)));
  const exportable = { ...input, images, annotations: parseAnnotations(options.annotations ?? []) };
  let exported: Exported | undefined;
  for (const output of outputs) exported = (await exportOne(exportable, output)) ?? exported;
  const tags = namesOf(input.tags, outputs);
  return {
    imageId: exported?.id,
    manifest: exported?.manifest,
    tags: tags.map(familiar),
    metadata: metadataOf(exported, input.targets.several, tags),
    warnings: input.warnings,
  };
}

async function imageOf({ store, options, signal, inlineCache }: ExportInput, { platform, lowered, chain: solved, times }: PlatformResult): Promise<BuiltImage> {
  const chain = options.squash === true || options.squash === "own" ? await squashChain(store, solved, lowered.baseChain.length, signal) : solved;
  const config = assembleConfig({
    image: lowered.image,
    chain,
    layerTime: ({ vertex }) => (vertex === undefined ? undefined : times.get(vertex.digest)),
    epoch: lowered.epoch,
    nowMs: Date.now(),
    squashed: chain === solved ? 0 : solved.length - lowered.baseChain.length,
    inlineCache: inlineCache(chain),
  });
  return { platform, config: Buffer.from(config), chain, origin: buildOrigin(options, lowered, chain) };
}

function metadataOf(exported: Exported | undefined, several: boolean, tags: readonly string[]): Readonly<Record<string, unknown>> {
  if (exported === undefined) return {};
  return {
    ...(several ? {} : { "containerimage.config.digest": exported.config ?? exported.id }),
    ...(exported.manifest === undefined ? {} : { "containerimage.descriptor": exported.manifest }),
    "containerimage.digest": exported.manifest?.digest ?? exported.id,
    ...(tags.length === 0 ? {} : { "image.name": tags.join(",") }),
  };
}

async function exportOne(input: Exportable, output: BuildOutput): Promise<Exported | undefined> {
  switch (output.type) {
    case "cacheonly":
      return undefined;
    case "registry":
      return await exportImage(input, output.attributes, true);
    case "image":
      return await exportImage(input, output.attributes, output.attributes["push"] === "true");
    case "docker":
    case "oci":
      return output.type === "docker" && output.dest === undefined ? await exportImage(input, output.attributes) : await exportArchive(input, output);
    case "tar":
    case "local":
      await exportFiles(input, output);
      return undefined;
  }
}

async function exportImage(input: Exportable, attributes: Readonly<Record<string, string>>, push = false): Promise<Exported> {
  const { store, onProgress, tags } = input;
  return await runStepOf(onProgress, "exporting to image", async (step) => {
    const names = namesOf(tags, [{ type: "image", attributes }]);
    step.status("exporting layers", 0, undefined, true);
    const id = store.transaction(() => commitImages(input, names, (image) => step.status(`writing image ${image}`, 0, undefined, true)));
    if (input.targets.several) step.status(`writing image index ${id}`, 0, undefined, true);
    for (const name of names) step.status(`naming to ${name}`, 0, undefined, true);
    if (!push) return { id, manifest: undefined };
    const { pushBuilt } = await import("./push-built.ts");
    return { id, ...(await pushBuilt(input, id, names, attributes, step)) };
  });
}

function commitImages({ store, images, targets, annotations }: Exportable, names: readonly string[], onImage: (id: Digest) => void): Digest {
  const ids = images.map(({ config, chain, origin }) => {
    const id = store.images.commit({ config, chain, member: targets.several }, targets.several ? [] : names);
    store.images.setOrigin(id, origin);
    return id;
  });
  for (const id of ids) onImage(id);
  const [first] = ids;
  if (!targets.several && first !== undefined) return first;
  const parts = images.map(({ platform }, at) => {
    const { manifest, manifestDescriptor } = annotationsFor(annotations, platform);
    return { platform, image: ids[at] as Digest, annotations: manifest, descriptorAnnotations: manifestDescriptor };
  });
  return commitIndex(store, { parts, annotations: indexAnnotations(annotations).index }, names);
}
