/** The form of Trivy's `--format json` (schema 2), for tools that read it. */
import type { VendorStatus } from "../../advisories/advisory.ts";
import { isDistributionType, type ImagePackage, type PackageType } from "../../packages/package.ts";
import { timeOf } from "../../sbom/bill.ts";
import { purlOf } from "../../sbom/purl.ts";
import type { Finding } from "../finding.ts";
import type { Report } from "./report.ts";

const languages: Readonly<Record<Exclude<PackageType, "deb" | "apk" | "rpm">, readonly [type: string, target: string]>> = {
  npm: ["node-pkg", "Node.js"],
  pypi: ["python-pkg", "Python"],
  maven: ["jar", "Java"],
  gem: ["gemspec", "Ruby"],
  golang: ["gobinary", ""],
  cargo: ["rustbinary", ""],
  composer: ["composer-vendor", ""],
  nuget: ["dotnet-core", ""],
};

const statuses: Readonly<Record<VendorStatus, string>> = {
  affected: "affected",
  minor: "affected",
  unimportant: "affected",
  "will-not-fix": "will_not_fix",
  deferred: "fix_deferred",
  "end-of-life": "end_of_life",
};

function vulnerabilityOf(finding: Finding, found: ImagePackage, { image }: Report): object {
  const { id, aliases, severity, score, title, url, published, fixedVersion, status } = finding;
  const diffId = image.layers[found.layer]?.diffId;
  return {
    VulnerabilityID: id,
    ...(aliases.length === 0 ? {} : { VendorIDs: aliases }),
    PkgID: `${found.name}@${found.version}`,
    PkgName: found.name,
    ...(isDistributionType(found.type) ? {} : { PkgPath: found.path }),
    PkgIdentifier: { PURL: purlOf(found, image.distribution) },
    InstalledVersion: found.version,
    ...(fixedVersion === undefined ? {} : { FixedVersion: fixedVersion }),
    Status: fixedVersion === undefined ? statuses[status ?? "affected"] : "fixed",
    Layer: diffId === undefined ? {} : { DiffID: diffId },
    PrimaryURL: url,
    ...(title === undefined ? {} : { Title: title }),
    Severity: severity === "negligible" ? "LOW" : severity.toUpperCase(),
    ...(score === undefined ? {} : { CVSS: { osv: { V3Score: score } } }),
    ...(published === undefined ? {} : { PublishedDate: `${published}T00:00:00Z` }),
  };
}

interface Target {
  readonly Target: string;
  readonly Class: "os-pkgs" | "lang-pkgs";
  readonly Type: string;
}

function targetOf(found: ImagePackage, { image }: Report): Target {
  const { distribution } = image;
  if (found.type === "deb" || found.type === "apk" || found.type === "rpm") {
    const [family, version] = [distribution?.id ?? "", distribution?.version ?? ""];
    return { Target: `${image.name} (${family} ${version})`, Class: "os-pkgs", Type: family };
  }
  const [Type, target] = languages[found.type];
  return { Target: target === "" ? found.path : target, Class: "lang-pkgs", Type };
}

/** Trivy has secrets by file; what is wrong with a set-up it finds in other files than images. */
function secretResults({ exposures, image }: Report): readonly object[] {
  const secrets = exposures.filter(({ kind, suppressed }) => kind === "secret" && suppressed === undefined);
  return [...Map.groupBy(secrets, ({ where }) => where)].map(([Target, list]) => ({
    Target,
    Class: "secret",
    Secrets: list.map(({ rule, severity, title, line, layer }) => ({
      RuleID: rule,
      Category: "general",
      Severity: severity.toUpperCase(),
      Title: title,
      StartLine: line ?? 1,
      EndLine: line ?? 1,
      Match: "****",
      Layer: layer === undefined ? {} : { DiffID: image.layers[layer]?.diffId },
    })),
  }));
}

export function trivyReport(report: Report): object {
  const { image, createdSeconds } = report;
  const results = new Map<string, { readonly target: Target; readonly vulnerabilities: object[] }>();
  for (const finding of report.findings) {
    if (finding.suppressed !== undefined) continue;
    for (const found of finding.packages) {
      const target = targetOf(found, report);
      const key = JSON.stringify(target);
      const result = results.get(key) ?? { target, vulnerabilities: [] };
      results.set(key, result);
      result.vulnerabilities.push(vulnerabilityOf(finding, found, report));
    }
  }
  const { distribution } = image;
  return {
    SchemaVersion: 2,
    CreatedAt: timeOf(createdSeconds),
    ArtifactName: image.name,
    ArtifactType: "container_image",
    Metadata: {
      ...(distribution === undefined ? {} : { OS: { Family: distribution.id, Name: distribution.version } }),
      ImageID: image.id,
      DiffIDs: image.layers.map(({ diffId }) => diffId),
    },
    Results: [...[...results.values()].map(({ target, vulnerabilities }) => ({ ...target, Vulnerabilities: vulnerabilities })), ...secretResults(report)],
  };
}
