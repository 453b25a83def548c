/** A target's attributes in the shapes that bake prints: texts, lists, maps, and fields of outputs, caches, secrets, attestations. */
import { cliError } from "../failure.ts";
import { splitCsv } from "../commands/key-value.ts";
import { hclBoolean, hclText, isHclList, isHclObject, type HclValue } from "./hcl-value.ts";

export type BakeFields = Readonly<Record<string, string>>;
export type BakeAttribute = string | boolean | readonly string[] | Readonly<Record<string, string>> | readonly BakeFields[];
export type BakeAttributes = Readonly<Record<string, BakeAttribute>>;

type Kind = "text" | "bool" | "list" | "map" | "fields";

/** In the order in which they are printed; `adds`: what a later one says comes behind what an earlier one said. */
const kinds: readonly (readonly [name: string, kind: Kind, adds?: "adds"])[] = [
  ["description", "text"],
  ["annotations", "list", "adds"],
  ["attest", "fields", "adds"],
  ["context", "text"],
  ["contexts", "map"],
  ["dockerfile", "text"],
  ["dockerfile-inline", "text"],
  ["args", "map"],
  ["labels", "map"],
  ["tags", "list"],
  ["cache-from", "fields", "adds"],
  ["cache-to", "fields"],
  ["target", "text"],
  ["secret", "fields", "adds"],
  ["ssh", "fields", "adds"],
  ["platforms", "list"],
  ["output", "fields"],
  ["pull", "bool"],
  ["no-cache", "bool"],
  ["network", "text"],
  ["no-cache-filter", "list", "adds"],
  ["shm-size", "text"],
  ["ulimits", "list", "adds"],
  ["call", "text"],
  ["entitlements", "list", "adds"],
  ["extra-hosts", "map"],
];

const kindOf: ReadonlyMap<string, Kind> = new Map(kinds.map(([name, kind]) => [name, kind]));
const added: ReadonlySet<string> = new Set(kinds.flatMap(([name, , adds]) => (adds === undefined ? [] : [name])));

export function isAttributeName(name: string): boolean {
  return kindOf.has(name);
}

export function attributeKind(name: string): Kind | undefined {
  return kindOf.get(name);
}

/** undefined: it is null, as if it were not there. Fails with BAKE_DEFINITION (invalid_argument). */
export function attributeFrom(name: string, value: HclValue): BakeAttribute | undefined {
  if (value === null) return undefined;
  const refuse = (want: string): Error =>
    cliError(`Unsuitable value type; Unsuitable value for ${name}: ${want} required.`, "BAKE_DEFINITION", { plain: true });
  switch (kindOf.get(name)) {
    case "bool":
      return hclBoolean(value) ?? thrown(refuse("bool"));
    case "list":
      return isHclList(value)
        ? value.flatMap((each) => (each === null || each === "" ? [] : [hclText(each) ?? thrown(refuse("list of string"))]))
        : thrown(refuse("list of string"));
    case "map":
      if (!isHclObject(value)) throw refuse("map of string");
      return Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (each === null ? [] : [[key, hclText(each) ?? thrown(refuse("string"))]])));
    case "fields":
      return isHclList(value) ? value.flatMap((each) => (each === null || each === "" ? [] : [fieldsFrom(name, each)])) : thrown(refuse("list"));
    default:
      return hclText(value) ?? thrown(refuse("string"));
  }
}

function thrown(error: Error): never {
  throw error;
}

/** `type=registry,ref=x`, `{ type = "registry", ref = "x" }`, or what stands for one of them. */
export function fieldsFrom(name: string, value: HclValue): BakeFields {
  if (isHclObject(value))
    return sorted(
      Object.entries(value).flatMap(([key, each]) =>
        each === null ? [] : [[key, (isHclList(each) ? each : [each]).map((one) => hclText(one) ?? "").join(",")]],
      ),
    );
  const text = hclText(value) ?? "";
  if (name === "ssh") {
    const [id = "", ...paths] = text.split(/[=,]/);
    return { id, ...(paths.length === 0 ? {} : { paths: paths.join(",") }) };
  }
  const words = splitCsv(text);
  if (!text.includes("=")) {
    if (name === "output") return text === "-" ? { dest: "-", type: "tar" } : { dest: text, type: "local" };
    if (name === "cache-from" || name === "cache-to") return text === "inline" ? { type: "inline" } : { ref: text, type: "registry" };
  }
  return sorted(
    words.map((word) => {
      const equals = word.indexOf("=");
      if (equals < 0) throw cliError(`invalid value ${word}`, "USAGE", { plain: true });
      return [word.slice(0, equals).trim().toLowerCase(), word.slice(equals + 1)];
    }),
  );
}

