/** `buildx bake`: the targets of bake files, each as `build` would build it, side by side unless one stands on another. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isSlipwayError } from "../../base/errors.ts";
import { formatPlatform, hostPlatform } from "../../oci/index.ts";
import { printedAttributes } from "../bake/bake-attributes.ts";
import { readBakeFiles, resolveBake, type BakeDefinition } from "../bake/bake-definition.ts";
import { BakeTargets, sentTo, targetsBelow, type BakePlan, type BakeTarget } from "../bake/bake-targets.ts";
import { buildWords } from "../bake/build-words.ts";
import { hclBoolean, hclText, type HclValue } from "../bake/hcl-value.ts";
import type { Cli } from "../cli.ts";
import type { CommandTable, Handler } from "../command.ts";
import { cliError, renderTargetFailure } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { formatJsonLine } from "../json.ts";
import { createRenderer, chooseMode } from "../progress/create-renderer.ts";
import { callCommand } from "../run-command.ts";
import { alignColumns } from "../table.ts";
import { writeExcerpt } from "./show-task.ts";

/** The lines of the file that is wrong stand above the message. */
async function withExcerpt<T>(cli: Cli, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const excerpt = isSlipwayError(error) ? error.details["excerpt"] : undefined;
    if (typeof excerpt === "string") cli.stderr.write(excerpt);
    throw error;
  }
}

async function definitionOf(cli: Cli, flags: ParsedFlags): Promise<BakeDefinition> {
  const files = flags.list("file");
  const stdin = files.includes("-") ? Buffer.concat(await Array.fromAsync(cli.stdin.chunks)).toString() : undefined;
  const predefined = new Map<string, HclValue>([
    ["BAKE_CMD_CONTEXT", "cwd://"],
    ["BAKE_LOCAL_PLATFORM", formatPlatform(hostPlatform())],
  ]);
  return resolveBake(await readBakeFiles(cli, files, stdin), cli.env, predefined);
}

function listText(kind: string, definition: BakeDefinition, targets: BakeTargets): string {
  const [, what = kind, format = ""] = /^(?:type=)?(\w+)(?:,format=(\w+))?$/.exec(kind) ?? [];
  if (what !== "targets" && what !== "variables") throw cliError(`invalid list type ${what}`);
  if (what === "variables") {
    const rows = definition.variables.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (format === "json") return `${formatJsonLine(rows.map(({ name, value, description, type }) => ({ name, type, value, description })))}\n`;
    const shown = rows.map(
      ({ name, type, value, description }) => `${name}\t${type}\t${hclText(value) ?? (value === null ? "<null>" : JSON.stringify(value))}\t${description}\n`,
    );
    return alignColumns(`VARIABLE\tTYPE\tVALUE\tDESCRIPTION\n${shown.join("")}`);
  }
  const names = [...new Set([...targets.groups.keys(), ...targets.names])].filter((name) => !name.startsWith("_")).toSorted();
  const described = names.map((name) => ({ name, description: targets.descriptionOf(name), members: targets.groups.get(name) }));
  if (format === "json")
    return `${formatJsonLine(described.map(({ name, description, members }) => ({ name, description: description || members?.join(", ") || "", group: members !== undefined })))}\n`;
  return alignColumns(
    `TARGET\tDESCRIPTION\n${described.map(({ name, description, members }) => `${name}\t${description || members?.join(", ") || ""}\n`).join("")}`,
  );
}

function printText({ groups, targets }: BakePlan): string {
  const group = Object.fromEntries([...groups].map(([name, members]) => [name, { targets: members }]));
  const target = Object.fromEntries(
    targets.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, attributes }) => [name, printedAttributes(attributes)]),
  );
  return `${JSON.stringify({ group, target }, null, 2)}\n`;
}

/** `--sbom` and `--provenance`, as `--set` says them. */
function attestations(flags: ParsedFlags): readonly string[] {
  return ["sbom", "provenance"].flatMap((type) => {
    const text = flags.string(type);
    if (text === "") return [];
    const isOn = hclBoolean(text);
    return [`*.attest=type=${type}${isOn === true ? "" : isOn === false ? ",disabled=true" : `,${text}`}`];
  });
}

/** What the flags say of all targets. */
function withFlags({ name, attributes }: BakeTarget, flags: ParsedFlags, isAsked: boolean): BakeTarget {
  const bools = Object.fromEntries(["no-cache", "pull"].flatMap((flag) => (flags.changed(flag) ? [[flag, flags.bool(flag)]] : [])));
  const call = flags.bool("check") ? "check" : flags.changed("call") ? flags.string("call") : undefined;
  const own = { ...attributes, ...bools, ...(call === undefined ? {} : { call }) };
  const pushed = flags.bool("push") && isAsked ? sentTo(own, "push") : own;
  return { name, attributes: flags.bool("load") && isAsked ? sentTo(pushed, "load") : pushed };
}

interface BakeRun {
  readonly cli: Cli;
  readonly table: CommandTable;
  readonly flags: ParsedFlags;
  readonly directory: string;
  readonly layouts: ReadonlyMap<string, string>;
  readonly metadata: Map<string, unknown>;
}

