/** The packages of an image that was just built, as SPDX. */
import type { Digest } from "../../oci/digest.ts";
import { digestOf } from "../../oci/digest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import { spdxDocument } from "../../trust/sbom/spdx.ts";
import type { BuiltImage, Exportable } from "../build/exportable.ts";
import { assembleInventory } from "../inventory/image-inventory.ts";
import { inventoriesOfChain } from "../inventory/layer-inventories.ts";
import { billSeconds } from "../inventory/write-bill.ts";
import { packageVersion } from "../system/version.ts";

/** `manifest`: undefined where the result is no image. */
export async function sbomOfBuilt({ store, signal }: Exportable, built: BuiltImage, name: string, manifest: Digest | undefined): Promise<object> {
  const { config: bytes, chain, origin } = built;
  const config = parseImageConfig(bytes);
  const layers = await inventoriesOfChain(store, chain, signal);
  const image = assembleInventory({ name, id: digestOf(bytes), manifest, config, layers }, chain, origin);
  return spdxDocument({ image, createdSeconds: billSeconds(image, {}), tool: { name: "slipway", version: packageVersion() } });
}
