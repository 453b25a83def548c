/** Base images for FROM and COPY --from: from the store where they are, from their registry otherwise. */
import { SlipwayError, asSlipwayError } from "../../base/errors.ts";
import { formatPlatform, hostPlatform, platformDistance, type Platform } from "../../oci/platform.ts";
import { formatReference, parseReference, withDigest } from "../../oci/reference.ts";
import type { ProgressSink } from "../../base/progress.ts";
import type { ImageNeed, ResolvedImage } from "../../graph/lowering.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import { findImage } from "../image-names.ts";
import { pullImage } from "../pull-image.ts";
import { runStepOf, type Step } from "./progress-steps.ts";

export interface BaseResolver {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
  readonly onProgress: ProgressSink;
  readonly signal: AbortSignal;
  /** ask the registry even when an image of the name is here */
  readonly pull: boolean;
}

/** Fails in BuildKit's words: "nope:1: failed to resolve source metadata for docker.io/library/nope:1: …: not found". */
export async function resolveBase(resolver: BaseResolver, need: ImageNeed): Promise<ResolvedImage> {
  try {
    return await runStepOf(resolver.onProgress, `[internal] load metadata for ${need.reference}`, (step) => loadBase(resolver, need, step));
  } catch (error) {
    resolver.signal.throwIfAborted();
    const failure = asSlipwayError(error);
    throw new SlipwayError(
      failure.kind,
      failure.code,
      `${need.written}: failed to resolve source metadata for ${need.reference}: ${failure.message}`,
      { ...failure.details, lines: need.lines },
      failure,
    );
  }
}

async function loadBase(resolver: BaseResolver, need: ImageNeed, step: Step): Promise<ResolvedImage> {
  const local = localImage(resolver.store, need);
  if (local !== undefined && !resolver.pull) return local;
  try {
    return await fetchImage(resolver, need, step);
  } catch (error) {
    resolver.signal.throwIfAborted();
    const failure = asSlipwayError(error);
    // Asked to look for a newer base while no registry answers: what is here serves.
    if (local !== undefined && failure.kind === "unavailable") return local;
    const told = failure.details["resolveMessage"];
    throw typeof told === "string" ? new SlipwayError(failure.kind, failure.code, told, failure.details, failure) : failure;
  }
}

/** An image of the wanted platform only: the other one's is asked for again. */
function localImage(store: Store, need: ImageNeed): ResolvedImage | undefined {
  const found = findImage(store, need.reference);
  if (found === undefined) return undefined;
  const config = store.images.config(found.id);
  const platform: Platform = { os: config.os, architecture: config.architecture, ...(config.variant === undefined ? {} : { variant: config.variant }) };
  const explicit = formatPlatform(need.platform) !== formatPlatform(hostPlatform());
  if (explicit && platformDistance(need.platform, platform) === undefined) return undefined;
  const chain = store.images.chain(found.id);
  if (!store.layers.hasAll(chain)) return undefined;
  return { reference: displayName(store, need.reference, found.id), config, chain, platform };
}

/** The name with the digest it was pulled at, as BuildKit shows it behind FROM. */
function displayName(store: Store, reference: string, id: ReturnType<Store["images"]["byName"]> & string): string {
  const parsed = parseReference(reference);
  if (parsed.digest !== undefined) return reference;
  const repository = `${parsed.domain}/${parsed.path}`;
  const known = store.images.repoDigests(id).find((candidate) => candidate.repository === repository);
  return known === undefined ? reference : formatReference(withDigest(parsed, known.digest));
}

async function fetchImage(resolver: BaseResolver, need: ImageNeed, step: Step): Promise<ResolvedImage> {
  const { store, signal } = resolver;
  const reference = parseReference(need.reference);
  const pulled = await pullImage({
    store,
    client: await resolver.client(),
    reference,
    platform: need.platform,
    signal,
    tag: true,
    onLayer: ({ layer, phase, current, total }) => {
      if (phase === "downloading" || phase === "done") step.status(layer.digest, current, total, phase === "done");
    },
  });
  const config = store.images.config(pulled.id);
  const display = reference.digest === undefined ? formatReference(withDigest(reference, pulled.rootDigest)) : need.reference;
  return { reference: display, config, chain: store.images.chain(pulled.id), platform: need.platform };
}
