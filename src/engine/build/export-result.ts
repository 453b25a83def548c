/** The end of a build: an image in the store, an archive, a tree of files; for several platforms an index, or a directory for each. */
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { BuildOutput, BuildResult } from "../api.ts";
import { imageEvent } from "../events/tell.ts";
import { familiar } from "../image-names.ts";
import { commitIndex } from "../images/image-index.ts";
import { configWithDiffIds } from "../push/prepared-layer.ts";
import { SlipwayError } from "../../base/errors.ts";
import { annotationsFor, indexAnnotations, parseAnnotations, wantsIndex } from "./annotations.ts";
import { assembleConfig } from "./assemble-config.ts";
import { buildOrigin } from "./build-origin.ts";
import { exportArchive, standsAsIndex, tellingAttestations } from "./export-archive.ts";
import { exportFiles } from "./export-files.ts";
import { namesOf, type BuiltImage, type Exportable, type Exported, type ExportInput, type PlatformResult } from "./exportable.ts";
import { parseImageOutput, type ImageOutput } from "./image-output.ts";
import { runStepOf, type Step } from "./progress-steps.ts";
import { squashChain } from "./squash.ts";

export async function exportResult(input: ExportInput): Promise<BuildResult> {
  const { options } = input;
  const outputs: readonly BuildOutput[] = (options.outputs ?? []).length === 0 ? [{ type: "image", attributes: {} }] : (options.outputs ?? []);
  const images = await Promise.all(input.results.map((result) => imageOf(input, result)));
  const annotations = parseAnnotations(options.annotations ?? []);
  const exportable = { ...input, images, annotations, asIndex: input.targets.several || wantsIndex(annotations) };
  let exported: Exported | undefined;
  for (const output of outputs) exported = (await exportOne(exportable, output)) ?? exported;
  const tags = namesOf(input.tags, outputs);
  return {
    imageId: exported?.id,
    manifest: exported?.manifest,
    attested: exported?.attested ?? [],
    tags: tags.map(familiar),
    metadata: {
      ...(options.metadataProvenance === undefined ? {} : await (await import("../provenance/metadata-provenance.ts")).metadataProvenance(input)),
      ...metadataOf(exported, tags),
    },
    warnings: input.warnings,
  };
}

async function imageOf({ store, options, signal, inlineCache }: ExportInput, result: PlatformResult): Promise<BuiltImage> {
  const { platform, lowered, chain: solved, times, clockSeconds } = result;
  const chain = options.squash === true || options.squash === "own" ? await squashChain(store, solved, lowered.baseChain.length, signal) : solved;
  const config = assembleConfig({
    image: lowered.image,
    chain,
    layerTime: ({ vertex }) => (vertex === undefined ? undefined : clockSeconds === undefined ? times.get(vertex.digest) : clockSeconds * 1000),
    epoch: lowered.epoch ?? clockSeconds,
    nowMs: Date.now(),
    squashed: chain === solved ? 0 : solved.length - lowered.baseChain.length,
    inlineCache: inlineCache(chain),
  });
  const baseLayers = lowered.baseChain.length;
  return { platform, config: Buffer.from(config), chain, baseLayers, origin: buildOrigin(options, result, chain) };
}

function metadataOf(exported: Exported | undefined, tags: readonly string[]): Readonly<Record<string, unknown>> {
  if (exported === undefined) return {};
  return {
    ...(exported.config === undefined ? {} : { "containerimage.config.digest": exported.config }),
    ...(exported.manifest === undefined ? {} : { "containerimage.descriptor": exported.manifest }),
    "containerimage.digest": exported.manifest?.digest ?? exported.id,
    ...(tags.length === 0 ? {} : { "image.name": tags.join(",") }),
  };
}

async function exportOne(input: Exportable, output: BuildOutput): Promise<Exported | undefined> {
  switch (output.type) {
    case "cacheonly":
      return undefined;
    case "tar":
    case "local":
      await exportFiles(await withAttestations(input, output.type, [], { artifacts: false, ociTypes: undefined }), output);
      return undefined;
    default:
      return await exportAsked(input, output, parseImageOutput(output.attributes));
  }
}

/** What the output says of annotations and times holds for it alone. */
async function exportAsked(input: Exportable, output: Extract<BuildOutput, { attributes: object }>, asked: ImageOutput): Promise<Exported> {
  const annotations = [...input.annotations, ...asked.annotations];
  const images = asked.rewriteTimestamp ? await Promise.all(input.images.map((image, at) => withRewrittenTimes(input, image, at))) : input.images;
  const changed = { ...input, images, annotations, asIndex: input.asIndex || wantsIndex(annotations) };
  const isArchive = output.type === "oci" || (output.type === "docker" && output.dest !== undefined);
  const push = !isArchive && (asked.push || output.type === "registry");
  const kind = isArchive ? output.type : push ? "registry" : "image";
  const attested = await withAttestations(changed, kind, namesOf(input.tags, [output]), asked);
  return isArchive ? await exportArchive(attested, output, asked) : await exportImage(attested, output.attributes, { ...asked, push });
}

