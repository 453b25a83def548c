/** Base images for FROM and COPY --from: from the store where they are, from their registry otherwise. */
import { SlipwayError, asSlipwayError, isSlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform, hostPlatform, type Platform } from "../../oci/platform.ts";
import { formatReference, parseReference, withDigest } from "../../oci/reference.ts";
import type { ProgressSink } from "../../base/progress.ts";
import type { ImageNeed, ResolvedImage } from "../../graph/lowering.ts";
import type { PolicyGate } from "../policy-gate.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import { findSuggestion, withSuggestion } from "../../dockerfile/suggest.ts";
import { findImage } from "../image-names.ts";
import { ownVariant, variantFor, variantsOf } from "../images/variants.ts";
import { withNearTags } from "../near-tags.ts";
import { tellWaits } from "../wait-events.ts";
import { runStepOf, type Step } from "./progress-steps.ts";

/** What is loaded in the place of the name; its failures are told as they are. */
export type PinImage = (need: ImageNeed) => Promise<string>;

export interface BaseResolver {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
  readonly onProgress: ProgressSink;
  readonly signal: AbortSignal;
  /** ask the registry even when an image of the name is here */
  readonly pull: boolean;
  /** nothing is to run on the image: its config will do */
  readonly configOnly?: boolean;
  /** which image a name has to mean: a reference with a digest */
  readonly pin?: PinImage | undefined;
  readonly gate?: PolicyGate | undefined;
  /** the step's name says which platform's metadata it loads */
  readonly showPlatform: boolean;
}

/** What else may have been meant by a name that nobody knows. */
const wellKnownImages = ["alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora"].flatMap((name) => [
  name,
  `docker.io/library/${name}`,
  `${name}:latest`,
  `docker.io/library/${name}:latest`,
]);

/** Fails in BuildKit's words: "nope:1: failed to resolve source metadata for docker.io/library/nope:1: …: not found". */
export async function resolveBase(resolver: BaseResolver, need: ImageNeed): Promise<ResolvedImage> {
  const pinned = resolver.pin === undefined ? need : { ...need, reference: await resolver.pin(need) };
  try {
    const internal = resolver.showPlatform ? `[${formatPlatform(need.platform)} internal]` : "[internal]";
    return await runStepOf(resolver.onProgress, `${internal} load metadata for ${need.reference}`, (step) => loadBase(resolver, pinned, step));
  } catch (error) {
    resolver.signal.throwIfAborted();
    const failure = asSlipwayError(error);
    throw new SlipwayError(
      failure.kind,
      failure.code,
      withSuggestion(
        `${need.written === undefined ? "" : `${need.written}: `}failed to resolve source metadata for ${need.reference}: ${failure.message}`,
        need.written === undefined ? undefined : findSuggestion(need.written.toLowerCase(), [...need.stages, ...wellKnownImages]),
      ),
      { ...failure.details, lines: need.lines, metadataOf: need.reference },
      failure,
    );
  }
}

async function loadBase(resolver: BaseResolver, need: ImageNeed, step: Step): Promise<ResolvedImage> {
  const { store } = resolver;
  const found = findImage(store, need.reference);
  const local = found === undefined ? undefined : localImage(resolver, found.id, need);
  const admitted = async (image: ResolvedImage): Promise<ResolvedImage> => {
    if (found !== undefined && resolver.configOnly !== true)
      await resolver.gate?.here("build", need.reference, { id: found.id, used: image.id ?? found.id }, resolver.signal);
    return image;
  };
  if (local !== undefined && !resolver.pull) return await admitted(local);
  // An index that was built here is known whole: no registry can add to it.
  if (found !== undefined && local === undefined && isBuiltIndex(store, found.id)) throw lacksPlatform(store, found.id, need.platform);
  try {
    return resolver.configOnly === true ? await fetchConfig(resolver, need) : await fetchImage(resolver, need, step);
  } catch (error) {
    resolver.signal.throwIfAborted();
    const failure = isSlipwayError(error, "MANIFEST_NOT_FOUND")
      ? await withNearTags({ client: await resolver.client(), signal: resolver.signal }, parseReference(need.reference), error)
      : asSlipwayError(error);
    // Asked to look for a newer base while no registry answers: what is here serves.
    if (local !== undefined && failure.kind === "unavailable") return await admitted(local);
    if (failure.code === "NO_MATCHING_PLATFORM") throw withPlatforms(failure);
    if (found !== undefined && local === undefined) throw lacksPlatform(store, found.id, need.platform, failure);
    const told = failure.details["resolveMessage"];
    throw typeof told === "string" ? new SlipwayError(failure.kind, failure.code, told, failure.details, failure) : failure;
  }
}

