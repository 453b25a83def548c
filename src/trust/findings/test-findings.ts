/** What the tests of this folder share: an image of two layers, packages, a finding. */
import { digestOf } from "../../oci/digest.ts";
import type { ImageInventory } from "../packages/image-inventory.ts";
import type { ImagePackage } from "../packages/package.ts";
import type { Finding } from "./finding.ts";

export const diffId = digestOf("layer");
export const packageOf = (fields: Partial<ImagePackage> & Pick<ImagePackage, "type" | "name" | "version">): ImagePackage => ({
  path: "p",
  layer: 0,
  ...fields,
});
export const imageOf = (packages: readonly ImagePackage[]): ImageInventory => ({
  name: "app:1",
  id: digestOf("app"),
  manifest: undefined,
  platform: "linux/amd64",
  createdSeconds: 0,
  distribution: { id: "debian", version: "12", codename: "bookworm", name: "Debian", idLike: [] },
  repositories: [],
  packages,
  omissions: [],
  layers: [
    { diffId, fromBase: true },
    { diffId, fromBase: false, instruction: "RUN npm ci", place: { dockerfile: "Dockerfile", start: 7, end: 8 } },
  ],
  base: { reference: "debian:12", layers: 1 },
});
export const lodash = packageOf({ type: "npm", name: "lodash", version: "1.0.0", layer: 1, path: "app/node_modules/lodash/package.json" });
export const [libssl, libssl3] = ["libssl3", "openssl"].map((name) =>
  packageOf({ type: "deb", name, version: "3.0.1-1", ...(name === "openssl" ? {} : { source: { name: "openssl", version: "3.0.1-1" } }) }),
) as [ImagePackage, ImagePackage];

export const finding = (fields: Partial<Finding> = {}): Finding => ({
  id: "CVE-2024-1",
  aliases: ["GHSA-1"],
  severity: "high",
  url: "https://osv.dev/vulnerability/CVE-2024-1",
  ecosystem: "npm",
  name: "lodash",
  version: "1.0.0",
  fixedVersion: "2.0.0",
  exploited: false,
  packages: [lodash],
  fromBase: false,
  ...fields,
});
