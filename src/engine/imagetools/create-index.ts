/** `imagetools create`: one document of several images that registries have: entries taken over, indexes opened, digests unchanged. */
import { SlipwayError } from "../../base/errors.ts";
import { digestOf, isDigest, type Digest } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor, type Index } from "../../oci/manifest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import { isIndexMediaType, parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { normalizePlatform, parsePlatform, platformDistance, type Platform } from "../../oci/platform.ts";
import { parseReference, withDefaultTag, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Document } from "../transports/image-source.ts";

export interface CreateRequest {
  readonly client: RegistryClient;
  readonly sources: readonly string[];
  /** where digests alone are looked for */
  readonly repository: Reference | undefined;
  readonly preferIndex: boolean;
  readonly platforms: readonly string[];
  /** "index:key=value" or "manifest-descriptor[platform]:key=value" */
  readonly annotations: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface CreatedEntry {
  readonly descriptor: Descriptor;
  /** the repository that has it */
  readonly from: Reference;
}

export interface CreatedIndex {
  readonly document: Document;
  readonly entries: readonly CreatedEntry[];
  /** of a document that is taken over as it is: the repository that has it, with all that it names */
  readonly from?: Reference;
}

interface FetchedSource extends Document {
  readonly reference: Reference;
}

function call(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function fetchSource({ client, repository, signal }: CreateRequest, source: string): Promise<FetchedSource> {
  const digest = source.replace(/^@/, "");
  if (isDigest(digest)) {
    if (repository === undefined) throw usage(`${source}: a digest alone needs a --tag that says the repository`);
    const reference = { domain: repository.domain, path: repository.path, digest };
    return { ...(await client.resolve(reference, call(signal))), reference };
  }
  const reference = withDefaultTag(parseReference(source));
  return { ...(await client.resolve(reference, call(signal))), reference };
}

function usage(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "IMAGETOOLS_USAGE", message, { bare: true });
}

/** A lone source that is what is wanted already goes over as it is. Fails with IMAGETOOLS_USAGE, NO_MATCHING_PLATFORM and the client's codes. */
export async function createIndex(request: CreateRequest): Promise<CreatedIndex> {
  const { sources, preferIndex, platforms, annotations } = request;
  const fetched: FetchedSource[] = [];
  for (const source of sources) fetched.push(await fetchSource(request, source));
  const [only, ...others] = fetched;
  if (only === undefined) throw usage("no sources specified");
  const plain = others.length === 0 && annotations.length === 0 && platforms.length === 0;
  if (plain && (!preferIndex || isIndexMediaType(only.descriptor.mediaType))) return carbonCopy(only);
  const { entries, annotations: kept } = await gather(request, fetched);
  const chosen = platforms.length === 0 ? entries : filtered(entries, platforms);
  return { entries: chosen, document: indexDocument(chosen, kept, annotations, fetched) };
}

function carbonCopy(only: FetchedSource): CreatedIndex {
  const parsed = parseManifestOrIndex(only.bytes, only.descriptor.mediaType);
  const children = parsed.kind === "index" ? parsed.index.manifests : [];
  return { document: only, from: only.reference, entries: children.map((descriptor) => ({ descriptor, from: only.reference })) };
}

async function gather(
  request: CreateRequest,
  fetched: readonly FetchedSource[],
): Promise<{ entries: readonly CreatedEntry[]; annotations: Readonly<Record<string, string>> }> {
  const entries = new Map<Digest, CreatedEntry>();
  const annotations: Record<string, string> = {};
  for (const source of fetched) {
    const parsed = parseManifestOrIndex(source.bytes, source.descriptor.mediaType);
    if (parsed.kind === "manifest") {
      const { mediaType, digest, size } = source.descriptor;
      const platform = await platformOf(request, source.reference, parsed.manifest.config);
      const descriptor = { mediaType, digest, size, ...(platform === undefined ? {} : { platform }) };
      entries.set(digest, { descriptor, from: source.reference });
      continue;
    }
    Object.assign(annotations, parsed.index.annotations);
    for (const descriptor of parsed.index.manifests) entries.set(descriptor.digest, { descriptor, from: source.reference });
  }
  return { entries: [...entries.values()], annotations };
}

async function platformOf({ client, signal }: CreateRequest, reference: Reference, config: Descriptor): Promise<Platform | undefined> {
  // artifacts have other configs, or none
  if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.openBlob(reference, config, call(signal))) chunks.push(chunk);
  const { os, architecture, variant } = parseImageConfig(Buffer.concat(chunks));
  if (os === "" || architecture === "") return undefined;
  return normalizePlatform({ architecture, os, ...(variant === undefined ? {} : { variant }) });
}

