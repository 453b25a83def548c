/** Images that a document of a repository names and that lie in others are brought there first. */
import type { Digest } from "../../oci/digest.ts";
import type { Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { registrySource } from "../transports/registry-source.ts";
import { registryTarget } from "../transports/registry-target.ts";
import { copyBlobs, planDocument } from "./copy-image.ts";

/** Mounts where source and target are one registry's. Repeating it sends nothing. */
export async function bringManifest(client: RegistryClient, digest: Digest, from: Reference, to: Reference, signal?: AbortSignal): Promise<void> {
  const source = registrySource(client, from);
  const target = registryTarget(client, "", to);
  const { documents, blobs } = await planDocument(source, await source.document(digest, signal), signal);
  await copyBlobs({ source, target, emit: () => {}, ...(signal === undefined ? {} : { signal }) }, blobs);
  for (const document of documents) await target.putDocument(document, signal);
}

export function isSameRepository(a: Reference, b: Reference): boolean {
  return a.domain === b.domain && a.path === b.path;
}
