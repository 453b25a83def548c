/** `manifest push`: a list that was made here, into its registry. */
import { digestOf, type Digest } from "../../oci/digest.ts";
import { formatReference, parseReference, withDigest } from "../../oci/reference.ts";
import { bringManifest } from "../copy/copy-within.ts";
import type { PushedEntry } from "../transfer-api.ts";
import { requireList, type ListSurroundings } from "./manifest-lists.ts";
import { listMediaType, listShape } from "./manifest-shapes.ts";

/** Images of the list's own repository are there already; they are told all the same, as Docker does. */
export async function pushList(
  { lists, client, gate, signal }: ListSurroundings,
  list: string,
  purge: boolean,
): Promise<{ readonly manifests: readonly PushedEntry[]; readonly digest: Digest }> {
  const { name, manifests } = requireList(lists, list);
  const target = parseReference(name);
  const places = manifests.map(({ ref, descriptor }) => `docker://${formatReference(withDigest(parseReference(ref), descriptor.digest))}`);
  await gate?.pushed([target], { places }, signal);
  const pushed: PushedEntry[] = [];
  for (const { ref, descriptor } of manifests) {
    await bringManifest(client, descriptor.digest, parseReference(ref), target, signal);
    pushed.push({ ref: formatReference({ domain: target.domain, path: target.path, digest: descriptor.digest }), digest: descriptor.digest });
  }
  const descriptors = manifests.map(({ descriptor }) => descriptor);
  const bytes = Buffer.from(JSON.stringify(listShape(descriptors), null, 3));
  await client.pushManifest(target, { mediaType: listMediaType(descriptors), bytes }, signal === undefined ? {} : { signal });
  if (purge) lists.remove(name);
  return { manifests: pushed, digest: digestOf(bytes) };
}
