/** Why a step was not in the cache, told against the nearest former record of the same place. Pure. */
import type { CacheRecord } from "../store/index.ts";

export interface MissContext {
  readonly inputs: Readonly<Record<string, string>>;
  readonly former: CacheRecord | undefined;
  /** the very key is known, but its layers are gone */
  readonly evicted: boolean;
  readonly ignoreCache: boolean;
}

/** One line. Names of inputs: "instruction", "base", "arg:NAME", "file:PATH", "env:NAME", "source", anything else as it is. */
export function missReason({ inputs, former, evicted, ignoreCache }: MissContext): string {
  if (ignoreCache) return "the cache was not to be used (--no-cache)";
  if (evicted) return "its layers were evicted from the cache";
  if (former === undefined) return "never built";
  if (former.inputs["instruction"] !== inputs["instruction"]) {
    return `instruction changed: was ${JSON.stringify(shorten(former.inputs["instruction"] ?? ""))}`;
  }
  for (const kind of ["arg:", "env:"]) {
    const change = firstChange(former.inputs, inputs, kind);
    if (change !== undefined) return `${kind === "arg:" ? "ARG" : "ENV"} ${change.name} ${describe(change.before)} → ${describe(change.now)}`;
  }
  const file = fileReason(former.inputs, inputs);
  if (file !== undefined) return file;
  if (former.inputs["source"] !== inputs["source"]) return "what it copies from changed";
  if (former.inputs["base"] !== inputs["base"]) return former.inputs["image"] === inputs["image"] ? "an earlier step changed" : "base image moved";
  const other = firstChange(former.inputs, inputs, "");
  return other === undefined ? "an earlier step changed" : `${other.name} changed`;
}

interface Change {
  readonly name: string;
  readonly before: string | undefined;
  readonly now: string | undefined;
}

function changes(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>, prefix: string): readonly Change[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names]
    .filter((name) => name.startsWith(prefix) && before[name] !== now[name])
    .sort()
    .map((name) => ({ name: name.slice(prefix.length), before: before[name], now: now[name] }));
}

function firstChange(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>, prefix: string): Change | undefined {
  return changes(before, now, prefix)[0];
}

function fileReason(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string | undefined {
  const changed = changes(before, now, "file:");
  const [first] = changed;
  if (first === undefined) return undefined;
  const verb = first.before === undefined ? "added" : first.now === undefined ? "removed" : "changed";
  const more = changed.length === 1 ? "" : ` (and ${changed.length - 1} more)`;
  return `file ${first.name} ${verb}${more}`;
}

function describe(value: string | undefined): string {
  return value === undefined ? "(unset)" : shorten(value);
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}

/** More names than this would make the record larger than it is worth: then directories stand for their files. */
const maxNames = 2000;

/** Files as `file:path` inputs; large trees by their first two directories. `digestOf` joins what a directory stands for. */
export function fileInputs(
  files: readonly { readonly path: string; readonly digest: string }[],
  digestOf: (text: string) => string,
): Readonly<Record<string, string>> {
  if (files.length <= maxNames) return Object.fromEntries(files.map(({ path, digest }) => [`file:${path}`, digest.slice(0, 16)]));
  const groups = new Map<string, string[]>();
  for (const { path, digest } of files) {
    const directory = `${path.split("/").slice(0, 2).join("/")}/…`;
    const group = groups.get(directory) ?? [];
    group.push(`${path}=${digest}`);
    groups.set(directory, group);
  }
  return Object.fromEntries([...groups].slice(0, maxNames).map(([directory, members]) => [`file:${directory}`, digestOf(members.join("\n")).slice(0, 16)]));
}