/** Attestations stay with the images that they are about. */
function filtered(entries: readonly CreatedEntry[], platforms: readonly string[]): readonly CreatedEntry[] {
  const wanted = platforms.flatMap((text) => text.split(",")).map((text) => normalizePlatform(parsePlatform(text)));
  const isWanted = ({ descriptor }: CreatedEntry): boolean =>
    descriptor.platform !== undefined && wanted.some((want) => platformDistance(want, descriptor.platform as Platform) === 0);
  const images = new Set<string>(entries.filter(isWanted).map(({ descriptor }) => descriptor.digest));
  const found = entries.filter(({ descriptor }) => images.has(descriptor.digest) || images.has(descriptor.annotations?.["vnd.docker.reference.digest"] ?? ""));
  if (found.length === 0)
    throw new SlipwayError("not_found", "NO_MATCHING_PLATFORM", `no source has an image for ${platforms.join(", ")}`, { platforms, bare: true });
  return found;
}

/** Docker's list only if all sources are Docker's. The text is buildx's, byte for byte. */
function indexDocument(
  entries: readonly CreatedEntry[],
  kept: Readonly<Record<string, string>>,
  added: readonly string[],
  sources: readonly Document[],
): Document {
  const isDocker = sources.every(({ descriptor: { mediaType } }) => mediaType === mediaTypes.dockerManifest || mediaType === mediaTypes.dockerIndex);
  const own = parseAnnotations(added);
  const annotations = { ...kept, ...own.index };
  const mediaType = isDocker && own.count === 0 ? mediaTypes.dockerIndex : mediaTypes.ociIndex;
  const manifests = entries.map(({ descriptor }) => shaped({ ...descriptor, ...mergedAnnotations(descriptor, own.descriptors) }));
  const index: Index = { schemaVersion: 2, mediaType, manifests, ...(Object.keys(annotations).length === 0 ? {} : { annotations: sorted(annotations) }) };
  const bytes = Buffer.from(JSON.stringify(index, null, 2));
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

function shaped({ mediaType, digest, size, urls, annotations, data, platform, artifactType }: Descriptor): Descriptor {
  const words = { mediaType, digest, size, urls, annotations, data, platform: platform && platformShape(platform), artifactType };
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined)) as unknown as Descriptor;
}

function platformShape(platform: Platform): object {
  const { architecture, os, variant } = platform;
  const words = { architecture, os, "os.version": platform["os.version"], "os.features": platform["os.features"], variant };
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined));
}

interface OwnAnnotations {
  readonly count: number;
  readonly index: Readonly<Record<string, string>>;
  readonly descriptors: readonly { readonly platform: Platform | undefined; readonly key: string; readonly value: string }[];
}

/** Fails with IMAGETOOLS_USAGE. */
function parseAnnotations(texts: readonly string[]): OwnAnnotations {
  const index: Record<string, string> = {};
  const descriptors: { readonly platform: Platform | undefined; readonly key: string; readonly value: string }[] = [];
  for (const text of texts) {
    const [, kind = "index", platform, key, value] =
      /^(?:(index|manifest-descriptor|manifest|index-descriptor)(?:\[([^\]]*)\])?:)?([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined || value === undefined) throw usage(`invalid annotation ${JSON.stringify(text)}, expected key=value`);
    if (kind === "index") index[key] = value;
    else if (kind === "manifest-descriptor") descriptors.push({ platform: platform === undefined ? undefined : parsePlatform(platform), key, value });
    else throw usage(`${JSON.stringify(kind)} annotations are not supported here: they would change the images' digests`);
  }
  return { count: texts.length, index, descriptors };
}

function mergedAnnotations(descriptor: Descriptor, added: OwnAnnotations["descriptors"]): { readonly annotations?: Readonly<Record<string, string>> } {
  const fits = ({ platform }: OwnAnnotations["descriptors"][number]): boolean =>
    platform === undefined || (descriptor.platform !== undefined && platformDistance(platform, descriptor.platform) === 0);
  const own = Object.fromEntries(added.filter(fits).map(({ key, value }) => [key, value]));
  const all = { ...descriptor.annotations, ...own };
  return Object.keys(all).length === 0 ? {} : { annotations: sorted(all) };
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
