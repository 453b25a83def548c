/** The packages of an image that was just built, and of what it was built from, as SPDX. */
import type { Digest } from "../../oci/digest.ts";
import { digestOf } from "../../oci/digest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import { spdxDocument } from "../../trust/sbom/spdx.ts";
import type { BuiltImage, Exportable } from "../build/exportable.ts";
import { assembleInventory, type InventoryParts } from "../inventory/image-inventory.ts";
import { inventoriesOfChain } from "../inventory/layer-inventories.ts";
import { billSeconds } from "../inventory/bill-seconds.ts";
import type { BuildOrigin, Chain } from "../../store/index.ts";
import type { PlatformScan } from "./scan-build.ts";
import { packageVersion } from "../system/version.ts";

export interface BuiltBill {
  /** "sbom", and of a stage or the context "sbom-build" */
  readonly name: string;
  readonly predicate: unknown;
  readonly subjects?: readonly object[] | undefined;
}

interface BilledImage {
  readonly name: string;
  /** undefined where the result is no image */
  readonly manifest: Digest | undefined;
  readonly scan: PlatformScan | undefined;
}

/** The image's own first. */
export async function billsOfBuilt(input: Exportable, built: BuiltImage, { name, manifest, scan }: BilledImage): Promise<readonly BuiltBill[]> {
  if (scan?.by === "scanner") return scan.bills;
  const config = parseImageConfig(built.config);
  const id = digestOf(built.config);
  const own = { name: name === "" ? id : name, id, manifest, config, origin: built.origin };
  const bills = [{ name: "sbom", predicate: await billOf(input, built.chain, own) }];
  for (const extra of scan?.extras ?? []) {
    // nothing says what made its layers
    const unsaid = { ...config, history: [] };
    const of = { name: extra.name, id: digestOf(extra.chain.join("\n")), manifest: undefined, config: unsaid, origin: undefined };
    bills.push({ name: extra.name, predicate: await billOf(input, extra.chain, of) });
  }
  return bills;
}

type Billed = Omit<InventoryParts, "layers"> & { readonly origin: BuildOrigin | undefined };

async function billOf({ store, signal }: Exportable, chain: Chain, { origin, ...parts }: Billed): Promise<object> {
  const layers = await inventoriesOfChain(store, chain, signal);
  const image = assembleInventory({ ...parts, layers }, chain, origin);
  return spdxDocument({ image, createdSeconds: billSeconds(image, {}), tool: { name: "slipway", version: packageVersion() } });
}
