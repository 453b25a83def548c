/** The library's calls about what refers to an image. */
import type { Descriptor } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { parseReference, withDefaultTag } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";

interface ReferrersCall {
  readonly artifactType?: string;
  readonly signal?: AbortSignal;
}

export async function referrersOf(client: RegistryClient, image: string, call: ReferrersCall): Promise<readonly Descriptor[]> {
  const reference = withDefaultTag(parseReference(image));
  const digest = reference.digest ?? (await client.resolve(reference, call)).descriptor.digest;
  return await client.listReferrers(reference, digest, call);
}

export async function attach(client: RegistryClient, repository: string, bytes: Uint8Array, signal?: AbortSignal): Promise<Descriptor> {
  const { attachReferrer } = await import("../../registry/index.ts");
  const { mediaType } = parseManifestOrIndex(bytes);
  return await attachReferrer(client, parseReference(repository), { mediaType, bytes }, signal === undefined ? {} : { signal });
}