/** What nobody asked for is attested of what is pushed alone, and not where Docker's media types were asked for: they have none for it. */
async function withAttestations(
  input: Exportable,
  kind: BuildOutput["type"],
  names: readonly string[],
  { artifacts: asArtifact, ociTypes }: Pick<ImageOutput, "artifacts" | "ociTypes">,
): Promise<Exportable> {
  const hasDockerTypes = ociTypes === false;
  const { provenance, sbom } = input.attestations;
  const isUnwanted = provenance?.byDefault === true && (kind !== "registry" || hasDockerTypes);
  const requests = { provenance: isUnwanted ? undefined : provenance, sbom };
  if (requests.provenance === undefined && requests.sbom === undefined) return input;
  if ((kind === "oci" || kind === "image") && [requests.provenance, requests.sbom].some((one) => one?.asReferrer === true)) {
    throw new SlipwayError("invalid_argument", "INVALID_ATTESTATION", "as=referrer is for images that are pushed: add --push", { output: kind });
  }
  if (kind === "docker") {
    const message = "docker exporter does not support exporting manifest lists, use the oci exporter instead";
    throw new SlipwayError("unsupported", "DOCKER_ARCHIVE_ATTESTED", message, { output: kind });
  }
  const { attestBuild } = await import("../provenance/attest-build.ts");
  return { ...input, requests, attest: attestBuild(input, { requests, names, asArtifact }) };
}

async function withRewrittenTimes({ store, results, signal }: Exportable, image: BuiltImage, at: number): Promise<BuiltImage> {
  const epoch = results[at]?.lowered.epoch;
  if (epoch === undefined) return image;
  const { rewriteTimes } = await import("./rewrite-times.ts");
  const chain = await rewriteTimes(store, image.chain, image.baseLayers, epoch, signal);
  return { ...image, chain, config: Buffer.from(configWithDiffIds(image.config, chain)) };
}

async function exportImage(exportable: Exportable, attributes: Readonly<Record<string, string>>, asked: ImageOutput): Promise<Exported> {
  const { store, onProgress, tags, images, asIndex, signal } = exportable;
  return await runStepOf(onProgress, "exporting to image", async (step) => {
    const input = tellingAttestations(exportable, step);
    const names = namesOf(tags, [{ type: "image", attributes }]);
    step.status("exporting layers", 0, undefined, true);
    const config = asIndex ? undefined : digestOf((images[0] as BuiltImage).config);
    const isKept = asked.store || !asked.push;
    const id = isKept ? await keepImages(input, names, asked, step) : config;
    if (asked.unpack) for (const { chain } of images) await store.materializer.directories(chain, signal);
    if (!asked.push) return { id: id as Digest, config, manifest: undefined };
    const { pushBuilt } = await import("./push-built.ts");
    const { manifest, attested, config: pushed } = await pushBuilt(input, isKept ? id : undefined, names, asked, step);
    return { id: id ?? manifest.digest, manifest, attested, config: standsAsIndex(input) ? undefined : (pushed ?? config) };
  });
}

async function keepImages(input: Exportable, names: readonly string[], asked: ImageOutput, step: Step): Promise<Digest> {
  const isAttested = input.requests?.provenance?.byDefault === false || input.requests?.sbom !== undefined;
  const keep = isAttested ? await (await import("./keep-attested.ts")).keepAttested(input, asked) : undefined;
  const id = input.store.transaction(() => {
    const made = commitImages(input, names, (image) => step.status(`writing image ${image}`, 0, undefined, true));
    keep?.(made);
    return made;
  });
  input.store.events.append([
    imageEvent(input.store, "create", { image: id }),
    ...names.map((name) => imageEvent(input.store, "tag", { image: id, name: familiar(name) })),
  ]);
  if (input.asIndex) step.status(`writing image index ${id}`, 0, undefined, true);
  for (const name of names) step.status(`naming to ${name}`, 0, undefined, true);
  return id;
}

function commitImages({ store, images, asIndex, annotations }: Exportable, names: readonly string[], onImage: (id: Digest) => void): Digest {
  const said = images.map(({ platform }) => annotationsFor(annotations, platform));
  const ids = images.map(({ config, chain, origin }, at) => {
    const id = store.images.commit({ config, chain, member: asIndex, annotations: said[at]?.manifest ?? {} }, asIndex ? [] : names);
    store.images.setOrigin(id, origin);
    return id;
  });
  for (const id of ids) onImage(id);
  const [first] = ids;
  if (!asIndex && first !== undefined) return first;
  const parts = images.map(({ platform }, at) => {
    const { manifest = {}, manifestDescriptor = {} } = said[at] ?? {};
    return { platform, image: ids[at] as Digest, annotations: manifest, descriptorAnnotations: manifestDescriptor };
  });
  return commitIndex(store, { parts, annotations: indexAnnotations(annotations).index }, names);
}
