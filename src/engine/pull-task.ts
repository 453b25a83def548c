/** `pull` with Docker's lines: pulling itself is pull-image.ts. */
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import { shortId } from "../oci/digest.ts";
import { formatPlatform, hostPlatform, normalizePlatform, parsePlatform, type Platform } from "../oci/platform.ts";
import {
  familiarName,
  familiarRepository,
  formatReference,
  parseReference,
  repositoryName,
  withDefaultTag,
  withTag,
  type Reference,
} from "../oci/reference.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import type { Task } from "./api.ts";
import { imageEvent } from "./events/tell.ts";
import type { PullEvent } from "./registry-api.ts";
import { withNearTags } from "./near-tags.ts";
import { pullImage, type Admit, type LayerProgress } from "./pull-image.ts";
import { pullPlatforms } from "./pull-platforms.ts";
import { startTask } from "./task.ts";
import { tellWaits } from "./wait-events.ts";

export interface PullRequest {
  readonly platform?: string;
  /** every tag of the repository; the reference has none then */
  readonly allTags?: boolean;
  /** every image of an index, with its attestations; `platform` says nothing then */
  readonly allPlatforms?: boolean;
  readonly signal?: AbortSignal;
}

/** Of several images (allTags) the last one's; `reference` is then the repository. It is the full name, as Docker prints it. */
export interface PullOutcome {
  readonly reference: string;
  readonly id: Digest;
  readonly digest: Digest;
  readonly status: string;
}

export function pullTask(store: Store, client: () => Promise<RegistryClient>, reference: string, options: PullRequest = {}): Task<PullOutcome, PullEvent> {
  return startTask<PullOutcome, PullEvent>((emit) => pullWithEvents(store, client, reference, options, emit));
}

/** Fails with INVALID_REFERENCE, INVALID_IMAGE_NAME, TAG_WITH_ALL_TAGS, NO_MATCHING_PLATFORM and the registry client's codes. */
export async function pullWithEvents(
  store: Store,
  client: () => Promise<RegistryClient>,
  reference: string,
  options: PullRequest,
  onEvent: (event: PullEvent) => void,
  admit?: Admit,
): Promise<PullOutcome> {
  const parsed = parseReference(reference);
  if (familiarRepository(parsed) === "scratch") throw new SlipwayError("invalid_argument", "INVALID_IMAGE_NAME", "'scratch' is a reserved name", { reference });
  const platform = options.platform === undefined || options.platform === "" ? hostPlatform() : normalizePlatform(parsePlatform(options.platform));
  const registry = await client();
  using _waits = tellWaits(registry, onEvent);
  const pull: OnePull = { store, client: registry, platform, allPlatforms: options.allPlatforms === true, signal: options.signal, onEvent, admit };
  if (options.allTags !== true) return await pullOne(pull, withDefaultTag(parsed));
  if (parsed.tag !== undefined || parsed.digest !== undefined) {
    throw new SlipwayError("invalid_argument", "TAG_WITH_ALL_TAGS", "tag can't be used with --all-tags/-a", { reference, bare: true });
  }
  return { ...(await pullAll(pull, parsed)), reference: repositoryName(parsed) };
}

interface OnePull {
  readonly store: Store;
  readonly client: RegistryClient;
  readonly platform: Platform;
  readonly allPlatforms: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: (event: PullEvent) => void;
  readonly admit: Admit | undefined;
}

/** Of signatures, attestations and lists of referrers, which are no images: Docker fails at them. */
const besideImages = /^sha256-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?$/;

async function pullAll(pull: OnePull, repository: Reference): Promise<PullOutcome> {
  let last: PullOutcome | undefined;
  const tags = (await pull.client.listTags(repository, { signal: pull.signal })).filter((tag) => !besideImages.test(tag));
  for (const tag of tags) last = await pullOne(pull, withTag(repository, tag));
  if (last !== undefined) return last;
  throw new SlipwayError("not_found", "MANIFEST_NOT_FOUND", `no tags found for ${familiarRepository(repository)}`, {
    repository: familiarRepository(repository),
  });
}

async function pullOne(pull: OnePull, reference: Reference): Promise<PullOutcome> {
  const { onEvent, platform, signal } = pull;
  const name = familiarName(reference);
  let known = false;
  let begun = false;
  const layers = createLayerEvents((event) => {
    // What is here unchanged needs no lines about its layers.
    if (!known || event.status !== alreadyExists) onEvent(event);
  });
  try {
    const pulled = await (pull.allPlatforms ? pullPlatforms : pullImage)({
      store: pull.store,
      client: pull.client,
      reference,
      platform,
      tag: true,
      admit: pull.admit,
      ...(signal === undefined ? {} : { signal }),
      onManifest: (source) => {
        known = pull.store.images.get(source.manifest.config.digest) !== undefined;
        if (begun) return;
        begun = true;
        onEvent({
          id: reference.digest === undefined ? (reference.tag ?? name) : `${repositoryName(reference)}@${reference.digest}`,
          status: `Pulling from ${reference.path}`,
        });
      },
      onLayer: layers,
    });
    const status = `${pulled.upToDate ? "Image is up to date" : "Downloaded newer image"} for ${name}`;
    pull.store.events.append([imageEvent(pull.store, "pull", { image: pulled.id, id: name, name: familiarRepository(reference) })]);
    onEvent({ status: `Digest: ${pulled.rootDigest}` });
    onEvent({ status: `Status: ${status}` });
    return { reference: formatReference(reference), id: pulled.id, digest: pulled.rootDigest, status };
  } catch (error) {
    if (isSlipwayError(error, "NO_MATCHING_PLATFORM")) throw noMatchingManifest(platform, error);
    throw isSlipwayError(error, "MANIFEST_NOT_FOUND") ? await withNearTags(pull, reference, error) : error;
  }
}

/** A lone manifest is taken whatever its platform, as Docker does; an index has to have the one that was asked for. */
function noMatchingManifest(platform: Platform, cause: SlipwayError): SlipwayError {
  const message = `no matching manifest for ${formatPlatform(platform)} in the manifest list entries: no match for platform in manifest: not found`;
  const available = cause.details["available"];
  const remedy = Array.isArray(available) && available.length > 0 ? { remedy: `the image has ${available.slice(0, 30).join(", ")}` } : {};
  return new SlipwayError("not_found", "NO_MATCHING_PLATFORM", message, { platform: formatPlatform(platform), ...cause.details, ...remedy }, cause);
}

const alreadyExists = "Already exists";

/** A reader that is slow must not cost memory: a layer's counter is told again after so many bytes. */
const downloadStepBytes = 512 * 1024;

/** Docker's words for the phases of layers; every layer that is fetched begins with "Pulling fs layer". */
export function createLayerEvents(onEvent: (event: PullEvent) => void): (progress: LayerProgress) => void {
  const told = new Map<string, number>();
  return ({ layer, phase, current, total }) => {
    const id = shortId(layer.digest);
    if (phase === "exists") {
      onEvent({ id, status: alreadyExists });
      return;
    }
    if (!told.has(id)) {
      told.set(id, 0);
      onEvent({ id, status: "Pulling fs layer" });
    }
    if (phase === "downloading") {
      if (current - (told.get(id) ?? 0) < downloadStepBytes && current < total) return;
      told.set(id, current);
      onEvent({ id, status: "Downloading", current, total });
    } else if (phase === "verifying") {
      onEvent({ id, status: "Verifying Checksum" });
      onEvent({ id, status: "Download complete" });
    } else if (phase === "done") onEvent({ id, status: "Pull complete" });
  };
}
