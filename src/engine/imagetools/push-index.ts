/** What `imagetools create` made, into the registries of its tags. */
import type { Digest } from "../../oci/digest.ts";
import { formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { bringManifest, isSameRepository } from "../copy/copy-within.ts";
import type { CopiedEntry } from "../transfer-api.ts";
import type { CreatedIndex } from "./create-index.ts";

export async function pushIndex(
  client: RegistryClient,
  { document, entries, from }: CreatedIndex,
  tags: readonly string[],
  signal?: AbortSignal,
): Promise<{ readonly digest: Digest; readonly mediaType: string; readonly copied: readonly CopiedEntry[] }> {
  const copied: CopiedEntry[] = [];
  const { mediaType, digest } = document.descriptor;
  for (const to of tags.map((tag) => withDefaultTag(parseReference(tag)))) {
    const needed = from === undefined ? entries : [{ descriptor: document.descriptor, from }];
    for (const entry of needed) {
      if (isSameRepository(entry.from, to)) continue;
      await bringManifest(client, entry.descriptor.digest, entry.from, to, signal);
      copied.push({ digest: entry.descriptor.digest, from: formatReference(entry.from), to: formatReference(to) });
    }
    await client.pushManifest(to, { mediaType, bytes: document.bytes }, signal === undefined ? {} : { signal });
  }
  return { digest, mediaType, copied };
}
