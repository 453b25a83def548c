/** The store as a target: an archive that is loaded while it is written. Layers that are here are left out of it. */
import type { Store } from "../../store/index.ts";
import { loadImages } from "../archive/load.ts";
import { streamSink } from "./archive-sinks.ts";
import { archiveTarget } from "./archive-target.ts";
import type { ImageTarget } from "./image-target.ts";

export function storeTarget(store: Store, place: string, name: string, signal?: AbortSignal): ImageTarget {
  const sink = streamSink(async (archive) => void (await loadImages(store, archive, signal === undefined ? {} : { signal })));
  const has = (digest: Parameters<Store["layers"]["diffIdOfBlob"]>[0]): boolean => {
    const diffId = store.layers.diffIdOfBlob(digest);
    return diffId !== undefined && store.layers.has(diffId);
  };
  return archiveTarget(place, sink, { format: "docker", names: [name], has });
}
