/** The end of a build: an image in the store, an archive, a tree of files. */
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { SlipwayError } from "../../base/errors.ts";
import type { ProgressSink } from "../../base/progress.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { Lowering } from "../../graph/lowering.ts";
import type { Chain, Store } from "../../store/index.ts";
import type { BuildOptions, BuildOutput, BuildResult, BuildWarning } from "../api.ts";
import type { ArchivedImage } from "../archive/archive-images.ts";
import { familiar } from "../image-names.ts";
import { parseAnnotations } from "./annotations.ts";
import { assembleConfig } from "./assemble-config.ts";
import { tarOfView, writeLocal } from "./export-tree.ts";
import { runStepOf } from "./progress-steps.ts";
import { squashChain } from "./squash.ts";

export interface ExportInput {
  readonly store: Store;
  readonly onProgress: ProgressSink;
  readonly options: BuildOptions;
  readonly lowered: Extract<Lowering, { kind: "done" }>;
  readonly chain: Chain;
  /** creation times of layers by their vertex, milliseconds */
  readonly times: ReadonlyMap<Digest, number>;
  readonly tags: readonly string[];
  readonly warnings: readonly BuildWarning[];
  readonly signal: AbortSignal;
}

export async function exportResult(input: ExportInput): Promise<BuildResult> {
  const outputs = input.options.outputs ?? [];
  const { store, options, lowered, signal } = input;
  const chain = options.squash === true ? await squashChain(store, input.chain, lowered.baseChain.length, signal) : input.chain;
  const config = configOf(input, chain);
  const wanted: readonly BuildOutput[] = outputs.length === 0 ? [{ type: "image", attributes: {} }] : outputs;
  let imageId: Digest | undefined;
  for (const output of wanted) imageId = (await exportOne(input, output, chain, config)) ?? imageId;
  const tags = namesOf(input.tags, wanted);
  return { imageId, manifest: undefined, tags: tags.map(familiar), metadata: metadataOf(imageId, tags), warnings: input.warnings };
}

function configOf({ lowered, times, options }: ExportInput, chain: Chain): string {
  return assembleConfig({
    image: lowered.image,
    chain,
    layerTime: ({ vertex }) => (vertex === undefined ? undefined : times.get(vertex.digest)),
    epoch: lowered.epoch,
    nowMs: Date.now(),
    squashed: options.squash === true,
  });
}

/** `name=` of an output adds to the tags of the command line. */
function namesOf(tags: readonly string[], outputs: readonly BuildOutput[]): readonly string[] {
  const names = outputs.flatMap((output) => ("attributes" in output ? (output.attributes["name"]?.split(",") ?? []) : []));
  return [...new Set([...tags, ...names.filter((name) => name !== "")])];
}

function metadataOf(imageId: Digest | undefined, tags: readonly string[]): Readonly<Record<string, unknown>> {
  if (imageId === undefined) return {};
  return {
    "containerimage.config.digest": imageId,
    "containerimage.digest": imageId,
    ...(tags.length === 0 ? {} : { "image.name": tags.join(",") }),
  };
}

/** Answers the image's id for outputs that keep or write an image. */
async function exportOne(input: ExportInput, output: BuildOutput, chain: Chain, config: string): Promise<Digest | undefined> {
  switch (output.type) {
    case "cacheonly":
      return undefined;
    case "registry":
      throw new SlipwayError("unsupported", "PUSH_UNSUPPORTED", "pushing to a registry is not supported yet", {
        remedy: "build with -o type=oci,dest=FILE and copy the archive with another program",
      });
    case "image":
      if (output.attributes["push"] === "true") return await exportOne(input, { type: "registry", attributes: {} }, chain, config);
      return await exportImage(input, output.attributes, chain, config);
    case "docker":
    case "oci":
      return await exportArchive(input, output, chain, config);
    case "tar":
    case "local":
      await exportFiles(input, output, chain);
      return undefined;
  }
}

