/** The library's push, with Docker's lines as events. */
import type { PolicyGate } from "../policy-gate.ts";
import { SlipwayError } from "../../base/errors.ts";
import { shortId, type Digest } from "../../oci/digest.ts";
import { familiarName, familiarRepository, formatReference, parseReference, repositoryName, withDefaultTag, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import { readIndexDocument } from "../attestations/kept-attestations.ts";
import { imageEvent } from "../events/tell.ts";
import type { LayerCompression, PullEvent } from "../registry-api.ts";
import { archivedFrom } from "../archive/save.ts";
import { tellWaits } from "../wait-events.ts";
import { readImageIndex, commitIndex } from "../images/image-index.ts";
import { chooseVariant, imagesOf, standingImages } from "../images/variants.ts";
import { defaultCompression } from "./layer-for-push.ts";
import { pushArchived, type PushedImage, type PushProgress } from "./push-image.ts";

export interface PushImageOptions {
  /** of an index this platform's image alone */
  readonly platform?: string;
  /** every tag of the repository that is here; the reference has none then */
  readonly allTags?: boolean;
  readonly compression?: LayerCompression;
  /** also layers that are not to be distributed; daemon.json names registries that get them always */
  readonly nondistributable?: boolean;
  readonly signal?: AbortSignal;
}

/** `reference` in full; of several tags the repository, and the last one's digest. */
export interface PushOutcome {
  readonly reference: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** the index that the name stands for here, where not all of it could be sent */
  readonly partOf?: Digest;
}

interface OnePush {
  readonly store: Store;
  readonly client: RegistryClient;
  readonly options: PushImageOptions;
  readonly onEvent: (event: PullEvent) => void;
}

/** Fails with INVALID_REFERENCE, TAG_WITH_ALL_TAGS, NO_SUCH_IMAGE, NO_MATCHING_PLATFORM and the registry client's codes. */
export async function pushWithEvents(
  store: Store,
  client: () => Promise<RegistryClient>,
  name: string,
  options: PushImageOptions,
  onEvent: (event: PullEvent) => void,
  gate?: PolicyGate,
): Promise<PushOutcome> {
  const parsed = parseReference(name);
  if (options.allTags === true && (parsed.tag !== undefined || parsed.digest !== undefined))
    throw new SlipwayError("invalid_argument", "TAG_WITH_ALL_TAGS", "tag can't be used with --all-tags/-a", { reference: name, bare: true });
  if (parsed.digest !== undefined)
    throw new SlipwayError("invalid_argument", "INVALID_REFERENCE", "cannot push a digest reference", { reference: name, bare: true });
  onEvent({ status: `The push refers to repository [${repositoryName(parsed)}]` });
  const references = options.allTags === true ? tagsHere(store, parsed) : [withDefaultTag(parsed)];
  const found = references.map((reference) => ({ reference, id: store.images.byName(formatReference(reference)) }));
  if (found.length === 0)
    throw new SlipwayError("not_found", "NO_SUCH_IMAGE", `An image does not exist locally with the tag: ${repositoryName(parsed)}`, {
      reference: name,
      bare: true,
    });
  const registry = await client();
  using _waits = tellWaits(registry, onEvent);
  let last: PushOutcome | undefined;
  for (const { reference, id } of found) {
    if (id === undefined)
      throw new SlipwayError("not_found", "NO_SUCH_IMAGE", `tag does not exist: ${familiarName(reference)}`, { reference: name, bare: true });
    await gate?.pushed([reference], { id }, options.signal);
    last = await pushOne({ store, client: registry, options, onEvent }, reference, id);
    store.events.append([imageEvent(store, "push", { image: id, id: familiarName(reference), name: familiarRepository(reference) })]);
  }
  return { ...(last as PushOutcome), ...(options.allTags === true ? { reference: repositoryName(parsed) } : {}) };
}

function tagsHere(store: Store, repository: Reference): readonly Reference[] {
  const prefix = `${formatReference(repository)}:`;
  return store.images.allNames().flatMap(({ name }) => (name.startsWith(prefix) ? [parseReference(name)] : []));
}

async function pushOne(push: OnePush, reference: Reference, id: Digest): Promise<PushOutcome> {
  const { store, client, options, onEvent } = push;
  const isPart = options.platform !== undefined && options.platform !== "";
  const chosen = isPart ? platformImage(store, id, reference, options.platform ?? "") : id;
  const pushed = await pushArchived(
    {
      store,
      client,
      reference,
      compression: options.compression ?? defaultCompression,
      nondistributable: options.nondistributable === true || client.takesNondistributable(reference),
      mountFrom: mountSources(store, reference),
      onProgress: createPushEvents(onEvent),
      signal: options.signal,
    },
    archivedFrom(store, chosen, [], isPart),
  );
  // one platform of several, or compressed in another way: a copy, and not what the name stands for here
  if (chosen === id && options.compression?.force !== true) rememberPushed(store, id, reference, pushed);
  const { digest, size } = pushed.descriptor;
  onEvent({ status: `${reference.tag ?? "latest"}: digest: ${digest} size: ${size}` });
  const partOf = !isPart && options.compression?.force !== true ? indexOf(store, id) : undefined;
  return { reference: formatReference(reference), digest, sizeBytes: size, ...(partOf === undefined || partOf === digest ? {} : { partOf }) };
}

/** What it came with. One that was built since has another manifest. */
function indexOf(store: Store, id: Digest): Digest | undefined {
  const index = store.indexes.get(id);
  if (index !== undefined) return index.document;
  const record = store.images.get(id);
  const found = readIndexDocument(store, record?.document);
  return found?.index.manifests.some(({ digest }) => digest === record?.manifest) === true ? record?.document : undefined;
}

function platformImage(store: Store, id: Digest, reference: Reference, platform: string): Digest {
  const name = familiarName(reference);
  try {
    return chooseVariant(store, id, name, platform);
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.code !== "NO_MATCHING_PLATFORM") throw error;
    const message = `image with reference ${name} was found but does not provide the specified platform (${platform})`;
    throw new SlipwayError("not_found", "NO_MATCHING_PLATFORM", message, { ...error.details, bare: true }, error);
  }
}

