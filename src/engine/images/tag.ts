/** `tag`: one more name for an image; the name moves away from the image that had it. */
import type { Store } from "../../store/index.ts";
import { imageEvent } from "../events/tell.ts";
import { familiar, parseTagName, requireImage } from "../image-names.ts";

/** Fails with INVALID_REFERENCE (invalid_argument) for the target, NO_SUCH_IMAGE (not_found) for the source. */
export function tagImage(store: Store, source: string, target: string): void {
  const name = parseTagName(target);
  const image = store.transaction(() => {
    const { id } = requireImage(store, source);
    store.images.tag(name, id);
    return id;
  });
  store.events.append([imageEvent(store, "tag", { image, name: familiar(name) })]);
}
