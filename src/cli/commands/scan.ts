/** `scan`: an image's packages beside known vulnerabilities. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { PackageType, ReportFormat, Scanner, ScanResult } from "../../engine/api.ts";
import { isComplete, reportFormats, scannerNames } from "../../engine/scan-api.ts";
import { exposureFailsGate, failsGate, packageTypes, parseGate, passesUnrated } from "../../engine/scan/gate.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { oldAdvisories, silentSources } from "./advisory-age.ts";
import { platformOption } from "./platform-flag.ts";
import { withPipedImage } from "./piped-image.ts";
import { named, warnOfOmissions, writeOutput } from "./sbom.ts";
import { formatScanTable } from "./scan-table.ts";
import { countOf, parseView, shownOf } from "./scan-view.ts";

const formats = ["table", ...reportFormats] as const;

function parseFormat(word: string): "table" | ReportFormat {
  const format = formats.find((one) => one === word);
  if (format === undefined) throw cliError(`unknown format ${JSON.stringify(word)}: want one of ${formats.join(", ")}`);
  return format;
}

function parseSkipped(words: readonly string[]): readonly PackageType[] {
  return words
    .flatMap((word) => word.split(","))
    .map((word) => {
      const type = packageTypes.find((one) => one === word);
      if (type === undefined) throw cliError(`--skip has no kind ${JSON.stringify(word)}: want one of ${packageTypes.join(", ")}`);
      return type;
    });
}

function scannersOf(words: readonly string[]): { readonly scanners?: readonly Scanner[] } {
  const given = words.flatMap((word) => word.split(","));
  const unknown = given.find((word) => !(scannerNames as readonly string[]).includes(word));
  if (unknown !== undefined) throw cliError(`--scanners has no word ${JSON.stringify(unknown)}: want some of ${scannerNames.join(", ")}`);
  return given.length === 0 ? {} : { scanners: scannerNames.filter((one) => given.includes(one)) };
}

const signerFlags = [
  "vex-key",
  "vex-identity",
  "vex-identity-regexp",
  "vex-issuer",
  "vex-issuer-regexp",
  "trusted-root",
  "insecure-ignore-tlog",
  "insecure-ignore-sct",
];

async function optionsOf(cli: Cli, flags: ParsedFlags) {
  const [given, against, base] = [flags.optional("ignore-file") ?? flags.optional("ignorefile"), flags.optional("against"), flags.optional("base")];
  const ignoreFile = given ?? (existsSync(resolve(cli.cwd, ".scanignore")) ? ".scanignore" : undefined);
  const isSignerAsked = signerFlags.some((name) => flags.changed(name));
  return {
    cwd: cli.cwd,
    env: cli.env,
    signal: cli.signal,
    nowMs: cli.now(),
    vex: flags.list("vex"),
    ...(isSignerAsked ? (await import("./scan-signers.ts")).vexSigners(cli, flags) : {}),
    skip: parseSkipped(flags.list("skip")),
    skipPaths: { directories: flags.list("skip-dirs"), files: flags.list("skip-files") },
    ...scannersOf(flags.list("scanners")),
    comprehensive: flags.bool("comprehensive"),
    ...(ignoreFile === undefined || ignoreFile === "" ? {} : { ignoreFile }),
    ...(against === undefined ? {} : { against }),
    ...(base === undefined ? {} : { base }),
    ...platformOption(flags),
  };
}

/** What makes the answer less than it seems goes to standard error, whatever the format. */
function warn(cli: Cli, result: ScanResult): void {
  const say = (text: string): void => cli.stderr.write(`WARNING: ${text}\n`);
  for (const { ecosystem, packages } of result.missing)
    say(`${packages} packages of ${ecosystem} were not compared: there are no advisories of it here (slipway db import)`);
  if (result.unknown > 0)
    say(`${result.unknown} packages were not compared: no advisories are known for ${result.image.distribution?.name ?? "an unknown distribution"}`);
  const unversioned = result.image.packages.filter(({ version }) => version === "").length;
  if (unversioned > 0) say(`${unversioned} packages in bundles were not compared: nothing tells their versions`);
  for (const entry of result.expired) say(`the ignore file's entry for ${entry} holds no more`);
  const { database, ecosystems } = result;
  const aged = database === undefined ? [] : [oldAdvisories(database, ecosystems, cli.now()), silentSources(database, ecosystems, cli.now())];
  for (const text of aged) if (text !== "") say(text);
  warnOfOmissions(cli, result.image);
}

function exitCodeOf(result: ScanResult, failing: number, isGateKnown: boolean): number {
  if (failing > 0) return 1;
  return isGateKnown && isComplete(result) ? 0 : 3;
}

export const runScan: Handler = async (cli, { flags, args }) => {
  const format = parseFormat(flags.string("format"));
  const gate = parseGate(flags.list("fail-on"));
  const view = parseView(flags);
  if (gate?.isNew === true && flags.optional("against") === undefined)
    throw cliError('--fail-on "new" needs --against: new is what an older image does not have');
  const options = await optionsOf(cli, flags);
  const { packages } = await cli.open();
  const image = args[0]!;
  const scanned = await withPipedImage(cli, image, true, async (place) => await packages.scan(place, options));
  const result = { ...scanned, image: named(image, scanned.image) };
  warn(cli, result);
  const lacksExploited = gate?.exploited === true && result.database?.exploited === 0;
  if (lacksExploited)
    cli.stderr.write("WARNING: it is not known what is exploited: kev finds nothing (slipway db import known_exploited_vulnerabilities.json)\n");
  const isCompared = options.against !== undefined;
  const shown = shownOf(view, result, { all: flags.bool("all"), isDocument: format !== "table", isCompared });
  const visible = { ...result, exposures: result.exposures.filter(view.passesExposure) };
  const text =
    format === "table"
      ? formatScanTable(visible, shown, { nowMs: cli.now(), filters: view.filters })
      : await packages.report(visible, format, { findings: shown, env: cli.env });
  await writeOutput(cli, flags.string("output"), text);
  const vexOut = flags.string("vex-out");
  if (vexOut !== "") await writeOutput(cli, vexOut, await packages.vex(result, { env: cli.env }));
  const coded = view.exitCode === undefined ? 0 : countOf(view, result, isCompared);
  if (coded > 0 && view.exitCode !== 0) {
    cli.stderr.write(`${coded} ${coded === 1 ? "finding" : "findings"}: --exit-code ${view.exitCode}\n`);
    return view.exitCode ?? 1;
  }
  const failing =
    gate === undefined
      ? 0
      : result.findings.filter((finding) => failsGate(gate, finding)).length + result.exposures.filter((one) => exposureFailsGate(gate, one)).length;
  const unrated = gate === undefined ? 0 : result.findings.filter((finding) => passesUnrated(gate, finding)).length;
  if (unrated > 0)
    cli.stderr.write(
      `WARNING: --fail-on passed over ${unrated === 1 ? "1 finding" : `${unrated} findings`} of unknown severity ("unknown" in its list takes them)\n`,
    );
  if (failing > 0) cli.stderr.write(`${failing} ${failing === 1 ? "finding fails" : "findings fail"} --fail-on ${flags.list("fail-on").join(",")}\n`);
  return exitCodeOf(result, failing, !lacksExploited);
};
