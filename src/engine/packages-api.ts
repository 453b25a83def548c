/** The library's calls about what is in images: packages and where they come from. */
import type { ImageInventory } from "../trust/packages/index.ts";
import type { AdvisoryApi } from "./advisory-api.ts";
import type { Finding, ReportFormat, ScanOptions, ScanResult } from "./scan-api.ts";
import type { LocationOptions } from "./transfer-api.ts";

export type { Distribution, ImageInventory, ImagePackage, LayerOrigin, Omission, PackageType } from "../trust/packages/index.ts";

export * from "./scan-api.ts";
export type { AdvisoryApi, AdvisorySigners, AdvisorySource, AdvisoryStatus } from "./advisory-api.ts";

/** SPDX 2.3, CycloneDX 1.6, and our own form */
export const billFormats = ["spdx-json", "cyclonedx-json", "json"] as const;
export type BillFormat = (typeof billFormats)[number];

export interface PackagesApi {
  /**
   * An image's packages, or those of a bill (`sbom:FILE`, or a file's name that ends in .json), beside the advisories that are here. Nothing else is
   * asked. Fails with NO_DATABASE (failed_precondition) where there are none: that is no clean image.
   */
  scan(image: string, options?: ScanOptions): Promise<ScanResult>;
  /** A scan's result as a document; `findings`: those that it tells of, default all. */
  report(
    result: ScanResult,
    format: ReportFormat,
    options?: { readonly findings?: readonly Finding[]; readonly env?: LocationOptions["env"] },
  ): Promise<string>;
  /** What was suppressed, as an OpenVEX document for who scans the image next. */
  vex(result: ScanResult, options?: { readonly env?: LocationOptions["env"] }): Promise<string>;
  /** the database of advisories that scans compare with */
  readonly advisories: AdvisoryApi;
  /**
   * The packages in an image, wherever it lies. What was once found in a layer is kept, so a second look reads no layer.
   * Fails as the calls that read files of images do.
   */
  inventory(image: string, options?: LocationOptions): Promise<ImageInventory>;
  /**
   * The same as a document, deterministic: its time is SOURCE_DATE_EPOCH of `env`, else when the image was made. Of an inventory, nothing is looked at
   * again.
   */
  sbom(image: string | ImageInventory, format: BillFormat, options?: LocationOptions): Promise<string>;
  /** The same text in pieces, for images of so many packages that one text of them would not fit. */
  sbomPieces(image: string | ImageInventory, format: BillFormat, options?: LocationOptions): AsyncIterable<string>;
}
