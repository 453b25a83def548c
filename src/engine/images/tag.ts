/** `tag`: one more name for an image; the name moves away from the image that had it. */
import type { Store } from "../../store/index.ts";
import { parseTagName, requireImage } from "../image-names.ts";

/** Fails with INVALID_REFERENCE (invalid_argument) for the target, NO_SUCH_IMAGE (not_found) for the source. */
export function tagImage(store: Store, source: string, target: string): void {
  const name = parseTagName(target);
  store.transaction(() => store.images.tag(name, requireImage(store, source).id));
}
