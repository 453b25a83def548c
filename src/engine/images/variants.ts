/** Which image a name means on which platform: an index has several, an image is its own and only one. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform, hostPlatform, normalizePlatform, parsePlatform, platformDistance, platformFrom, type Platform } from "../../oci/platform.ts";
import type { Chain, Store } from "../../store/index.ts";
import { familiar, requireImage } from "../image-names.ts";

export interface Variant {
  readonly platform: Platform;
  readonly image: Digest;
}

/** What stands for itself: indexes, and images that are not there for an index alone. */
export function standingImages(store: Store): readonly { readonly id: Digest; readonly taggedMs: number }[] {
  return [...store.images.all().filter(({ own }) => own), ...store.indexes.all()];
}

export function chainsOf(store: Store, id: Digest): readonly Chain[] {
  return imagesOf(store, id).map((image) => store.images.chain(image));
}

/** As `variantsOf`, without a look at their configs: those may be lost. */
export function imagesOf(store: Store, id: Digest): readonly Digest[] {
  const members = store.indexes.members(id).map(({ image }) => image);
  return members.length > 0 ? members : [id];
}

/** Of an index in its own order; of an image the image itself. */
export function variantsOf(store: Store, id: Digest): readonly Variant[] {
  const members = store.indexes.members(id).map(({ platform, image }) => ({ platform: platformIn(platform), image }));
  return members.length > 0 ? members : [{ platform: platformFrom(store.images.configForList(id)), image: id }];
}

/** Configs of foreign images may lack either word. */
function platformIn(text: string): Platform {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** The variant that serves the platform best; of equal ones the first. undefined when none does. */
export function variantFor(store: Store, id: Digest, want: Platform): Variant | undefined {
  return ranked(variantsOf(store, id), want)[0];
}

/** What is shown and run where nobody names a platform: this machine's, else the first that is here. */
export function ownVariant(store: Store, id: Digest): Variant {
  const variants = variantsOf(store, id);
  return ranked(variants, hostPlatform())[0] ?? (variants[0] as Variant);
}

function ranked(variants: readonly Variant[], want: Platform): readonly Variant[] {
  return variants
    .flatMap((variant) => {
      const distance = platformDistance(want, variant.platform);
      return distance === undefined ? [] : [{ variant, distance }];
    })
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ variant }) => variant);
}

export interface ChosenImage {
  /** the image's, or the index's */
  readonly id: Digest;
  readonly image: Digest;
}

/**
 * By the user's words: without a platform the machine's own, with one exactly that. Fails with NO_SUCH_IMAGE, INVALID_PLATFORM,
 * and NO_MATCHING_PLATFORM (not_found) that names the platforms there are.
 */
export function chooseImage(store: Store, ref: string, platform?: string): ChosenImage {
  const { id } = requireImage(store, ref);
  return { id, image: platform === undefined || platform === "" ? ownVariant(store, id).image : chooseVariant(store, id, ref, platform) };
}

/** The variant for exactly this platform. Fails with INVALID_PLATFORM, NO_MATCHING_PLATFORM. */
export function chooseVariant(store: Store, id: Digest, ref: string, platform: string): Digest {
  const want = normalizePlatform(parsePlatform(platform));
  const exact = variantsOf(store, id).find((variant) => platformDistance(want, variant.platform) === 0);
  if (exact === undefined) throw noSuchPlatform(store, id, ref, want);
  return exact.image;
}

/** In Docker's words, and which platforms there are. */
export function noSuchPlatform(store: Store, id: Digest, ref: string, want: Platform, cause?: unknown): SlipwayError {
  const available = variantsOf(store, id).map((variant) => formatPlatform(variant.platform));
  const message = `image with reference ${shown(ref)} was found but does not provide the specified platform (${formatPlatform(want)}): it has ${available.join(", ")}`;
  return new SlipwayError("not_found", "NO_MATCHING_PLATFORM", message, { ref, platform: formatPlatform(want), available }, cause);
}

function shown(ref: string): string {
  try {
    return familiar(ref);
  } catch {
    return ref;
  }
}
