/** Which image another one was built on: known of the build, found by layers, or claimed and then compared by layers. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform, platformFrom } from "../../oci/platform.ts";
import { formatReference, parseReference, withDigest } from "../../oci/reference.ts";
import type { BuildOrigin, Store } from "../../store/index.ts";
import type { Surroundings } from "../transports/open-source.ts";
import type { OpenedImage } from "./open-image.ts";

export interface FoundBase {
  readonly base: BuildOrigin["base"];
  /** what the image says of itself where nobody compared it: asking another registry is for the user to decide */
  readonly claimed?: string;
}

/** `given`: which image it is; fails with NOT_THE_BASE (failed_precondition) where that has other layers, and as openImage does. */
export async function findBase(surroundings: Surroundings, opened: OpenedImage, given: string | undefined): Promise<FoundBase> {
  if (given !== undefined) return { base: await givenBase(surroundings, opened, given) };
  const { store } = surroundings;
  const origin = store.images.origin(opened.id);
  if (origin !== undefined) return { base: origin.base };
  const { reference } = opened;
  const claims = await opened.claimedBases();
  for (const claim of claims.filter((one) => reference !== undefined && parseReference(one).domain === reference.domain)) {
    const base = await comparedBase(surroundings, opened, `docker://${claim}`, claim);
    if (base !== undefined) return { base };
  }
  const base = localBase(store, opened.id, opened.diffIds);
  const [claimed] = claims;
  return base === undefined && claimed !== undefined ? { base, claimed } : { base };
}

/** The image with the most layers that this one begins with, if the store has one. */
function localBase(store: Store, id: Digest, diffIds: readonly Digest[]): BuildOrigin["base"] {
  let best: { readonly id: Digest; readonly layers: number } | undefined;
  for (const other of store.images.all()) {
    const layers = store.images.chain(other.id);
    if (other.id === id || layers.length <= (best?.layers ?? 0) || !isBeginning(layers, diffIds)) continue;
    best = { id: other.id, layers: layers.length };
  }
  return best === undefined ? undefined : { reference: store.images.names(best.id)[0] ?? best.id, layers: best.layers };
}

function isBeginning(layers: readonly Digest[], diffIds: readonly Digest[]): boolean {
  return layers.length < diffIds.length && layers.every((diffId, at) => diffId === diffIds[at]);
}

async function layersOf(surroundings: Surroundings, { config }: OpenedImage, place: string): Promise<{ readonly opened: OpenedImage; readonly name: string }> {
  const { openImage } = await import("./open-image.ts");
  const opened = await openImage(surroundings, place, formatPlatform(platformFrom(config)));
  const { reference, manifest } = opened;
  return { opened, name: reference === undefined || manifest === undefined ? place : formatReference(withDigest(reference, manifest)) };
}

async function givenBase(surroundings: Surroundings, opened: OpenedImage, place: string): Promise<BuildOrigin["base"]> {
  const { opened: base, name } = await layersOf(surroundings, opened, place);
  await using _base = base;
  if (isBeginning(base.diffIds, opened.diffIds)) return { reference: name, layers: base.diffIds.length };
  throw new SlipwayError("failed_precondition", "NOT_THE_BASE", `${opened.name} does not begin with the layers of ${place}: it was built on another image`, {
    base: place,
    bare: true,
  });
}

/** undefined also where the registry does not have it, or not for us: it was only a claim. */
async function comparedBase(surroundings: Surroundings, opened: OpenedImage, place: string, claim: string): Promise<BuildOrigin["base"]> {
  try {
    const { opened: base } = await layersOf(surroundings, opened, place);
    await using _base = base;
    return isBeginning(base.diffIds, opened.diffIds) ? { reference: claim, layers: base.diffIds.length } : undefined;
  } catch (error) {
    surroundings.signal?.throwIfAborted();
    if (isSlipwayError(error)) return undefined;
    throw error;
  }
}
