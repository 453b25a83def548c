/** `history`: an image's lines, newest first, each with the size of the layer it made. */
import type { Store } from "../../store/index.ts";
import type { HistoryItem } from "../api.ts";
import { familiarTags, layerSize } from "./image-facts.ts";
import { chooseImage } from "./variants.ts";

/** Go's zero time, Docker's word for lines without a time. */
const neverSeconds = -62_135_596_800;

/** Of an index the image for `platform`, else for this machine. Fails with NO_SUCH_IMAGE, NO_MATCHING_PLATFORM (not_found), AMBIGUOUS_ID (invalid_argument). */
export function imageHistory(store: Store, ref: string, platform?: string): readonly HistoryItem[] {
  const { id, image } = chooseImage(store, ref, platform);
  const chain = store.images.chain(image);
  let layer = 0;
  const oldestFirst = (store.images.config(image).history ?? []).map((entry): HistoryItem => {
    const diffId = entry.empty_layer === true ? undefined : chain[layer++];
    return {
      id: "<missing>",
      createdSeconds: secondsOf(entry.created),
      createdBy: entry.created_by ?? "",
      sizeBytes: diffId === undefined ? 0 : layerSize(store, diffId),
      comment: entry.comment ?? "",
      tags: [],
    };
  });
  return oldestFirst.toReversed().map((item, index) => (index === 0 ? { ...item, id, tags: familiarTags(store, id) } : item));
}

function secondsOf(time: string | undefined): number {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) ? neverSeconds : Math.floor(ms / 1000);
}
