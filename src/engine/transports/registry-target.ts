/** A registry as a target: blobs are asked for, mounted from a neighbouring repository or sent; documents by digest, the root under its tag. */
import type { Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { ImageTarget } from "./image-target.ts";

const outcomes = { exists: "exists", mounted: "mounted", uploaded: "copied" } as const;

export function registryTarget(client: RegistryClient, place: string, reference: Reference): ImageTarget {
  const repository: Reference = { domain: reference.domain, path: reference.path };
  const call = (signal: AbortSignal | undefined): { readonly signal?: AbortSignal } => (signal === undefined ? {} : { signal });
  return {
    name: place,
    reference,
    parallel: 4,
    putBlob: async ({ descriptor, open, from }, signal) => {
      const neighbour = from !== undefined && from.domain === reference.domain && from.path !== reference.path;
      const pushed = await client.pushBlob(repository, descriptor, { open, mountFrom: neighbour ? [from.path] : [], ...call(signal) });
      return outcomes[pushed.outcome];
    },
    putDocument: async ({ descriptor: { mediaType }, bytes }, signal) => void (await client.pushManifest(repository, { mediaType, bytes }, call(signal))),
    putRoot: async ({ descriptor: { mediaType }, bytes }, signal) => void (await client.pushManifest(reference, { mediaType, bytes }, call(signal))),
    putReferrer: async ({ descriptor: { mediaType }, bytes }, signal) => {
      const { attachReferrer } = await import("../../registry/index.ts");
      await attachReferrer(client, repository, { mediaType, bytes }, call(signal));
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
