/**
 * `RUN --mount=…`: comma-separated fields, read like one line of CSV.
 * @see https://docs.docker.com/reference/dockerfile/#run---mount
 */
import { booleanFromText, goQuote } from "../base/go-text.ts";
import type { RunMount } from "./instruction.ts";
import { syntaxReason } from "./parse-error.ts";
import { findSuggestion, withSuggestion } from "./suggest.ts";

export type WordExpander = (word: string) => string;

type MountFields = { -readonly [Key in keyof RunMount]: RunMount[Key] };
/** `readonly` undefined: nothing was said, the type decides */
type Draft = Omit<MountFields, "readonly"> & { readonly: boolean | undefined };

const types = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const sharings = ["shared", "private", "locked"] as const;
// the names that Docker compares with for "did you mean", in its order
const suggestedKeys = "type from source target readonly id sharing required size mode uid gid src dst destination ro rw readwrite env".split(" ");
const sizeShape = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?([kmgtp]?)(?:i?b)?$/i;
const maximumId = 2 ** 32 - 1;

/**
 * Parses one `--mount=` value. `expand` replaces the variables of each field's value, after the fields are split:
 * a variable cannot add fields. Fails with DOCKERFILE_PARSE in Docker's words.
 */
export function parseRunMount(value: string, expand: WordExpander = (word) => word): RunMount {
  const draft = emptyDraft();
  for (const field of splitFields(value)) applyField(draft, field, expand);
  return validated(draft);
}

/** What is refused before any variable is known: broken quoting, and a variable in `from`. */
export function checkRunMount(value: string): void {
  for (const field of splitFields(value)) {
    const equals = field.indexOf("=");
    const isFrom = equals > 0 && field.slice(0, equals).toLowerCase() === "from";
    if (isFrom && /\$./.test(field.slice(equals + 1))) {
      throw syntaxReason("'from' doesn't support variable expansion, define alias stage instead");
    }
  }
}

/** What `from=` names, before any variable is known. */
export function mountSourceOf(value: string): string | undefined {
  const from = splitFields(value).findLast((field) => field.toLowerCase().startsWith("from="));
  return from?.slice("from=".length) || undefined;
}

function emptyDraft(): Draft {
  return {
    type: "bind",
    from: undefined,
    source: undefined,
    target: undefined,
    readonly: undefined,
    id: undefined,
    sharing: undefined,
    required: false,
    sizeBytes: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
    env: undefined,
  };
}

/** One record of CSV; `""` inside a quoted field is a quote. */
function splitFields(value: string): readonly string[] {
  if (value === "" || value === "\n") throw syntaxReason("failed to parse csv mounts: EOF");
  const fields: string[] = [];
  let position = 0;
  for (;;) {
    const { field, end } = value[position] === '"' ? takeQuoted(value, position) : takeBare(value, position);
    fields.push(field);
    if (end >= value.length) return fields;
    position = end + 1;
  }
}

function takeBare(value: string, start: number): { field: string; end: number } {
  const comma = value.indexOf(",", start);
  const end = comma < 0 ? value.length : comma;
  const field = value.slice(start, end);
  const quote = field.indexOf('"');
  if (quote >= 0) throw csvError(start + quote + 1, 'bare " in non-quoted-field');
  return { field, end };
}

function takeQuoted(value: string, start: number): { field: string; end: number } {
  let field = "";
  for (let position = start + 1; ;) {
    const quote = value.indexOf('"', position);
    if (quote < 0) throw csvError(value.length + 1, 'extraneous or missing " in quoted-field');
    field += value.slice(position, quote);
    const next = value[quote + 1];
    if (next === undefined || next === ",") return { field, end: quote + 1 };
    if (next !== '"') throw csvError(quote + 1, 'extraneous or missing " in quoted-field');
    field += '"';
    position = quote + 2;
  }
}

function csvError(column: number, reason: string): Error {
  return syntaxReason(`failed to parse csv mounts: parse error on line 1, column ${column}: ${reason}`);
}

function applyField(draft: Draft, field: string, expand: WordExpander): void {
  const equals = field.indexOf("=");
  const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  if (equals < 0) applyBareKey(draft, key, field);
  else applyValue(draft, key, expand(field.slice(equals + 1)), field);
}