/** The manifest that it was pushed with is the image's own from now on: the next push and `save` give the same digest. */
export function rememberPushed(store: Store, id: Digest, reference: Reference, { descriptor, manifests, index, attestations = [] }: PushedImage): void {
  store.transaction(() => {
    const images = imagesOf(store, id);
    const said = attestations.filter(({ isLoose }) => !isLoose);
    const blobs = said.flatMap((one) => [one.bytes, ...one.blobs.map(({ bytes }) => bytes)]).map((bytes) => store.blobs.put(bytes).digest);
    // a lone image that is pushed with what is said of it stands for the index from now on
    const whole = index === undefined || said.length === 0 || store.indexes.get(id) !== undefined ? undefined : store.blobs.put(index.bytes).digest;
    const beside = whole === undefined ? { blobs } : { document: whole, blobs: [whole, ...blobs] };
    for (const [at, document] of manifests.entries()) {
      const image = images[at];
      if (image === undefined) continue;
      const manifest = store.blobs.put(document.bytes).digest;
      const record = store.images.get(image);
      if (record === undefined) continue;
      store.images.commit({ config: store.blobs.read(image), chain: store.images.chain(image), manifest, member: !record.own, ...beside });
    }
    if (index !== undefined && store.indexes.get(id) !== undefined) commitIndex(store, readImageIndex(store, id), [], store.blobs.put(index.bytes).digest);
    store.images.addRepoDigest(repositoryName(reference), descriptor.digest, id);
  });
}

/** Repositories at the reference's registry that images with the same layer came from or went to. */
export function mountSources(store: Store, { domain, path }: Reference): (diffId: Digest) => readonly string[] {
  let byLayer: Map<Digest, Set<string>> | undefined;
  const find = (): Map<Digest, Set<string>> => {
    const known = new Map<Digest, Set<string>>();
    for (const { id } of standingImages(store)) {
      const repositories = store.images
        .repoDigests(id)
        .map(({ repository }) => parseReference(repository))
        .filter((repository) => repository.domain === domain && repository.path !== path);
      if (repositories.length === 0) continue;
      for (const diffId of imagesOf(store, id).flatMap((image) => store.images.chain(image))) {
        const set = known.get(diffId) ?? new Set<string>();
        for (const repository of repositories) set.add(repository.path);
        known.set(diffId, set);
      }
    }
    return known;
  };
  return (diffId) => [...((byLayer ??= find()).get(diffId) ?? [])];
}

/** A slow reader must not cost memory: a layer's counter is told again after so many bytes. */
const pushStepBytes = 512 * 1024;

/** Docker's words for the phases of a layer. */
export function createPushEvents(onEvent: (event: PullEvent) => void): (progress: PushProgress) => void {
  const told = new Map<string, number>();
  return ({ layer, phase, current, total, outcome }) => {
    const id = shortId(layer);
    if (phase === "waiting") onEvent({ id, status: "Waiting", current: 0, total: 0 });
    else if (phase === "compressing") onEvent({ id, status: "Compressing", current: 0, total: 0 });
    else if (phase === "pushing") {
      if (current - (told.get(id) ?? 0) < pushStepBytes && current < total) return;
      told.set(id, current);
      onEvent({ id, status: "Pushing", current, total });
    } else if (outcome !== undefined) onEvent({ id, status: outcomeWords(outcome) });
  };
}

function outcomeWords(outcome: NonNullable<PushProgress["outcome"]>): string {
  if (outcome.outcome === "exists") return "Layer already exists";
  return outcome.outcome === "mounted" ? `Mounted from ${outcome.from}` : "Pushed";
}
