/** `image prune`: images without a name, or all that no container uses. */
import type { Digest } from "../../oci/digest.ts";
import type { Store } from "../../store/index.ts";
import type { Filters, ImageSummary, PruneResult, RemoveLine } from "../api.ts";
import { removalEvents, tellPrune } from "../events/tell.ts";
import { booleanFilter, checkFilterKeys, labelsMatch, untilFilter } from "../filters.ts";
import { bytesOfLayers, layerHolders, sumOf } from "./layer-bytes.ts";
import { listImages } from "./list.ts";
import { forgetImage } from "./remove.ts";
import { chainsOf, standingImages, variantsOf } from "./variants.ts";

export interface PruneImagesOptions {
  readonly all?: boolean;
  readonly filters?: Filters;
  /** says what would go and how much that would free, and removes nothing */
  readonly dryRun?: boolean;
}

/** `dangling=false` is another way to say `all`, as the clients of the API do. Fails with INVALID_FILTER (invalid_argument). */
export async function pruneImages(store: Store, options: PruneImagesOptions = {}, nowMs: number = Date.now()): Promise<PruneResult> {
  const filters = options.filters ?? {};
  checkFilterKeys(filters, ["dangling", "label", "label!", "until"]);
  const dangling = booleanFilter(filters, "dangling");
  const all = options.all === true || dangling === false;
  const until = untilFilter(filters, nowMs) ?? Infinity;
  const unused = (): readonly ImageSummary[] =>
    listImages(store).filter(
      (image) => image.containers === 0 && (all || image.dangling) && image.createdSeconds * 1000 < until && labelsMatch(filters, image.labels),
    );
  if (options.dryRun === true) {
    const images = unused();
    return { removed: images.flatMap((image) => linesOf(image, true)), reclaimedBytes: bytesFreedBy(store, new Set(images.map(({ id }) => id))) };
  }
  // In one transaction with the look at containers and names: what somebody tags or runs meanwhile stays.
  const removed = store.transaction(() => {
    const images = unused();
    return images.map((image) => ({ id: image.id, lines: linesOf(image, forgetImage(store, image.id)) }));
  });
  const reclaimedBytes = removed.length === 0 ? 0 : store.collect().reclaimedBytes;
  store.events.append(removed.flatMap(({ id, lines }) => removalEvents(id, lines)));
  tellPrune(store, "image", reclaimedBytes);
  return { removed: removed.flatMap(({ lines }) => lines), reclaimedBytes };
}

/** Docker shows the id in the place of a name that is not there. */
function linesOf({ id, repoTags, repoDigests }: ImageSummary, deleted: boolean): readonly RemoveLine[] {
  const names = repoTags.length > 0 ? repoTags : repoDigests.length > 0 ? repoDigests : [id];
  return [...names.map((name) => ({ untagged: name })), ...(deleted ? [{ deleted: id }] : [])];
}

/** Layers that only these images have, and their documents. */
function bytesFreedBy(store: Store, ids: ReadonlySet<Digest>): number {
  const { cache, containers } = layerHolders(store);
  const kept = new Set(
    standingImages(store)
      .filter(({ id }) => !ids.has(id))
      .flatMap(({ id }) => chainsOf(store, id).flat()),
  );
  const images = new Set([...ids].flatMap((id) => variantsOf(store, id).map(({ image }) => image)));
  const bytes = bytesOfLayers(
    store,
    [...images].map((id) => store.images.chain(id)),
  );
  const documents = [...new Set([...ids, ...images])].reduce((sum, id) => sum + (store.blobs.size(id) ?? 0) + manifestBytes(store, id), 0);
  return documents + sumOf(bytes, (diffId) => !kept.has(diffId) && !cache.has(diffId) && !containers.has(diffId));
}

function manifestBytes(store: Store, id: Digest): number {
  const manifest = store.images.get(id)?.manifest;
  return manifest === undefined ? 0 : (store.blobs.size(manifest) ?? 0);
}
