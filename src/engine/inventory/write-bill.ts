/** An inventory as a document. */
import { SlipwayError } from "../../base/errors.ts";
import type { ImageInventory } from "../../trust/packages/index.ts";
import { cyclonedxDocument } from "../../trust/sbom/cyclonedx.ts";
import { spdxDocument } from "../../trust/sbom/spdx.ts";
import { billFormats, type BillFormat } from "../packages-api.ts";
import { packageVersion } from "../system/version.ts";

/** SOURCE_DATE_EPOCH, else when the image was made, else 1970: the same image gives the same bytes. */
export function billSeconds(image: ImageInventory, env: Readonly<Record<string, string | undefined>>): number {
  const epoch = env["SOURCE_DATE_EPOCH"] ?? "";
  return /^\d{1,12}$/.test(epoch) ? Number(epoch) : (image.createdSeconds ?? 0);
}

export function writeBill(image: ImageInventory, format: BillFormat, env: Readonly<Record<string, string | undefined>>): string {
  if (!billFormats.includes(format)) {
    throw new SlipwayError("invalid_argument", "USAGE", `unknown format ${JSON.stringify(format)}: want ${billFormats.join(" or ")}`);
  }
  const bill = { image, createdSeconds: billSeconds(image, env), tool: { name: "slipway", version: packageVersion() } };
  return `${JSON.stringify(format === "spdx-json" ? spdxDocument(bill) : cyclonedxDocument(bill), undefined, 2)}\n`;
}
