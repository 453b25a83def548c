/** `db`: the advisories that scans compare with. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { AdvisorySigners, AdvisorySource, AdvisoryStatus } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import type { ParsedFlags } from "../flags.ts";
import { formatJsonLine } from "../json.ts";
import { alignColumns } from "../table.ts";
import { formatSize } from "../units.ts";
import { formatAge } from "./advisory-age.ts";
import { checkOutputPath, writeOutputFile, writeToStdout } from "./archive-file.ts";
import { jsonAsked } from "./tags.ts";

/** What an import brought at the time that stands above is not told again. */
function describeSource({ name, newest, newestYear, isAdded, importedSeconds = 0 }: AdvisorySource, createdSeconds: number): string {
  const words = [
    newest === undefined ? (newestYear === undefined ? "" : `newest name of ${newestYear}`) : `newest record of ${newest}`,
    importedSeconds === 0 || importedSeconds === createdSeconds ? "" : `imported ${new Date(importedSeconds * 1000).toISOString().slice(0, 10)}`,
    isAdded ? "added" : "",
  ];
  return [name, ...words.filter((word) => word !== "")].join(", ");
}

function formatStatus(status: AdvisoryStatus, nowMs: number): string {
  const { digest, ecosystems, exploited, pulledFrom, createdSeconds } = status;
  const head = [
    ["Digest:", digest],
    ["Imported:", `${new Date(createdSeconds * 1000).toISOString().slice(0, 10)} (${formatAge(createdSeconds, nowMs)})`],
    ["Exploited:", `${exploited} known`],
    ...(pulledFrom === undefined ? [] : [["Pulled from:", pulledFrom]]),
    ...status.sources.map((source, at) => [at === 0 ? "Sources:" : "", describeSource(source, createdSeconds)]),
  ];
  const rows = ecosystems.map(({ name, packages, advisories, sizeBytes }) => [name, String(packages), String(advisories), formatSize(sizeBytes)]);
  const lines = (cells: readonly (readonly string[])[]): string => cells.map((row) => `${row.map(printable).join("\t")}\n`).join("");
  return `${alignColumns(lines(head), { minWidth: 0, padding: 2 })}\n${alignColumns(lines([["ECOSYSTEM", "PACKAGES", "ADVISORIES", "SIZE"], ...rows]))}`;
}

function show(cli: Cli, status: AdvisoryStatus, quiet: boolean): number {
  cli.stdout.write(quiet ? `${status.digest}\n` : formatStatus(status, cli.now()));
  return 0;
}

/** Where none is named, whoever may write to the registry is believed. */
async function signersOf(cli: Cli, flags: ParsedFlags): Promise<{ readonly signers?: AdvisorySigners }> {
  const [{ keySources }, { identityOptions }] = await Promise.all([import("./key-sources.ts"), import("./identity-options.ts")]);
  const keys = keySources(cli, flags);
  const identity = identityOptions(cli, flags, { identity: "identity", issuer: "issuer" });
  return keys.length === 0 && identity === undefined ? {} : { signers: { keys, ...identity } };
}

export const runDbImport: Handler = async (cli, { flags, args }) => {
  const [first = ""] = args;
  const { advisories } = (await cli.open()).packages;
  const isReference = args.length === 1 && (first.startsWith("docker://") || (!existsSync(resolve(cli.cwd, first)) && /^[^./].*[/:]/.test(first)));
  const status = isReference
    ? await advisories.pull(first, { signal: cli.signal, ...(await signersOf(cli, flags)) })
    : await advisories.import(args, { add: flags.bool("add"), cwd: cli.cwd, nowMs: cli.now(), signal: cli.signal });
  return show(cli, status, flags.bool("quiet"));
};

export const runDbPull: Handler = async (cli, { flags, args }) => {
  const signers = await signersOf(cli, flags);
  return show(cli, await (await cli.open()).packages.advisories.pull(args[0], { signal: cli.signal, ...signers }), flags.bool("quiet"));
};

export const runDbExport: Handler = async (cli, { args }) => {
  const [target = ""] = args;
  const { advisories } = (await cli.open()).packages;
  if (target.startsWith("docker://")) {
    const { reference, digest } = await advisories.push(target, { signal: cli.signal });
    cli.stdout.write(`${reference}: ${digest}\n`);
    return 0;
  }
  if (target === "-") {
    await writeToStdout(cli, advisories.export());
    return 0;
  }
  const path = resolve(cli.cwd, target);
  await checkOutputPath(path, "");
  await writeOutputFile(path, advisories.export(), cli.signal);
  return 0;
};

export const runDbStatus: Handler = async (cli, { flags }) => {
  const json = jsonAsked(flags.string("format"));
  const status = await (await cli.open()).packages.advisories.status();
  if (status === undefined) {
    const remedy = "slipway db import FILE, or slipway db pull REFERENCE";
    throw new SlipwayError("failed_precondition", "NO_DATABASE", "there are no advisories here", { remedy, bare: true });
  }
  cli.stdout.write(json ? `${formatJsonLine(status)}\n` : formatStatus(status, cli.now()));
  return 0;
};