function isBuiltIndex(store: Store, id: Digest): boolean {
  const index = store.indexes.get(id);
  return index !== undefined && index.document === undefined;
}

const noMatch = "no match for platform in manifest: not found";

/** BuildKit's words; what there is instead goes with them. */
function withPlatforms({ kind, code, details }: SlipwayError): SlipwayError {
  const available = Array.isArray(details["available"]) ? details["available"].slice(0, 30).join(", ") : "";
  return new SlipwayError(kind, code, noMatch, { ...details, remedy: `the image has ${available === "" ? "no platform" : available}` });
}

/** A registry that does not answer may still have it: then that is the failure. */
function lacksPlatform(store: Store, id: Digest, want: Platform, cause?: SlipwayError): SlipwayError {
  const available = variantsOf(store, id).map((variant) => formatPlatform(variant.platform));
  const details = { ...cause?.details, platform: formatPlatform(want), available, remedy: `the image that is here has ${available.join(", ")}` };
  if (cause?.kind === "unavailable") return new SlipwayError(cause.kind, cause.code, cause.message, details, cause);
  return new SlipwayError("not_found", "NO_MATCHING_PLATFORM", noMatch, details, cause);
}

/**
 * Of an index the image for the platform. A lone image serves the machine's own platform whatever it says, as Docker has it; for
 * another it has to be right.
 */
function localImage({ store, configOnly }: BaseResolver, id: Digest, need: ImageNeed): ResolvedImage | undefined {
  const lone = store.indexes.get(id) === undefined;
  const anyway = lone && formatPlatform(need.platform) === formatPlatform(hostPlatform());
  const variant = variantFor(store, id, need.platform) ?? (anyway ? ownVariant(store, id) : undefined);
  if (variant === undefined) return undefined;
  const chain = store.images.chain(variant.image);
  if (configOnly !== true && !store.layers.hasAll(chain)) return undefined;
  const reference = displayName(store, need.reference, id);
  return { reference, id: variant.image, config: store.images.config(variant.image), chain, platform: variant.platform };
}

/** The name with the digest it was pulled at, as BuildKit shows it behind FROM. */
function displayName(store: Store, reference: string, id: Digest): string {
  const parsed = parseReference(reference);
  if (parsed.digest !== undefined) return reference;
  const repository = `${parsed.domain}/${parsed.path}`;
  const known = store.images.repoDigests(id).find((candidate) => candidate.repository === repository);
  return known === undefined ? reference : formatReference(withDigest(parsed, known.digest));
}

async function fetchConfig({ client, signal }: BaseResolver, need: ImageNeed): Promise<ResolvedImage> {
  const { resolveImage } = await import("../../registry/index.ts");
  const { config } = await resolveImage(await client(), parseReference(need.reference), need.platform, { signal });
  return { reference: need.reference, config, chain: config.rootfs.diff_ids ?? [], platform: need.platform };
}

async function fetchImage(resolver: BaseResolver, need: ImageNeed, step: Step): Promise<ResolvedImage> {
  const { store, signal } = resolver;
  const reference = parseReference(need.reference);
  const client = await resolver.client();
  using _waits = tellWaits(client, ({ status }) => step.log(`${status}\n`));
  const { pullImage } = await import("../pull-image.ts");
  const pulled = await pullImage({
    store,
    client,
    reference,
    platform: need.platform,
    signal,
    tag: true,
    admit: (name, call) => (resolver.gate === undefined ? Promise.resolve(undefined) : resolver.gate.pulled("build", name, call)),
    onLayer: ({ layer, phase, current, total }) => {
      if (phase === "downloading" || phase === "done") step.status(layer.digest, current, total, phase === "done");
    },
  });
  const config = store.images.config(pulled.id);
  const display = reference.digest === undefined ? formatReference(withDigest(reference, pulled.rootDigest)) : need.reference;
  return { reference: display, config, chain: store.images.chain(pulled.id), platform: need.platform };
}
