/** The library's calls about documents of registries. */
import { parseReference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { CreateIndexOptions, ImagetoolsApi } from "../transfer-api.ts";
import type { CreatedIndex } from "./create-index.ts";

async function created(client: RegistryClient, options: CreateIndexOptions): Promise<CreatedIndex> {
  const { createIndex } = await import("./create-index.ts");
  const { sources, tags = [], preferIndex = true, platforms = [], annotations = [], signal } = options;
  const repository = tags[0] === undefined ? undefined : parseReference(tags[0]);
  return await createIndex({ client, sources, repository, preferIndex, platforms, annotations, signal });
}

export function createImagetools(client: () => Promise<RegistryClient>): ImagetoolsApi {
  return {
    inspect: async (name, { details = false, signal } = {}) => {
      const { inspectRemote } = await import("./inspect-remote.ts");
      return await inspectRemote(await client(), parseReference(name), details, signal);
    },
    create: async (options) => {
      const [{ pushIndex }, registry] = await Promise.all([import("./push-index.ts"), client()]);
      return await pushIndex(registry, await created(registry, options), options);
    },
    preview: async (options) => (await created(await client(), options)).document.bytes,
  };
}
