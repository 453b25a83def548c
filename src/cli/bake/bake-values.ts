/** What the environment says of a bake file's variable, read by the variable's type: texts as they are, lists and maps as CSV, `NAME_JSON` as JSON. Pure. */
import { booleanFromText, goQuote } from "../../base/go-text.ts";
import { hclBoolean, hclNumber, hclText, hclTypeName, isHclList, isHclObject, type HclValue } from "./hcl-value.ts";

export interface GivenValue {
  readonly text: string;
  readonly isJson: boolean;
}

/** JSON goes before the other. */
export function givenValue(name: string, env: Readonly<Record<string, string | undefined>>): GivenValue | undefined {
  const [json, text] = [env[`${name}_JSON`], env[name]];
  if (json !== undefined) return { text: json, isJson: true };
  return text === undefined ? undefined : { text, isJson: false };
}

/** `type`: as the file has it, else of the default. Throws an Error whose message says why it is none. */
export function readGiven(name: string, type: string, { text, isJson }: GivenValue): HclValue {
  const [, kind = type, element = ""] = /^(list|set|map)\((.*)\)$/.exec(type) ?? [];
  if (isJson) return inWords(`failed to convert variable ${name} from JSON`, () => fitted(kind, element, parsedJson(text)));
  switch (kind) {
    case "list":
    case "set":
    case "map":
      return inWords(`failed to convert variable ${name} from CSV`, () => fromCsv(name, { kind, element }, text));
    default:
      if (kind.startsWith("tuple")) return inWords(`failed to convert variable ${name} from CSV`, () => parsedCsv(text));
      return scalar(name, kind, text);
  }
}

function inWords<T>(words: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${words}: ${error instanceof Error ? error.message : ""}`);
  }
}

/** strconv's words where it is none. */
function scalar(name: string, type: string, text: string): HclValue {
  if (type === "string") return text;
  if (type === "bool") {
    const value = booleanFromText(text);
    if (value !== undefined) return value;
    throw new Error(`failed to parse ${name} as bool: strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
  }
  if (type === "number") {
    const value = hclNumber(text);
    if (value !== undefined) return value;
    throw new Error(`failed to parse ${name} as number: strconv.ParseFloat: parsing ${goQuote(text)}: invalid syntax`);
  }
  throw new Error(`unsupported type ${type.startsWith("object") ? "object" : type} for variable ${name}`);
}

function fromCsv(name: string, { kind, element }: { readonly kind: "list" | "set" | "map"; readonly element: string }, text: string): HclValue {
  const fields = parsedCsv(text);
  const one = (field: string): HclValue => inWords(`failed to parse element of type ${kind} of ${element}`, () => scalar(name, element, field));
  if (kind === "list") return fields.map(one);
  if (kind === "set") return [...new Set(fields)].sort().map(one);
  const pairs = fields.map((field) => {
    const parts = field.split(":");
    if (parts.length !== 2) throw new Error(`expected one k/v pair but got ${parts.length} pieces from ${field}`);
    return [parts[0] ?? "", one(parts[1] ?? "")] as const;
  });
  return Object.fromEntries(pairs);
}

/** One record, as Go's encoding/csv reads it: quoted fields may have commas, line ends and doubled quotes in them. */
export function parsedCsv(text: string): readonly string[] {
  const refused = (column: number, why: string): Error => new Error(`failed to parse ${text} as CSV: parse error on line 1, column ${column}: ${why}`);
  if (text === "") throw new Error(`failed to parse ${text} as CSV: EOF`);
  const fields: string[] = [];
  for (let at = 0; ;) {
    let field = "";
    if (text[at] === '"') {
      const end = /^"((?:[^"]|"")*)"(?=,|$)/.exec(text.slice(at));
      if (end === null) throw refused(closingQuote(text, at) ?? text.length, 'extraneous or missing " in quoted-field');
      field = (end[1] ?? "").replaceAll('""', '"');
      at += end[0].length;
    } else {
      field = /^[^,]*/.exec(text.slice(at))?.[0] ?? "";
      const quote = field.indexOf('"');
      if (quote >= 0) throw refused(at + quote + 1, 'bare " in non-quoted-field');
      at += field.length;
    }
    fields.push(field);
    if (at >= text.length) return fields;
    at += 1;
  }
}

/** Counted from one; of a field whose first quote is at `at`. */
function closingQuote(text: string, at: number): number | undefined {
  const close = text
    .slice(at + 1)
    .replaceAll('""', "  ")
    .indexOf('"');
  return close < 0 ? undefined : at + close + 2;
}

function parsedJson(text: string): HclValue {
  if (text.trim() === "") throw new Error("EOF");
  return JSON.parse(text) as HclValue;
}

/** What JSON has where a type is wanted: numbers and texts become each other. */
function fitted(kind: string, element: string, value: HclValue): HclValue {
  if (kind === "list" || kind === "set") {
    if (!isHclList(value)) throw new Error("missing expected [");
    const fit = value.map((each) => fittedScalar(element, each));
    return kind === "set" ? [...new Set(fit)].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : fit;
  }
  if (kind !== "map") return fittedScalar(kind, value);
  if (!isHclObject(value)) throw new Error("missing expected {");
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fittedScalar(element, each)]));
}

function fittedScalar(type: string, value: HclValue): HclValue {
  const wanted = { string: hclText, number: hclNumber, bool: hclBoolean }[type];
  if (wanted === undefined) return value;
  const fit = wanted(value);
  if (fit === undefined) throw new Error(`a ${type} is required, not ${hclTypeName(value)}`);
  return fit;
}
