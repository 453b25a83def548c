/** What images are made of and what is known of it: packages, bills, versions, advisories and their matching, as pure values. */
export {
  severities,
  severityOfScore,
  type Advisory,
  type PackageAdvisory,
  type Severity,
  type VendorStatus,
  type VersionRange,
} from "./advisories/advisory.ts";
export { advisoryKeyOf, type AdvisoryKey } from "./advisories/ecosystems.ts";
export { packEcosystem } from "./advisories/pack-ecosystem.ts";
export type { PackedEcosystem } from "./advisories/packed-blocks.ts";
export { PackedFile } from "./advisories/packed-file.ts";
export { readFeed, type Feed } from "./advisories/read-feed.ts";
export { inOrder, isShownByDefault, type Finding, type Suppression } from "./findings/finding.ts";
export { failsGate, parseGate, type Gate } from "./findings/gate.ts";
export { matchPackages, type FindAdvisories, type Matches, type MatchOptions } from "./findings/match-packages.ts";
export { openVexDocument, parseVex, statementOn, type VexStatement } from "./findings/vex.ts";
export { formatOrigin, mergeLayers } from "./packages/index.ts";
export type { Distribution, FoundPackage, ImageInventory, ImagePackage, Inventory, LayerOrigin, Omission, PackageType } from "./packages/index.ts";
export type { Bill } from "./sbom/bill.ts";
export { cyclonedxDocument } from "./sbom/cyclonedx.ts";
export { packageFromPurl, type ParsedPurl } from "./sbom/parse-purl.ts";
export { purlOf } from "./sbom/purl.ts";
export { parseBill } from "./sbom/read-bill.ts";
export { spdxDocument } from "./sbom/spdx.ts";
export { compareVersions, type CompareVersions } from "./versions/compare-versions.ts";
