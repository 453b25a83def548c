/** The library's calls about manifest lists, on the store's lists and a client as the call wants it. */
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import type { PolicyGate } from "../policy-gate.ts";
import type { ManifestApi, ManifestOptions } from "../transfer-api.ts";
import { LocalLists } from "./local-lists.ts";
import { annotateList, createList, inspectManifest, parseListName, removeList, type ListSurroundings } from "./manifest-lists.ts";

export function createManifests(store: Store, client: () => Promise<RegistryClient>, gate?: PolicyGate): ManifestApi {
  const lists = new LocalLists(store.layout.root);

  async function withClient<Result>(
    names: readonly string[],
    { insecure = false, signal }: ManifestOptions,
    work: (surroundings: ListSurroundings) => Promise<Result>,
  ): Promise<Result> {
    if (!insecure) return await work({ lists, gate, client: await client(), signal });
    const { insecureClient } = await import("./insecure-client.ts");
    await using own = await insecureClient([...new Set(names.map((name) => parseListName(name).domain))]);
    return await work({ lists, gate, client: own, signal });
  }

  return {
    create: async (list, images, options = {}) =>
      await withClient([list, ...images], options, async (surroundings) => await createList(surroundings, list, images, options.amend ?? false)),
    annotate: (list, image, annotations) => annotateList(lists, list, image, annotations),
    inspect: async (image, options = {}) =>
      await withClient([image], options, async (surroundings) => await inspectManifest(surroundings, image, options.list, options.verbose ?? false)),
    push: async (list, options = {}) => {
      const { pushList } = await import("./push-list.ts");
      return await withClient([list], options, async (surroundings) => await pushList(surroundings, list, options.purge ?? false));
    },
    remove: (list) => removeList(lists, list),
  };
}
