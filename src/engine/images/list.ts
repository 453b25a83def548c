/** `images`: newest first, filtered as Docker filters. */
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import { compileGlob } from "../../dockerfile/glob.ts";
import type { Store } from "../../store/index.ts";
import type { Filters, ImageSummary } from "../api.ts";
import { booleanFilter, checkFilterKeys, labelsMatch, untilFilter } from "../filters.ts";
import { requireImage } from "../image-names.ts";
import { containersByImage } from "./container-users.ts";
import { createdMs, familiarDigests, familiarTags, layerSize, platformOf } from "./image-facts.ts";

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
  const found = store.images.all().map(({ id, taggedMs }) => ({ id, taggedMs, config: store.images.config(id) }));
  const users = layerUsers(
    store,
    found.map(({ id }) => id),
  );
  const containers = containersByImage(store);
  return found
    .filter((image) => wanted(image))
    .toSorted((a, b) => createdMs(b.config) - createdMs(a.config) || compareTimes(b.config, a.config) || b.taggedMs - a.taggedMs || (a.id < b.id ? -1 : 1))
    .flatMap(({ id, config }) => {
      const summary = summarize(store, id, config, users, containers.get(id) ?? 0);
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
  readonly config: ImageConfig;
}

function createMatcher(store: Store, filters: Filters, nowMs: number): (image: Found) => boolean {
  const dangling = booleanFilter(filters, "dangling");
  const until = untilFilter(filters, nowMs);
  const timeOf = (ref: string): number => createdMs(store.images.config(requireImage(store, ref).id));
  const before = Math.min(until ?? Infinity, ...(filters["before"] ?? []).map(timeOf));
  const since = Math.max(-Infinity, ...(filters["since"] ?? []).map(timeOf));
  return ({ id, config }) => {
    const created = createdMs(config);
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

/** How many images have each layer. */
function layerUsers(store: Store, ids: readonly Digest[]): ReadonlyMap<Digest, number> {
  const users = new Map<Digest, number>();
  for (const id of ids) for (const diffId of new Set(store.images.chain(id))) users.set(diffId, (users.get(diffId) ?? 0) + 1);
  return users;
}

function summarize(store: Store, id: Digest, config: ImageConfig, users: ReadonlyMap<Digest, number>, containers: number): ImageSummary {
  const layers = store.images.chain(id).map((diffId) => ({ diffId, sizeBytes: layerSize(store, diffId), shared: (users.get(diffId) ?? 0) > 1 }));
  const repoTags = familiarTags(store, id);
  return {
    id,
    repoTags,
    repoDigests: familiarDigests(store, id),
    parentId: "",
    createdSeconds: Math.floor(createdMs(config) / 1000),
    sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    labels: config.config.Labels ?? {},
    containers,
    platform: platformOf(config),
    dangling: repoTags.length === 0,
    layers,
  };
}
