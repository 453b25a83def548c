/** `--mount type=bind,src=…,dst=…,ro` as the engine takes it. What Docker's command line refuses is refused here, the rest by the engine. */
import type { MountOption } from "../../engine/api.ts";
import { cliError } from "../failure.ts";
import { parseByteSize } from "../units.ts";
import { recordFrom, splitCsv } from "./key-value.ts";

const synonyms: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};

/** Keys that need no value. */
const switches: ReadonlySet<string> = new Set(["readonly", "ro", "volume-nocopy", "bind-nonrecursive"]);

const known: ReadonlySet<string> = new Set([
  "type",
  "source",
  "target",
  "readonly",
  "consistency",
  "bind-propagation",
  "bind-nonrecursive",
  "bind-recursive",
  "volume-subpath",
  "volume-nocopy",
  "volume-label",
  "volume-driver",
  "volume-opt",
  "tmpfs-size",
  "tmpfs-mode",
]);

type Fields = ReadonlyMap<string, readonly string[]>;

/** Fails with UNKNOWN_FLAG (invalid_argument): exit code 125, as Docker has it. */
function fail(text: string, message: string): Error {
  return cliError(`invalid argument ${JSON.stringify(text)} for "--mount" flag: ${message}`, "UNKNOWN_FLAG");
}

function fieldsOf(text: string): Fields {
  const fields = new Map<string, string[]>();
  for (const field of splitCsv(text)) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    if (equals < 0 && !switches.has(key)) throw fail(text, `invalid field '${field}' must be a key=value pair`);
    const name = synonyms[key] ?? key;
    if (!known.has(name)) throw fail(text, `unexpected key '${key}' in '${field}'`);
    fields.set(name, [...(fields.get(name) ?? []), equals < 0 ? "true" : field.slice(equals + 1)]);
  }
  return fields;
}

function checkMix(text: string, fields: Fields, type: string): void {
  for (const kind of ["volume", "bind", "tmpfs"]) {
    if (type !== kind && [...fields.keys()].some((key) => key.startsWith(`${kind}-`)))
      throw fail(text, `cannot mix '${kind}-*' options with mount type '${type}'`);
  }
}

function parseMount(text: string): MountOption {
  const fields = fieldsOf(text);
  const last = (key: string): string | undefined => fields.get(key)?.at(-1);
  const invalid = (key: string): Error => fail(text, `invalid value for ${key}: ${last(key) ?? ""}`);
  const truth = (key: string): boolean => {
    const value = last(key) ?? "false";
    if (!/^(?:1|t|true|0|f|false)$/i.test(value)) throw invalid(key);
    return /^(?:1|t|true)$/i.test(value);
  };
  const type = (last("type") ?? "volume").toLowerCase();
  if ((last("target") ?? "") === "") throw fail(text, "target is required");
  checkMix(text, fields, type);
  const recursive = last("bind-recursive") ?? "enabled";
  if (!["enabled", "disabled", "writable"].includes(recursive))
    throw fail(text, recursive === "readonly" ? "bind-recursive=readonly is not supported" : `invalid value for bind-recursive: ${recursive}`);
  const mode = last("tmpfs-mode");
  if (mode !== undefined && !/^[0-7]+$/.test(mode)) throw invalid("tmpfs-mode");
  return {
    type,
    target: last("target")!,
    readOnly: truth("readonly"),
    nonRecursive: truth("bind-nonrecursive") || recursive === "disabled",
    noCopy: truth("volume-nocopy"),
    ...(mode === undefined ? {} : { tmpfsMode: Number.parseInt(mode, 8) }),
    ...(last("tmpfs-size") === undefined ? {} : { tmpfsBytes: sizeOf(last("tmpfs-size")!, () => invalid("tmpfs-size")) }),
    ...(fields.has("volume-label") ? { volumeLabels: recordFrom(fields.get("volume-label")!) } : {}),
    ...(fields.has("volume-opt") ? { volumeOptions: recordFrom(fields.get("volume-opt")!) } : {}),
    ...given({
      source: last("source"),
      consistency: last("consistency"),
      propagation: last("bind-propagation"),
      volumeDriver: last("volume-driver"),
      volumeSubpath: last("volume-subpath"),
    }),
  };
}

function given(fields: Readonly<Record<string, string | undefined>>): Partial<MountOption> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function sizeOf(text: string, invalid: () => Error): number {
  try {
    return parseByteSize(text);
  } catch {
    throw invalid();
  }
}

export function parseMounts(texts: readonly string[]): readonly MountOption[] {
  return texts.map(parseMount);
}