async function exportImage(
  { store, onProgress, tags, options }: ExportInput,
  attributes: Readonly<Record<string, string>>,
  chain: Chain,
  config: string,
): Promise<Digest> {
  return await runStepOf(onProgress, "exporting to image", async (step) => {
    const names = namesOf(tags, [{ type: "image", attributes }]);
    step.status("exporting layers", 0, undefined, true);
    parseAnnotations(options.annotations ?? []);
    const id = store.images.commit({ config: Buffer.from(config), chain }, names);
    step.status(`writing image ${id}`, 0, undefined, true);
    for (const name of names) step.status(`naming to ${name}`, 0, undefined, true);
    return id;
  });
}

async function exportArchive(
  { store, onProgress, tags, options, signal }: ExportInput,
  output: Extract<BuildOutput, { type: "docker" | "oci" }>,
  chain: Chain,
  config: string,
): Promise<Digest> {
  const label = output.type === "oci" ? "exporting to oci image format" : "exporting to docker image format";
  return await runStepOf(onProgress, label, async (step) => {
    const image: ArchivedImage = {
      config: Buffer.from(config),
      chain,
      names: namesOf(tags, [output]),
      annotations: parseAnnotations(options.annotations ?? []),
    };
    step.status("exporting layers", 0, undefined, true);
    if (output.type === "docker" && output.dest === undefined) {
      const id = store.images.commit({ config: image.config, chain }, image.names);
      step.status("importing to store", 0, undefined, true);
      return id;
    }
    if (output.attributes["tar"] === "false") {
      if (output.dest === undefined) throw destinationRequired(output.type);
      await (await import("../archive/archive-images.ts")).writeOciLayout(store, [image], output.dest, { signal });
    } else
      await writeStream(
        (await import("../archive/archive-images.ts")).archiveImages(store, [image], { format: output.type, signal }),
        output.dest ?? "-",
        options,
      );
    step.status("sending tarball", 0, undefined, true);
    return digestOf(config);
  });
}

async function exportFiles(
  { store, onProgress, options, signal }: ExportInput,
  output: Extract<BuildOutput, { type: "tar" | "local" }>,
  chain: Chain,
): Promise<void> {
  const label = output.type === "local" ? "exporting to client directory" : "exporting to client tarball";
  await runStepOf(onProgress, label, async (step) => {
    if (output.dest === "") throw destinationRequired(output.type);
    const view = await store.materializer.readableView(chain, signal);
    if (output.type === "local") {
      const bytes = writeLocal(view, output.dest, store.ownership.owners.mode === "keep", signal);
      step.status("copying files", bytes, undefined, true);
      return;
    }
    await writeStream(tarOfView(view), output.dest, options);
    step.status("sending tarball", 0, undefined, true);
  });
}

function destinationRequired(type: string): SlipwayError {
  return new SlipwayError("invalid_argument", "DESTINATION_REQUIRED", `dest is required for ${type} output`, { type });
}

/** To standard output for "-"; a file appears whole or not at all. */
async function writeStream(source: AsyncIterable<Uint8Array>, dest: string, options: BuildOptions): Promise<void> {
  if (dest === "-") {
    if (options.stdout === undefined)
      throw new SlipwayError("invalid_argument", "DESTINATION_REQUIRED", "dest file is required when standard output is not available");
    for await (const chunk of source) await options.stdout(chunk);
    return;
  }
  if (existsSync(dest) && dest.endsWith("/"))
    throw new SlipwayError("invalid_argument", "DESTINATION_REQUIRED", `destination ${dest} is a directory`, { dest });
  mkdirSync(dirname(dest), { recursive: true });
  const partial = `${dest}.partial-${process.pid}`;
  try {
    await pipeline(source, createWriteStream(partial), options.signal === undefined ? {} : { signal: options.signal });
    renameSync(partial, dest);
  } finally {
    rmSync(partial, { force: true });
  }
}
