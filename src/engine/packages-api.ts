/** The library's calls about what is in images: packages and where they come from. */
import type { ImageInventory } from "../trust/packages/index.ts";
import type { LocationOptions } from "./transfer-api.ts";

export type { Distribution, ImageInventory, ImagePackage, LayerOrigin, Omission, PackageType } from "../trust/packages/index.ts";

export const billFormats = ["spdx-json", "cyclonedx-json"] as const;
export type BillFormat = (typeof billFormats)[number];

export interface PackagesApi {
  /**
   * The packages in an image, wherever it lies. What was once found in a layer is kept, so a second look reads no layer.
   * Fails as the calls that read files of images do.
   */
  inventory(image: string, options?: LocationOptions): Promise<ImageInventory>;
  /** The same as a document, deterministic: its time is SOURCE_DATE_EPOCH of `env`, else when the image was made. */
  sbom(image: string, format: BillFormat, options?: LocationOptions): Promise<string>;
}
