/** A layer in the form that goes to a registry, and the config that an image of such layers has. */
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";

export interface PreparedLayer {
  readonly descriptor: Descriptor;
  /** of the bytes that the blob decompresses to */
  readonly diffId: Digest;
}

/** The config for these layers; the same bytes where they are its own. */
export function configWithDiffIds(config: Uint8Array, diffIds: readonly Digest[]): Uint8Array {
  const fields = JSON.parse(Buffer.from(config).toString()) as { readonly rootfs?: { readonly diff_ids?: readonly string[] } };
  const own = fields.rootfs?.diff_ids ?? [];
  if (own.length === diffIds.length && diffIds.every((diffId, at) => diffId === own[at])) return config;
  return Buffer.from(JSON.stringify({ ...fields, rootfs: { ...fields.rootfs, diff_ids: diffIds } }));
}
