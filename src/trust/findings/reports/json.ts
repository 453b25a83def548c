/** Our own form: all that is known, under the library's names. */
import { formatOrigin } from "../../packages/image-inventory.ts";
import { timeOf } from "../../sbom/bill.ts";
import { countUnversioned, type ImagePackage } from "../../packages/package.ts";
import { purlOf } from "../../sbom/purl.ts";
import type { Finding } from "../finding.ts";
import type { Report } from "./report.ts";

type ObjectOf = (found: ImagePackage) => object;

/** Packages have many findings: what is said of each is made once. */
function packageObjects({ image }: Report): ObjectOf {
  const made = new Map<ImagePackage, object>();
  return (one) => {
    const known = made.get(one) ?? {
      name: one.name,
      version: one.version,
      purl: purlOf(one, image.distribution),
      path: `/${one.path}`,
      layer: { index: one.layer, diffId: image.layers[one.layer]?.diffId, origin: formatOrigin(image.layers[one.layer]) },
      ...(one.locked === true ? { locked: true } : {}),
    };
    made.set(one, known);
    return known;
  };
}

function findingObject({ packages, ...rest }: Finding, objectOf: ObjectOf): object {
  return { ...rest, packages: packages.map(objectOf) };
}

export function jsonReport(report: Report): object {
  const { image, database, missing, unknown, tool, createdSeconds } = report;
  const { name, id, manifest, platform, distribution, base } = image;
  const objectOf = packageObjects(report);
  return {
    schema: "slipway-scan 1",
    created: timeOf(createdSeconds),
    tool,
    image: { name, id, manifest, platform, distribution, base, packages: image.packages.length },
    ...(database === undefined ? {} : { advisories: { digest: database.digest, imported: timeOf(database.createdSeconds) } }),
    incomplete: {
      ecosystems: missing,
      unknownPackages: unknown,
      unversionedPackages: countUnversioned(image),
      files: image.omissions.map(({ path, reason }) => ({ path: `/${path}`, reason })),
    },
    findings: report.findings.map((finding) => findingObject(finding, objectOf)),
    fixed: report.fixed.map((finding) => findingObject(finding, objectOf)),
    exposures: report.exposures.map((one) => ({ ...one, ...(one.layer === undefined ? {} : { origin: formatOrigin(image.layers[one.layer]) }) })),
  };
}
