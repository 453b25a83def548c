/** An inventory as a document. */
import { SlipwayError } from "../../base/errors.ts";
import type { ImageInventory } from "../../trust/packages/index.ts";
import { cyclonedxDocument } from "../../trust/sbom/cyclonedx.ts";
import { spdxDocument } from "../../trust/sbom/spdx.ts";
import { billFormats, type BillFormat } from "../packages-api.ts";
import { packageVersion } from "../system/version.ts";
import { billSeconds } from "./bill-seconds.ts";

export function writeBill(image: ImageInventory, format: BillFormat, env: Readonly<Record<string, string | undefined>>): string {
  if (!billFormats.includes(format)) {
    throw new SlipwayError("invalid_argument", "USAGE", `unknown format ${JSON.stringify(format)}: want ${billFormats.join(" or ")}`);
  }
  const bill = { image, createdSeconds: billSeconds(image, env), tool: { name: "slipway", version: packageVersion() } };
  return `${JSON.stringify(format === "spdx-json" ? spdxDocument(bill) : cyclonedxDocument(bill), undefined, 2)}\n`;
}
