/** `scan`: an image's packages, or a bill's, beside what is known of vulnerabilities. No request is made but for the image itself. */
import { SlipwayError } from "../../base/errors.ts";
import type { Store } from "../../store/index.ts";
import { type Finding } from "../../trust/findings/finding.ts";
import type { Exposure } from "../../trust/findings/exposure.ts";
import { isAbout, isAboutExposure, isExpired, type IgnoreEntry } from "../../trust/findings/ignore-file.ts";
import { matchPackages, type FindAdvisories, type Matches } from "../../trust/findings/match-packages.ts";
import type { VexStatement } from "../../trust/findings/vex.ts";
import type { ImageInventory } from "../../trust/packages/image-inventory.ts";
import { advisoriesOf, emptyIndex, requireIndex } from "../advisories/database.ts";
import { statusOf } from "../advisories/status.ts";
import { imageInventory, type InventoryOptions } from "../inventory/image-inventory.ts";
import type { Scanner, ScanOptions, ScanResult } from "../scan-api.ts";
import type { Surroundings } from "../transports/open-source.ts";
import type { VexScope } from "./attested-vex.ts";

/** `sbom:FILE`, or a file that is named like one. */
export function billPath(image: string): string | undefined {
  if (image.startsWith("sbom:")) return image.slice("sbom:".length);
  return /^[./].*\.json$|^[^:@]*\.json$/i.test(image) ? image : undefined;
}

async function inventoryOf(surroundings: Surroundings, image: string, options: InventoryOptions): Promise<ImageInventory> {
  const bill = billPath(image);
  if (bill === undefined) return await imageInventory(surroundings, image, options);
  const [{ parseBill }, { readInput }] = await Promise.all([import("../../trust/sbom/read-bill.ts"), import("./read-input.ts")]);
  return parseBill(readInput(surroundings.cwd, bill), bill);
}

async function skippingOf({ skipPaths }: ScanOptions) {
  const { directories = [], files = [] } = skipPaths ?? {};
  if (directories.length + files.length === 0) return undefined;
  const { skipperOf, withoutPaths } = await import("./skip-paths.ts");
  return { withoutPaths, isSkipped: skipperOf({ directories, files }) };
}

async function entriesIn(cwd: string, file: string): Promise<readonly IgnoreEntry[]> {
  const [{ parseIgnoreFile }, { readInput }] = await Promise.all([import("../../trust/findings/ignore-file.ts"), import("./read-input.ts")]);
  return parseIgnoreFile(readInput(cwd, file).toString(), file);
}

async function statementsIn(cwd: string, files: readonly string[]): Promise<readonly VexStatement[]> {
  if (files.length === 0) return [];
  const [{ parseVex }, { readInput }] = await Promise.all([import("../../trust/findings/vex.ts"), import("./read-input.ts")]);
  return files.flatMap((file) => parseVex(readInput(cwd, file), file));
}

/** Fails with NO_DATABASE (failed_precondition), ADVISORIES_DAMAGED (data_loss), and as reading the image does. */
export async function scanImage(surroundings: Surroundings, image: string, options: ScanOptions): Promise<ScanResult> {
  const { store, cwd } = surroundings;
  const { against, vex = [], ignoreFile, comprehensive = false, skip = [], nowMs = Date.now(), platform, scanners = ["vuln"] } = options;
  const isVulnerabilities = scanners.includes("vuln");
  const index = isVulnerabilities ? requireIndex(store) : emptyIndex;
  const ignored = ignoreFile === undefined ? [] : await entriesIn(cwd, ignoreFile);
  const statements = await statementsIn(cwd, vex);
  const exploited = new Set(index.exploited);
  const skipping = await skippingOf(options);
  const find: FindAdvisories = (ecosystem, names) => advisoriesOf(store, index, ecosystem, names);
  const match = async (name: string, from: InventoryOptions): Promise<{ readonly inventory: ImageInventory; readonly matches: Matches }> => {
    const all = await inventoryOf(surroundings, name, from);
    const whole = skipping === undefined ? all : skipping.withoutPaths(all, skipping.isSkipped);

    const inventory = { ...whole, packages: whole.packages.filter(({ type }) => isVulnerabilities && !skip.includes(type)) };
    return { inventory, matches: matchPackages(inventory, { find, exploited, comprehensive }) };
  };
  const { inventory, matches } = await match(image, { platform, base: options.base });

  const today = new Date(nowMs).toISOString().slice(0, 10);
  const valid = ignored.filter((entry) => !isExpired(entry, today));
  const attested = await attestedScopes(surroundings, image, inventory, options);
  const scopes: readonly VexScope[] = [...attested, ...(statements.length === 0 ? [] : [{ statements, image: inventory, fromBaseOnly: false }])];
  const findings = await judged(
    matches.findings.map((finding) => ignoring(finding, valid)),
    scopes,
  );
  const compared = against === undefined ? undefined : compare(findings, (await match(against, { platform })).matches.findings);
  return {
    image: inventory,
    findings: compared?.findings ?? findings,
    fixed: compared?.fixed ?? [],
    ecosystems: matches.ecosystems,
    missing: [...matches.missing].map(([ecosystem, packages]) => ({ ecosystem, packages })),
    unknown: matches.unknown,
    expired: ignored.filter((entry) => isExpired(entry, today)).map(({ id, line, until }) => `${id} (line ${line}, until ${until})`),
    exposures: (await exposuresOf(surroundings, image, { platform, scanners, ignored: valid })).filter(({ where }) => skipping?.isSkipped(where) !== true),
    database: isVulnerabilities ? statusOf(store, index) : undefined,
  };
}

