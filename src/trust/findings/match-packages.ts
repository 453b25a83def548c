/** From packages and advisories to findings. Pure: who has the advisories answers the questions. */
import type { Advisory } from "../advisories/advisory.ts";
import { advisoryKeyOf, type AdvisoryKey } from "../advisories/ecosystems.ts";
import { isDistributionType, type ImagePackage, type Inventory } from "../packages/package.ts";
import type { LayerOrigin } from "../packages/image-inventory.ts";
import { compareVersions } from "../versions/compare-versions.ts";
import { inOrder, severityRank, type Finding } from "./finding.ts";
import { verdictOn } from "./is-affected.ts";

/** By name, those that have any; undefined where there are no advisories of the ecosystem at all. */
export type FindAdvisories = (ecosystem: string, names: readonly string[]) => Iterable<readonly [name: string, advisories: readonly Advisory[]]> | undefined;

export interface MatchOptions {
  readonly find: FindAdvisories;
  readonly exploited: ReadonlySet<string>;
  /** also files that the distribution's packages brought, against upstream's advisories */
  readonly comprehensive: boolean;
}

export interface Matches {
  /** sorted */
  readonly findings: readonly Finding[];
  /** of packages that were compared */
  readonly ecosystems: readonly string[];
  /** ecosystems of packages that nothing is known of, with how many packages each: their packages were not compared */
  readonly missing: ReadonlyMap<string, number>;
  /** packages of distributions that are known for no advisories */
  readonly unknown: number;
}

interface Asked {
  readonly key: AdvisoryKey;
  readonly packages: ImagePackage[];
}

/** What a lock file names and is installed too is asked for once; what has no version is not asked for. */
function compared({ packages }: Inventory, comprehensive: boolean): readonly ImagePackage[] {
  const installed = new Set(packages.filter((one) => one.locked !== true).map((one) => `${one.type} ${one.name} ${one.version}`));
  return packages.filter((one) => {
    if (one.version === "") return false;
    if (!comprehensive && one.owner !== undefined && !isDistributionType(one.type)) return false;
    return one.locked !== true || !installed.has(`${one.type} ${one.name} ${one.version}`);
  });
}

export function matchPackages(inventory: Inventory & { readonly layers: readonly LayerOrigin[] }, { find, exploited, comprehensive }: MatchOptions): Matches {
  const byEcosystem = new Map<string, Map<string, Asked>>();
  let unknown = 0;
  for (const found of compared(inventory, comprehensive)) {
    const key = advisoryKeyOf(found, inventory);
    if (key === undefined) {
      unknown++;
      continue;
    }
    const asked = byEcosystem.get(key.ecosystem) ?? new Map<string, Asked>();
    byEcosystem.set(key.ecosystem, asked);
    const own = `${key.name}\t${key.version}`;
    const known = asked.get(own);
    if (known === undefined) asked.set(own, { key, packages: [found] });
    else known.packages.push(found);
  }
  const missing = new Map<string, number>();
  const findings: Finding[] = [];
  for (const [ecosystem, asked] of byEcosystem) {
    const all = [...asked.values()];
    const byName = Map.groupBy(all, ({ key }) => key.name);
    const advisories = find(ecosystem, [...byName.keys()]);
    if (advisories === undefined) {
      missing.set(
        ecosystem,
        all.reduce((sum, { packages }) => sum + packages.length, 0),
      );
      continue;
    }
    for (const [name, own] of advisories) for (const one of byName.get(name) ?? []) findings.push(...findingsOf(one, own, exploited, inventory.layers));
  }
  return { findings: findings.sort(inOrder), ecosystems: [...byEcosystem.keys()].filter((ecosystem) => !missing.has(ecosystem)).sort(), missing, unknown };
}

interface Match {
  readonly advisory: Advisory;
  readonly fixedVersion: string | undefined;
}

