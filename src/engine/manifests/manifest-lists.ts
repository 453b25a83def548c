/** `docker manifest`: a list made of images that registries have, here until it is pushed. */
import { SlipwayError, isSlipwayError } from "../../base/errors.ts";
import { mediaTypes, type Descriptor, type Manifest } from "../../oci/manifest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { PolicyGate } from "../policy-gate.ts";
import type { Platform } from "../../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag, type Reference } from "../../oci/reference.ts";
import type { FetchedManifest, RegistryClient } from "../../registry/index.ts";
import type { ManifestAnnotations, ManifestInspection } from "../transfer-api.ts";
import type { ListedManifest, LocalList, LocalLists } from "./local-lists.ts";
import { listShape, manifestShape, verboseShape } from "./manifest-shapes.ts";
import { checkListPlatform } from "./platforms.ts";

export interface ListSurroundings {
  readonly lists: LocalLists;
  readonly client: RegistryClient;
  /** asked before a list is pushed */
  readonly gate?: PolicyGate | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Fails with INVALID_REFERENCE (invalid_argument), in Docker's words. */
export function parseListName(text: string): Reference {
  try {
    return withDefaultTag(parseReference(text));
  } catch (error) {
    if (!isSlipwayError(error, "INVALID_REFERENCE")) throw error;
    throw new SlipwayError(error.kind, error.code, `error parsing name for manifest list ${text}: ${error.message}`, error.details, error);
  }
}

function noSuchList(name: string, said = "No"): SlipwayError {
  return new SlipwayError("not_found", "NO_SUCH_MANIFEST", `${said} such manifest: ${name}`, { name, bare: true });
}

function call(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function fetchNamed({ client, signal }: ListSurroundings, reference: Reference): Promise<FetchedManifest> {
  try {
    return await client.resolve(reference, call(signal));
  } catch (error) {
    if (!isSlipwayError(error, "MANIFEST_NOT_FOUND")) throw error;
    throw noSuchList(formatReference(reference), "no");
  }
}

async function platformOf({ client, signal }: ListSurroundings, reference: Reference, { config }: Manifest): Promise<Platform | undefined> {
  // artifacts have other configs, or none
  if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.openBlob(reference, config, call(signal))) chunks.push(chunk);
  const { os, architecture, variant } = parseImageConfig(Buffer.concat(chunks));
  if (os === "" && architecture === "") return undefined;
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

/** With the platform that its config says. Fails with IS_A_MANIFEST_LIST (invalid_argument). */
async function fetchListed(surroundings: ListSurroundings, reference: Reference): Promise<ListedManifest> {
  const fetched = await fetchNamed(surroundings, reference);
  return await listed(surroundings, reference, fetched);
}

async function listed(surroundings: ListSurroundings, reference: Reference, { bytes, descriptor }: FetchedManifest): Promise<ListedManifest> {
  const ref = formatReference(reference);
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  if (parsed.kind === "index") throw new SlipwayError("invalid_argument", "IS_A_MANIFEST_LIST", `${ref} is a manifest list`, { ref, bare: true });
  const { mediaType, digest, size } = descriptor;
  const platform = await platformOf(surroundings, reference, parsed.manifest);
  return { ref, descriptor: { mediaType, digest, size, ...(platform === undefined ? {} : { platform }) }, raw: Buffer.from(bytes).toString("base64") };
}

/** Answers the list's full name. Fails with LIST_EXISTS (already_exists) unless `amend`. An image that the list has already is asked for anew. */
export async function createList(surroundings: ListSurroundings, list: string, images: readonly string[], amend: boolean): Promise<string> {
  const name = formatReference(parseListName(list));
  const existing = surroundings.lists.get(name);
  if (existing !== undefined && !amend) {
    throw new SlipwayError("already_exists", "LIST_EXISTS", "refusing to amend an existing manifest list with no --amend flag", { name, bare: true });
  }
  const manifests = new Map((existing?.manifests ?? []).map((manifest) => [manifest.ref, manifest]));
  for (const image of images) {
    const manifest = await fetchListed(surroundings, withDefaultTag(parseReference(image)));
    manifests.set(manifest.ref, manifest);
  }
  surroundings.lists.put({ name, manifests: [...manifests.values()] });
  return name;
}

/** Fails with NO_SUCH_MANIFEST (not_found), MANIFEST_PLATFORM (invalid_argument); then nothing was changed. */
export function annotateList(lists: LocalLists, list: string, image: string, annotations: ManifestAnnotations): void {
  const name = formatReference(parseListName(list));
  const ref = formatReference(withDefaultTag(parseReference(image)));
  const existing = lists.get(name);
  const found = existing?.manifests.find((manifest) => manifest.ref === ref);
  if (existing === undefined || found === undefined) {
    throw new SlipwayError("not_found", "NO_SUCH_MANIFEST", `manifest for image ${ref} does not exist in ${name}`, { name, ref, bare: true });
  }
  const platform = annotated(found.descriptor.platform ?? { os: "", architecture: "" }, annotations);
  checkListPlatform(platform.os, platform.architecture);
  const changed = { ...found, descriptor: { ...found.descriptor, platform } };
  lists.put({ name, manifests: existing.manifests.map((manifest) => (manifest === found ? changed : manifest)) });
}

/** Features are added to those that are there, as with Docker; the other words replace. */
function annotated(platform: Platform, { os = "", architecture = "", variant = "", osVersion = "", osFeatures = [] }: ManifestAnnotations): Platform {
  const features = [...new Set([...(platform["os.features"] ?? []), ...osFeatures])];
  return {
    ...platform,
    ...(os === "" ? {} : { os }),
    ...(architecture === "" ? {} : { architecture }),
    ...(variant === "" ? {} : { variant }),
    ...(osVersion === "" ? {} : { "os.version": osVersion }),
    ...(features.length === 0 ? {} : { "os.features": features }),
  };
}

export function removeList(lists: LocalLists, list: string): void {
  const name = formatReference(parseListName(list));
  if (!lists.remove(name)) throw noSuchList(name);
}

/** Fails with NO_SUCH_MANIFEST (not_found). */
export function requireList(lists: LocalLists, list: string): LocalList {
  const name = formatReference(parseListName(list));
  const found = lists.get(name);
  if (found === undefined) throw noSuchList(name);
  return found;
}

/** The list that is here; else what the registry has. `inList`: only that list's entry, else the registry's image. */
export async function inspectManifest(
  surroundings: ListSurroundings,
  image: string,
  inList: string | undefined,
  verbose: boolean,
): Promise<ManifestInspection> {
  const reference = inList === undefined ? parseListName(image) : withDefaultTag(parseReference(image));
  const here = surroundings.lists.get(formatReference(inList === undefined ? reference : parseListName(inList)));
  if (inList !== undefined) {
    const entry = here?.manifests.find(({ ref }) => ref === formatReference(reference));
    return single(entry ?? (await fetchListed(surroundings, reference)), verbose);
  }
  if (here !== undefined) return several(here.manifests, verbose);
  const fetched = await fetchNamed(surroundings, reference);
  const parsed = parseManifestOrIndex(fetched.bytes, fetched.descriptor.mediaType);
  if (parsed.kind === "manifest") return single(await listed(surroundings, reference, fetched), verbose);
  if (!verbose) return { list: true, value: listShape(parsed.index.manifests, parsed.mediaType) };
  const entries: ListedManifest[] = [];
  for (const entry of parsed.index.manifests) entries.push(await fetchMember(surroundings, reference, entry));
  return several(entries, verbose);
}

async function fetchMember({ client, signal }: ListSurroundings, reference: Reference, descriptor: Descriptor): Promise<ListedManifest> {
  const { bytes } = await client.fetchManifest(reference, descriptor.digest, call(signal));
  return { ref: formatReference({ ...reference, digest: descriptor.digest }), descriptor, raw: Buffer.from(bytes).toString("base64") };
}

function single(manifest: ListedManifest, verbose: boolean): ManifestInspection {
  if (verbose) return { list: false, value: verboseShape(manifest) };
  const parsed = parseManifestOrIndex(Buffer.from(manifest.raw, "base64"), manifest.descriptor.mediaType);
  return { list: false, value: parsed.kind === "manifest" ? manifestShape(parsed.manifest) : listShape(parsed.index.manifests) };
}

function several(manifests: readonly ListedManifest[], verbose: boolean): ManifestInspection {
  if (!verbose) return { list: true, value: listShape(manifests.map(({ descriptor }) => descriptor)) };
  return { list: false, value: manifests.map(verboseShape) };
}
