/** `images`: newest first, filtered as Docker filters. */
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import { compileGlob } from "../../dockerfile/glob.ts";
import type { Store } from "../../store/index.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { Filters, ImageSummary, ImageVariant } from "../api.ts";
import { booleanFilter, checkFilterKeys, labelsMatch, untilFilter } from "../filters.ts";
import { containersByImage } from "./container-users.ts";
import { createdMs, familiarDigests, familiarTags, layerSize, platformOf } from "./image-facts.ts";
import { chooseImage, ownVariant, standingImages, variantsOf, type Variant } from "./variants.ts";

export interface ListOptions {
  /** there are no intermediate images here: it changes nothing */
  readonly all?: boolean;
  readonly filters?: Filters;
  /** one more `reference` filter: a name or pattern */
  readonly reference?: string;
}

const knownFilters = ["dangling", "label", "label!", "before", "since", "reference", "until"];

/** Fails with INVALID_FILTER (invalid_argument), NO_SUCH_IMAGE for `before` and `since`. */
export function listImages(store: Store, options: ListOptions = {}, nowMs: number = Date.now()): readonly ImageSummary[] {
  const filters = options.filters ?? {};
  checkFilterKeys(filters, knownFilters);
  const wanted = createMatcher(store, filters, nowMs);
  const named = createNameMatcher([
    ...(filters["reference"] ?? []),
    ...(options.reference === undefined || options.reference === "" ? [] : [options.reference]),
  ]);
  const found = standingImages(store).map(({ id, taggedMs }) => {
    const variants = variantsOf(store, id);
    const { image } = ownVariant(store, id);
    const config = store.images.configForList(image);
    return { id, taggedMs, variants, config, createdMs: createdMs(store, image, config) };
  });
  const users = layerUsers(store, found);
  const containers = containersByImage(store);
  return found
    .filter((image) => wanted(image))
    .toSorted((a, b) => b.createdMs - a.createdMs || compareTimes(b.config, a.config) || b.taggedMs - a.taggedMs || (a.id < b.id ? -1 : 1))
    .flatMap((image) => {
      const summary = summarize(store, image, users, containers);
      return named === undefined ? [summary] : named(summary);
    });
}

/** Below the millisecond the text decides. */
function compareTimes(a: ImageConfig, b: ImageConfig): number {
  const [left, right] = [a.created ?? "", b.created ?? ""];
  return left === right ? 0 : left < right ? -1 : 1;
}

interface Found {
  readonly id: Digest;
  readonly variants: readonly Variant[];
  readonly config: ImageConfig;
  readonly createdMs: number;
}

function createMatcher(store: Store, filters: Filters, nowMs: number): (image: Found) => boolean {
  const dangling = booleanFilter(filters, "dangling");
  const until = untilFilter(filters, nowMs);
  const timeOf = (ref: string): number => {
    const { image } = chooseImage(store, ref);
    return createdMs(store, image, store.images.config(image));
  };
  const before = Math.min(until ?? Infinity, ...(filters["before"] ?? []).map(timeOf));
  const since = Math.max(-Infinity, ...(filters["since"] ?? []).map(timeOf));
  return ({ id, config, createdMs: created }) => {
    if (created >= before || created <= since) return false;
    if (dangling !== undefined && dangling !== (store.images.names(id).length === 0)) return false;
    return labelsMatch(filters, config.config.Labels ?? {});
  };
}

/** Only the names that match stay; an image without one goes. undefined: no such filter. */
function createNameMatcher(patterns: readonly string[]): ((image: ImageSummary) => readonly ImageSummary[]) | undefined {
  if (patterns.length === 0) return undefined;
  const globs = patterns.flatMap((pattern) => {
    try {
      return [compileGlob(pattern)];
    } catch {
      return [];
    }
  });
  const matches = (name: string): boolean => globs.some((glob) => glob(name) || glob(repositoryOf(name)));
  return (image) => {
    const repoTags = image.repoTags.filter(matches);
    const repoDigests = image.repoDigests.filter((name) => matches(name) || repoTags.some((tag) => repositoryOf(tag) === repositoryOf(name)));
    return repoTags.length === 0 && repoDigests.length === 0 ? [] : [{ ...image, repoTags, repoDigests }];
  };
}

/** Of a familiar name with a tag or a digest. */
function repositoryOf(name: string): string {
  const at = name.indexOf("@");
  return at >= 0 ? name.slice(0, at) : name.slice(0, name.lastIndexOf(":"));
}

/** How many images have each layer; an index is one. */
function layerUsers(store: Store, images: readonly Found[]): ReadonlyMap<Digest, number> {
  const users = new Map<Digest, number>();
  for (const { variants } of images) {
    const layers = new Set(variants.flatMap(({ image }) => store.images.chain(image)));
    for (const diffId of layers) users.set(diffId, (users.get(diffId) ?? 0) + 1);
  }
  return users;
}

type Layers = ImageSummary["layers"];

function summarize(
  store: Store,
  { id, config, variants, createdMs: madeMs }: Found,
  users: ReadonlyMap<Digest, number>,
  containers: ReadonlyMap<string, number>,
): ImageSummary {
  const described = variants.map(({ image, platform }): ImageVariant => {
    const layers = store.images.chain(image).map((diffId) => ({ diffId, sizeBytes: layerSize(store, diffId), shared: (users.get(diffId) ?? 0) > 1 }));
    return {
      platform: formatPlatform(platform),
      id: image,
      createdSeconds: Math.floor(createdMs(store, image, store.images.configForList(image)) / 1000),
      sizeBytes: sizeOf(layers),
      containers: containers.get(image) ?? 0,
      layers,
    };
  });
  const repoTags = familiarTags(store, id);
  const layers = described.length === 1 ? (described[0]?.layers ?? []) : eachOnce(described.flatMap((variant) => variant.layers));
  return {
    id,
    repoTags,
    repoDigests: familiarDigests(store, id),
    parentId: "",
    createdSeconds: Math.floor(madeMs / 1000),
    sizeBytes: sizeOf(layers),
    labels: config.config.Labels ?? {},
    containers: described.reduce((sum, variant) => sum + variant.containers, 0),
    platform: platformOf(config),
    variants: described,
    dangling: repoTags.length === 0,
    layers,
  };
}

function sizeOf(layers: Layers): number {
  return layers.reduce((sum, layer) => sum + layer.sizeBytes, 0);
}

function eachOnce(layers: Layers): Layers {
  return [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
}
