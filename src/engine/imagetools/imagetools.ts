/** The library's calls about documents of registries. */
import { isAttestation } from "../../oci/attestation.ts";
import { formatReference, parseReference, withDefaultTag, withDigest } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { PolicyGate } from "../policy-gate.ts";
import type { CreateIndexOptions, ImagetoolsApi } from "../transfer-api.ts";
import type { CreatedIndex } from "./create-index.ts";

async function created(client: RegistryClient, options: CreateIndexOptions): Promise<CreatedIndex> {
  const { createIndex } = await import("./create-index.ts");
  const { sources, tags = [], preferIndex = true, platforms = [], annotations = [], signal } = options;
  const repository = tags[0] === undefined ? undefined : parseReference(tags[0]);
  return await createIndex({ client, sources, repository, preferIndex, platforms, annotations, signal });
}

/** Policies judge where it goes, and what is scanned is what the sources have. */
async function admit(gate: PolicyGate | undefined, { document, entries, from }: CreatedIndex, { tags = [], signal }: CreateIndexOptions): Promise<void> {
  const images = entries.filter(({ descriptor }) => !isAttestation(descriptor));
  const seen = images.length === 0 && from !== undefined ? [{ descriptor: document.descriptor, from }] : images;
  const places = seen.map((entry) => `docker://${formatReference(withDigest(entry.from, entry.descriptor.digest))}`);
  await gate?.pushed(
    tags.map((tag) => withDefaultTag(parseReference(tag))),
    { places },
    signal,
  );
}

export function createImagetools(client: () => Promise<RegistryClient>, gate?: PolicyGate): ImagetoolsApi {
  return {
    inspect: async (name, { details = false, signal } = {}) => {
      const { inspectRemote } = await import("./inspect-remote.ts");
      return await inspectRemote(await client(), parseReference(name), details, signal);
    },
    create: async (options) => {
      const [{ pushIndex }, registry] = await Promise.all([import("./push-index.ts"), client()]);
      const made = await created(registry, options);
      await admit(gate, made, options);
      return await pushIndex(registry, made, options);
    },
    preview: async (options) => (await created(await client(), options)).document.bytes,
  };
}