async function attestedScopes(
  surroundings: Surroundings,
  image: string,
  inventory: ImageInventory,
  { vexKeys: keys = [], vexIdentities }: ScanOptions,
): Promise<readonly VexScope[]> {
  if ((keys.length === 0 && vexIdentities === undefined) || billPath(image) !== undefined) return [];
  const { attestedVex } = await import("./attested-vex.ts");
  return await attestedVex(surroundings, image, inventory, { keys, ...vexIdentities });
}

interface ExposureCall {
  readonly platform: string | undefined;
  readonly scanners: readonly Scanner[];
  readonly ignored: readonly IgnoreEntry[];
}

async function exposuresOf(surroundings: Surroundings, image: string, { platform, scanners, ignored }: ExposureCall): Promise<readonly Exposure[]> {
  const [secrets, misconfiguration] = [scanners.includes("secret"), scanners.includes("misconfig")];
  if (!secrets && !misconfiguration) return [];
  if (billPath(image) !== undefined) {
    throw new SlipwayError("invalid_argument", "USAGE", "a bill has no files: secrets and set-up are looked for in images");
  }
  const [{ findExposures }, { openImage }] = await Promise.all([import("./find-exposures.ts"), import("../inventory/open-image.ts")]);
  await using opened = await openImage(surroundings, image, platform);
  const found = await findExposures(opened, { secrets, misconfiguration: misconfiguration && opened.kind !== "files" });
  return found.map((exposure) => {
    const entry = ignored.find((one) => isAboutExposure(one, exposure));
    return entry === undefined ? exposure : { ...exposure, suppressed: { by: "ignore file", reason: entry.reason } };
  });
}

function ignoring(finding: Finding, ignored: readonly IgnoreEntry[]): Finding {
  const entry = finding.suppressed === undefined ? ignored.find((one) => isAbout(one, finding)) : undefined;
  return entry === undefined ? finding : { ...finding, suppressed: { by: "ignore file", reason: entry.reason } };
}

/** What is given as a file counts before what is attested, and that of the image before its base's. */
async function judged(findings: readonly Finding[], scopes: readonly VexScope[]): Promise<readonly Finding[]> {
  if (scopes.length === 0) return findings;
  const { judgeByStatements } = await import("./judge-statements.ts");
  return findings.map((finding) => judgeByStatements(finding, scopes));
}

/** A vulnerability of a package is the same whatever version of the package has it. */
function compare(now: readonly Finding[], before: readonly Finding[]): { readonly findings: readonly Finding[]; readonly fixed: readonly Finding[] } {
  const keyOf = ({ id, ecosystem, name }: Finding): string => `${id} ${ecosystem.split(":")[0]} ${name}`;
  const [old, current] = [new Set(before.map(keyOf)), new Set(now.map(keyOf))];
  return {
    findings: now.map((finding) => ({ ...finding, isNew: !old.has(keyOf(finding)) })),
    fixed: before.filter((finding) => !current.has(keyOf(finding))),
  };
}

export type { Store };