function sorted(entries: readonly (readonly string[])[]): BakeFields {
  return Object.fromEntries(entries.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1))) as BakeFields;
}

function isList(value: BakeAttribute | undefined): value is readonly (string | BakeFields)[] & BakeAttribute {
  return Array.isArray(value);
}

/** What `later` says counts, map by map and, for some lists, behind what stood there. */
export function mergeAttributes(earlier: BakeAttributes, later: BakeAttributes): BakeAttributes {
  const merged: Record<string, BakeAttribute> = { ...earlier };
  for (const [name, value] of Object.entries(later)) {
    const before = earlier[name];
    if (kindOf.get(name) === "map" && typeof before === "object") merged[name] = { ...(before as BakeFields), ...(value as BakeFields) };
    else if (name === "attest" && isList(before) && isList(value)) merged[name] = mergedByType(before, value) as BakeAttribute;
    else if (added.has(name) && isList(before) && isList(value)) merged[name] = withoutRepeats([...before, ...value]) as BakeAttribute;
    else merged[name] = value;
  }
  return merged;
}

/** Of a kind of attestation what was said last counts, where it was said first. */
function mergedByType(earlier: readonly (string | BakeFields)[], later: readonly (string | BakeFields)[]): readonly (string | BakeFields)[] {
  const typeOf = (value: string | BakeFields): string => (typeof value === "string" ? value : (value["type"] ?? ""));
  return [...new Map([...earlier, ...later].map((value) => [typeOf(value), value])).values()];
}

function withoutRepeats(values: readonly (string | BakeFields)[]): readonly (string | BakeFields)[] {
  const texts = values.map((value) => JSON.stringify(value));
  return values.filter((_, at) => texts.indexOf(texts[at] ?? "") === at);
}

/** In the printed order, maps with sorted keys, what is empty left out. */
export function printedAttributes(attributes: BakeAttributes): object {
  return Object.fromEntries(
    kinds.flatMap(([name]): (readonly [string, unknown])[] => {
      const value = attributes[name];
      const isEmpty = value === undefined || (typeof value === "object" && Object.keys(value).length === 0);
      return isEmpty ? [] : [[name, printedAttribute(name, value)]];
    }),
  );
}

/** What is printed can be read again: there a text is a template. */
function printedAttribute(name: string, value: BakeAttribute): unknown {
  if (name === "secret" && isList(value)) return value.map((each) => (typeof each === "string" ? each : printedSecret(each)));
  if (name === "attest" && isList(value))
    return value.map((each) => (typeof each === "string" || each["disabled"] !== "true" ? each : { ...each, disabled: true }));
  if (name === "annotations" && isList(value)) return value.map((each) => (typeof each === "string" ? escaped(each) : each));
  if (name === "dockerfile-inline" && typeof value === "string") return escaped(value);
  if (kindOf.get(name) !== "map") return value;
  const entries = Object.entries(value as BakeFields);
  return sorted(escapedMaps.includes(name) ? entries.map(([key, each]) => [key, escaped(each)]) : entries);
}

const escapedMaps: readonly string[] = ["args", "labels", "extra-hosts"];

function escaped(text: string): string {
  return text.replace(/[$%](?=\{)/g, (sign) => sign + sign);
}

/** The type is told by what is there. */
function printedSecret({ id, type, ...rest }: BakeFields): BakeFields {
  const source = rest["src"] ?? rest["source"];
  const env = rest["env"] ?? (type === "env" ? source : undefined);
  return {
    ...(id === undefined ? {} : { id }),
    ...(source === undefined || type === "env" ? {} : { src: source }),
    ...(env === undefined ? {} : { env }),
  };
}
