/** `--mount type=bind,src=…,dst=…,ro` in the forms of `-v` and `--tmpfs`, which the engine takes. */
import { cliError } from "../failure.ts";
import { splitCsv } from "./key-value.ts";

export interface MountWords {
  readonly volumes: readonly string[];
  readonly tmpfs: readonly string[];
}

function fail(text: string, message: string): Error {
  return cliError(`invalid argument ${JSON.stringify(text)} for "--mount" flag: ${message}`, "UNKNOWN_FLAG");
}

const synonyms: Readonly<Record<string, string>> = { source: "src", target: "dst", destination: "dst", ro: "readonly" };
const known: ReadonlySet<string> = new Set([
  "type",
  "src",
  "dst",
  "readonly",
  "bind-propagation",
  "bind-nonrecursive",
  "bind-recursive",
  "consistency",
  "volume-nocopy",
  "tmpfs-size",
  "tmpfs-mode",
]);

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const field of splitCsv(text)) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const name = synonyms[key] ?? key;
    if (!known.has(name)) throw fail(text, `unexpected key '${key}' in '${field}'`);
    fields.set(name, equals < 0 ? "true" : field.slice(equals + 1));
  }
  return fields;
}

function wordsOf(text: string): MountWords {
  const fields = fieldsOf(text);
  const type = (fields.get("type") ?? "volume").toLowerCase();
  const target = fields.get("dst") ?? "";
  const source = fields.get("src") ?? "";
  if (target === "") throw fail(text, "target is required");
  if (type === "tmpfs") {
    const options = [
      fields.has("tmpfs-size") ? `size=${fields.get("tmpfs-size")}` : "",
      fields.has("tmpfs-mode") ? `mode=${fields.get("tmpfs-mode")}` : "",
    ].filter((option) => option !== "");
    return { volumes: [], tmpfs: [options.length === 0 ? target : `${target}:${options.join(",")}`] };
  }
  if (type !== "bind" && type !== "volume") throw fail(text, `mount type ${JSON.stringify(type)} is not there`);
  if (type === "bind" && source === "") throw fail(text, "type=bind needs a source");
  const readOnly = ["true", "1"].includes(fields.get("readonly") ?? "false");
  const options = [...(readOnly ? ["ro"] : []), ...(fields.has("bind-propagation") ? [fields.get("bind-propagation")!] : [])];
  return { volumes: [[source, target, options.join(",")].filter((part) => part !== "").join(":")], tmpfs: [] };
}

/** Fails with UNKNOWN_FLAG (invalid_argument): exit code 125, as Docker has it. */
export function parseMounts(texts: readonly string[]): MountWords {
  const words = texts.map(wordsOf);
  return { volumes: words.flatMap((word) => word.volumes), tmpfs: words.flatMap((word) => word.tmpfs) };
}