function applyBareKey(draft: Draft, key: string, field: string): void {
  if (key === "readonly" || key === "ro") draft.readonly = true;
  else if (key === "readwrite" || key === "rw") draft.readonly = false;
  else if (key === "required") {
    requireType(draft, key, "secret", "ssh");
    draft.required = true;
  } else throw syntaxReason(`invalid field '${field}' must be a key=value pair`, field);
}

function applyValue(draft: Draft, key: string, value: string, field: string): void {
  switch (key) {
    case "type":
      draft.type = oneOf(types, value, "mount type");
      return;
    case "from":
      draft.from = value || undefined;
      return;
    case "source":
    case "src":
      draft.source = value || undefined;
      return;
    case "target":
    case "dst":
    case "destination":
      draft.target = value || undefined;
      return;
    case "readonly":
    case "ro":
      draft.readonly = parseBoolean(key, value);
      return;
    case "readwrite":
    case "rw":
      draft.readonly = !parseBoolean(key, value);
      return;
    case "required":
      requireType(draft, key, "secret", "ssh");
      draft.required = parseBoolean(key, value);
      return;
    case "size":
      requireType(draft, key, "tmpfs");
      draft.sizeBytes = parseSize(key, value);
      return;
    case "id":
      draft.id = value || undefined;
      return;
    case "sharing":
      draft.sharing = oneOf(sharings, value, "sharing value");
      return;
    case "mode":
    case "uid":
    case "gid":
      draft[key] = parseNumber(key, value, key === "mode" ? 8 : 10);
      return;
    case "env":
      draft.env = value || undefined;
      return;
    default:
      throw syntaxReason(withSuggestion(`unexpected key '${key}' in '${field}'`, findSuggestion(key, suggestedKeys)), field);
  }
}

function requireType(draft: Draft, key: string, ...allowed: readonly RunMount["type"][]): void {
  if (!allowed.includes(draft.type)) throw syntaxReason(`unexpected key '${key}' for mount type '${draft.type}'`);
}

function oneOf<const Options extends readonly string[]>(options: Options, value: string, what: string): Options[number] {
  const found = options.find((option) => option === value.toLowerCase());
  if (found !== undefined) return found;
  throw syntaxReason(withSuggestion(`unsupported ${what} ${goQuote(value)}`, findSuggestion(value, options)), value);
}

function parseBoolean(key: string, value: string): boolean {
  const parsed = booleanFromText(value);
  if (parsed === undefined) throw syntaxReason(`invalid value for ${key}: ${value}`, value);
  return parsed;
}

function parseNumber(key: string, value: string, base: 8 | 10): number {
  const parsed = (base === 8 ? /^[0-7]+$/ : /^[0-9]+$/).test(value) ? parseInt(value, base) : Number.NaN;
  if (!(parsed <= maximumId)) throw syntaxReason(`invalid value ${value} for ${key}`);
  return parsed;
}

function parseSize(key: string, value: string): number {
  const match = sizeShape.exec(value);
  const power = " kmgtp".indexOf(match?.[2]?.toLowerCase() || " ");
  const size = Math.trunc(Number(match?.[1]) * 1024 ** power);
  if (!Number.isSafeInteger(size)) throw syntaxReason(`invalid value for ${key}: ${value}`);
  return size;
}

function validated(draft: Draft): RunMount {
  const { type } = draft;
  if (type === "bind" || type === "tmpfs") {
    for (const key of ["mode", "uid", "gid"] as const) {
      if (draft[key] !== undefined) throw syntaxReason(`${key} not allowed for ${goQuote(type)} type mounts`);
    }
  }
  if (type === "secret") validateSecret(draft);
  if (draft.sharing !== undefined && type !== "cache") throw syntaxReason(`invalid cache sharing set for ${type} mount`);
  return { ...draft, readonly: draft.readonly ?? (type !== "cache" && type !== "tmpfs") };
}

function validateSecret({ from, sharing, source, target, id }: Draft): void {
  if (from !== undefined) throw syntaxReason("secret mount should not have a from");
  if (sharing !== undefined) throw syntaxReason("secret mount should not define sharing");
  if ((source ?? target ?? id) === undefined) throw syntaxReason("invalid secret mount. one of source, target required");
  if (source !== undefined && id !== undefined) throw syntaxReason("both source and id can't be set");
}
