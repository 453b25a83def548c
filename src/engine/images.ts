/** The library's images, each call on the store's functions. */
import type { ImageApi } from "./api.ts";
import type { Reference } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import { imageHistory } from "./images/history.ts";
import { inspectImage } from "./images/inspect.ts";
import { listImages } from "./images/list.ts";
import { removeImage } from "./images/remove.ts";
import { tagImage } from "./images/tag.ts";
import type { PolicyCall, PolicyGate } from "./policy-gate.ts";
import { startTask } from "./task.ts";

/** What moves bytes is loaded when it is called: listing and naming need none of it. */
export function createImages(store: Store, client: () => Promise<RegistryClient>, gate?: PolicyGate): ImageApi {
  return {
    list: (options) => listImages(store, options),
    inspect: (ref, options) => inspectImage(store, ref, options?.platform),
    tag: (source, target) => tagImage(store, source, target),
    remove: (ref, options) => removeImage(store, ref, options),
    history: (ref, options) => imageHistory(store, ref, options?.platform),
    save: async function* (refs, options) {
      const { saveImages } = await import("./archive/save.ts");
      yield* saveImages(store, refs, options);
    },
    load: (source, options) =>
      startTask(async () => {
        const { loadImages } = await import("./archive/load.ts");
        return await loadImages(store, source, options);
      }),
    import: async (source, options) => {
      const { importImage, importUrl } = await import("./archive/import.ts");
      return "url" in source ? await importUrl(store, source.url, options) : await importImage(store, source, options);
    },
    prune: async (options) => {
      const { pruneImages } = await import("./images/prune.ts");
      return await pruneImages(store, options);
    },
    pull: (reference, options) =>
      startTask(async (emit) => {
        const { pullWithEvents } = await import("./pull-task.ts");
        const admit = gate === undefined ? undefined : (name: Reference, call: PolicyCall) => gate.pulled("pull", name, call);
        return await pullWithEvents(store, client, reference, options ?? {}, emit, admit);
      }),
    push: (reference, options) =>
      startTask(async (emit) => {
        const { pushWithEvents } = await import("./push/push-task.ts");
        return await pushWithEvents(store, client, reference, options ?? {}, emit, gate);
      }),
  };
}
