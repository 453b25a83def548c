/** A layer of the store by the beginning of its diffID, as the file system that ends with it. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Chain, Store } from "../../store/index.ts";

/** In an image that has it, else in a build's result. Six digits at least. Fails with AMBIGUOUS_ID (invalid_argument). */
export function findLayerChain(store: Store, ref: string): Chain | undefined {
  const hex = /^(?:sha256:)?([0-9a-f]{6,64})$/.exec(ref)?.[1];
  if (hex === undefined) return undefined;
  const found = new Map<Digest, Chain>();
  const chains = [...store.images.all().map(({ id }) => store.images.chain(id)), ...store.cache.all().map(({ chain }) => chain)];
  for (const chain of chains) {
    const at = chain.findIndex((diffId) => diffId.startsWith(`sha256:${hex}`));
    const diffId = chain[at];
    if (diffId !== undefined && !found.has(diffId) && store.layers.hasAll(chain.slice(0, at + 1))) found.set(diffId, chain.slice(0, at + 1));
  }
  if (found.size > 1) throw new SlipwayError("invalid_argument", "AMBIGUOUS_ID", `multiple IDs found with provided prefix: ${ref}`, { prefix: ref });
  return [...found.values()][0];
}