/** Answers the exit code of the build. Fails as the build does. */
async function bakeTarget({ cli, table, flags, directory, layouts, metadata }: BakeRun, { name, attributes }: BakeTarget): Promise<number> {
  const inline = attributes["dockerfile-inline"];
  const inlineFile = typeof inline === "string" ? join(directory, name, "Dockerfile") : undefined;
  if (inlineFile !== undefined && typeof inline === "string") {
    mkdirSync(join(directory, name));
    writeFileSync(inlineFile, inline);
  }
  const layout = layouts.get(name);
  const outputs = (attributes["output"] ?? []) as readonly Readonly<Record<string, string>>[];
  const own = outputs.length === 0 ? [{ type: "image" }] : outputs.filter(({ type }) => type !== "cacheonly");
  const kept = layout === undefined ? outputs : [...own, { type: "oci", dest: layout, tar: "false" }];
  const metadataFile = join(directory, `${name}.json`);
  const told = flags.string("metadata-file") === "" ? [] : ["--metadata-file", metadataFile];
  const words = buildWords(layout === undefined ? attributes : { ...attributes, output: kept }, { inlineFile, layouts });
  const code = await callCommand(table, cli, [
    "build",
    "--progress",
    flags.string("progress"),
    ...flags.list("allow").flatMap((word) => ["--allow", word]),
    ...told,
    ...words,
  ]);
  if (code === 0 && told.length > 0) metadata.set(name, JSON.parse(readFileSync(metadataFile, "utf8")));
  return code;
}

async function bakeAll(cli: Cli, table: CommandTable, flags: ParsedFlags, targets: readonly BakeTarget[]): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-bake-"));
  const layouts = new Map(targets.flatMap(({ attributes }) => targetsBelow(attributes)).map((name) => [name, join(directory, `${name}.layout`)]));
  const metadata = new Map<string, unknown>();
  try {
    const code = await bakeTogether({ cli, table, flags, directory, layouts, metadata }, targets);
    const file = flags.string("metadata-file");
    const sorted = [...metadata].toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (code === 0 && file !== "") writeFileSync(resolve(cli.cwd, file), JSON.stringify(Object.fromEntries(sorted), null, 2));
    return code;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a build fails with; or the code that it answers, where that is one of failure. */
interface BakeFailure {
  readonly target: string;
  readonly error: unknown;
  readonly code: number;
}

/** The first failure ends the others, and is what is told. */
async function bakeTogether(run: BakeRun, targets: readonly BakeTarget[]): Promise<number> {
  const { cli, flags } = run;
  const stop = new AbortController();
  const renderer = await createRenderer({ mode: chooseMode(flags.string("progress"), false, cli), cli, expandWarnings: cli.debug });
  const named = targets.length > 1 ? (await import("../progress/named-renderer.ts")).namedRenderer : undefined;
  // what is printed of a target and not built is printed in order
  const isPrinted = targets.some(({ attributes }) => attributes["call"] !== undefined);
  let failure: BakeFailure | undefined;
  const bake = async (target: BakeTarget): Promise<void> => {
    const shown = { ...cli, signal: AbortSignal.any([cli.signal, stop.signal]), renderer: named?.(renderer, target.name) ?? renderer };
    let [code, error]: [number, unknown] = [1, undefined];
    try {
      code = await bakeTarget({ ...run, cli: shown }, target);
    } catch (thrown) {
      error = thrown;
    }
    if (code !== 0) failure ??= { target: target.name, error, code };
    if (failure !== undefined) stop.abort();
  };
  const begun = new Map<string, Promise<void>>();
  for (const target of targets) {
    const before = isPrinted ? [...begun.values()] : targetsBelow(target.attributes).map((name) => begun.get(name) ?? Promise.resolve());
    const baking = Promise.all(before).then(async () => (failure === undefined ? await bake(target) : undefined));
    begun.set(target.name, baking);
  }
  await Promise.all(begun.values());
  renderer.finish();
  return failure === undefined ? 0 : tell(cli, failure, named !== undefined);
}

function tell(cli: Cli, { target, error, code }: BakeFailure, isOneOfSeveral: boolean): number {
  if (error === undefined) return code;
  writeExcerpt(cli, error);
  const told = renderTargetFailure(error, isOneOfSeveral ? target : undefined, { debug: cli.debug, interrupt: cli.signal.reason });
  cli.stderr.write(told.text);
  return told.exitCode;
}

export const runBake: Handler = async (cli, { flags, args, table }) => {
  const plan = await withExcerpt(cli, async (): Promise<BakePlan | undefined> => {
    const definition = await definitionOf(cli, flags);
    const targets = new BakeTargets(definition);
    if (flags.string("list") === "") return targets.plan(args, [...flags.list("set"), ...attestations(flags)], cli.env);
    cli.stdout.write(listText(flags.string("list"), definition, targets));
    return undefined;
  });
  if (plan === undefined) return 0;
  const isAsked = ({ attributes }: BakeTarget): boolean => JSON.stringify(attributes["output"] ?? []) !== '[{"type":"cacheonly"}]';
  const targets = plan.targets.map((target) => withFlags(target, flags, isAsked(target)));
  if (!flags.bool("print")) return await bakeAll(cli, table, flags, targets);
  cli.stdout.write(printText({ ...plan, targets }));
  return 0;
};
