/** An inventory as a document, piece by piece. */
import { SlipwayError } from "../../base/errors.ts";
import type { ImageInventory } from "../../trust/packages/index.ts";
import type { Bill } from "../../trust/sbom/bill.ts";
import { plainLists } from "../../trust/sbom/plain.ts";
import { cyclonedxLists } from "../../trust/sbom/cyclonedx.ts";
import { spdxLists } from "../../trust/sbom/spdx.ts";
import { writtenPieces } from "../../trust/sbom/written-list.ts";
import { billFormats, type BillFormat } from "../packages-api.ts";
import { packageVersion } from "../system/version.ts";
import { billSeconds } from "./bill-seconds.ts";

const lists = { "spdx-json": spdxLists, "cyclonedx-json": cyclonedxLists, json: plainLists } as const satisfies Record<BillFormat, (bill: Bill) => object>;

export function* writeBill(image: ImageInventory, format: BillFormat, env: Readonly<Record<string, string | undefined>>): Generator<string> {
  if (!billFormats.includes(format)) {
    throw new SlipwayError("invalid_argument", "USAGE", `unknown format ${JSON.stringify(format)}: want ${billFormats.join(" or ")}`);
  }
  const bill = { image, createdSeconds: billSeconds(image, env), tool: { name: "slipway", version: packageVersion() } };
  yield* writtenPieces(lists[format](bill));
  yield "\n";
}