/** Records of several sources about the same vulnerability are one. */
function findingsOf(
  { key, packages }: Asked,
  advisories: readonly Advisory[],
  exploited: ReadonlySet<string>,
  layers: readonly LayerOrigin[],
): readonly Finding[] {
  const [first] = packages as [ImagePackage, ...ImagePackage[]];
  const compare = compareVersions[first.type];
  const matches = new Map<string, Match[]>();
  const names = new Map<string, string>();
  for (const advisory of advisories) {
    if (advisory.module !== undefined && !isOfModule(first.module, advisory.module)) continue;
    const verdict = verdictOn(advisory, key.version, compare);
    if (verdict.kind !== "affected") continue;
    const known = [advisory.id, ...advisory.aliases].map((name) => names.get(name)).find((name) => name !== undefined) ?? advisory.id;
    for (const name of [advisory.id, ...mergeable(advisory)]) names.set(name, known);
    matches.set(known, [...(matches.get(known) ?? []), { advisory, fixedVersion: verdict.fixedVersion }]);
  }
  return [...matches.values()].map((same) => findingOf(key, packages, same, exploited, layers));
}

/** A bulletin of a vendor is about several vulnerabilities: having it in common makes them no one. */
function mergeable({ aliases }: Advisory): readonly string[] {
  return aliases.filter((alias) => /^(?:CVE|GHSA|GO|PYSEC|RUSTSEC|OSV|MAL)-/.test(alias));
}

function isOfModule(installed: string | undefined, wanted: string): boolean {
  return installed !== undefined && installed.split(":").slice(0, 2).join(":") === wanted.split(":").slice(0, 2).join(":");
}

function findingOf(
  key: AdvisoryKey,
  packages: readonly ImagePackage[],
  same: readonly Match[],
  exploited: ReadonlySet<string>,
  layers: readonly LayerOrigin[],
): Finding {
  const ids = [...new Set(same.flatMap(({ advisory }) => [advisory.id, ...advisory.aliases]))];
  const id = same.map(({ advisory }) => advisory.id).find((one) => one.startsWith("CVE-")) ?? ids.find((one) => one.startsWith("CVE-")) ?? (ids[0] as string);
  const rated = same.map(({ advisory }) => advisory).sort((a, b) => severityRank[b.severity] - severityRank[a.severity]);
  const [worst] = rated as [Advisory, ...Advisory[]];
  const fixed = same.flatMap(({ fixedVersion }) => fixedVersion ?? []);
  const compare = compareVersions[(packages[0] as ImagePackage).type];
  // every record has to be satisfied
  const fixedVersion = fixed.length === 0 ? undefined : fixed.reduce((a, b) => (compare(a, b) >= 0 ? a : b));
  const status = same.map(({ advisory }) => advisory.status).find((one) => one !== undefined);
  const score = rated.map((one) => one.score).find((one) => one !== undefined);
  const [title, url, published] = (["title", "url", "published"] as const).map((field) => rated.map((one) => one[field]).find((value) => value !== undefined));
  const bases = packages.map(({ layer }) => layers[layer]?.fromBase);
  const fromBase = bases.includes(undefined) ? undefined : bases.every((one) => one === true);
  return {
    id,
    aliases: ids.filter((one) => one !== id).sort(),
    severity: worst.severity,
    ...(score === undefined ? {} : { score }),
    ...(title === undefined ? {} : { title }),
    url: url ?? `https://osv.dev/vulnerability/${encodeURIComponent(id)}`,
    ...(published === undefined ? {} : { published }),
    ecosystem: key.ecosystem,
    name: key.name,
    version: key.version,
    ...(fixedVersion === undefined ? {} : { fixedVersion }),
    ...(status === undefined ? {} : { status }),
    exploited: exploited.has(id),
    packages,
    ...(fromBase === undefined ? {} : { fromBase }),
    ...(status === "unimportant" ? { suppressed: { by: "vendor", reason: "unimportant in the distribution's build" } as const } : {}),
  };
}
