/** What happens to images and to the store, in Docker's words, for the journal. */
import type { Digest } from "../../oci/digest.ts";
import type { Store, StoreEvent } from "../../store/index.ts";
import type { RemoveLine } from "../api.ts";

export function tellPrune(store: Store, type: string, reclaimedBytes: number): void {
  store.events.append([{ type, action: "prune", id: "", attributes: { reclaimed: String(reclaimedBytes) } }]);
}

/** `id`: as the event is to name it; the image's labels stand with it. */
export function imageEvent(store: Store, action: string, { image, id = image, name = id }: { image: Digest; id?: string; name?: string }): StoreEvent {
  return { type: "image", action, id, attributes: { ...labelsOf(store, image), name } };
}

/** Of one that is gone, none. */
function labelsOf(store: Store, image: Digest): Readonly<Record<string, string>> {
  try {
    return store.images.config(image).config?.Labels ?? {};
  } catch {
    return {};
  }
}

/** Of one image: names that went, and the image itself. */
export function removalEvents(id: string, lines: readonly RemoveLine[]): readonly StoreEvent[] {
  return lines.flatMap((line): readonly StoreEvent[] => {
    if ("deleted" in line) return [{ type: "image", action: "delete", id: line.deleted, attributes: { name: line.deleted } }];
    return line.untagged === id ? [] : [{ type: "image", action: "untag", id, attributes: { name: line.untagged } }];
  });
}
