/**
 * The values that templates work on. JSON values stand for Go's maps, slices and scalars; a GoStruct stands for a Go struct,
 * whose fields are known: asking for another one is an error there, while a map answers "no value".
 */
import { goDuration } from "../base/go-text.ts";

/** Absent: printed as `<no value>`. A nil pointer inside a struct is `null`, printed as `<nil>`. */
export type GoValue = undefined | null | boolean | number | string | GoList | GoMap | GoStruct;
export type GoList = readonly GoValue[];
export interface GoMap {
  readonly [key: string]: GoValue;
}

/** A method that takes arguments in a template: `{{.Label "name"}}`. */
export type GoMethod = (...args: readonly GoValue[]) => GoValue;

export class GoStruct {
  /** "*formatter.imageContext": what an error calls it */
  readonly typeName: string;
  readonly fields: Readonly<Record<string, GoValue>>;
  readonly methods: Readonly<Record<string, GoMethod>>;
  /** what `json` writes for it */
  readonly json: unknown;
  /** `json` writes <, > and & as \u003c …: so do the rows of lists, which bring their own marshaller in Docker */
  readonly escapesHtml: boolean;
  /** what it prints as, where the type has a spelling of its own */
  readonly text: string | undefined;

  constructor(typeName: string, fields: Readonly<Record<string, GoValue>>, rest: Partial<Pick<GoStruct, "json" | "methods" | "escapesHtml" | "text">> = {}) {
    this.typeName = typeName;
    this.fields = fields;
    this.methods = rest.methods ?? {};
    this.json = "json" in rest ? rest.json : fields;
    this.escapesHtml = rest.escapesHtml ?? false;
    this.text = rest.text;
  }
}

/** Slices and maps that were never made: they print as empty ones, and `json` writes null. */
export const nilList: GoList = Object.freeze([]);
export const nilMap: GoMap = Object.freeze({});

/** A time.Duration, given in nanoseconds. */
export function goDurationValue(nanoseconds: number): GoStruct {
  return new GoStruct("time.Duration", {}, { json: nanoseconds, text: goDuration(nanoseconds) });
}

export function isList(value: GoValue): value is GoList {
  return Array.isArray(value);
}

export function isMap(value: GoValue): value is GoMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof GoStruct);
}

/** Anything that came out of JSON.parse or an object literal, as a template value; functions and symbols are not expected. */
export function goValueFrom(value: unknown): GoValue {
  if (value === undefined || value === null) return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "object" || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value as GoValue;
  return typeof value;
}

/** Go's order of map keys: by code units of UTF-8, which for valid text is by code point. */
export function sortedKeys(map: GoMap): readonly string[] {
  return Object.keys(map).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Empty values are false: nil, false, 0, "", no elements. A struct is true. */
export function isTrue(value: GoValue): boolean {
  if (value instanceof GoStruct) return true;
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

export function typeNameOf(value: GoValue): string {
  if (value === undefined || value === null) return "<nil>";
  if (value instanceof GoStruct) return value.typeName;
  if (isList(value)) return "[]interface {}";
  if (isMap(value)) return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}

/** `%v`: `[a b]`, `map[k:v]`, `{a b}`. */
export function formatGoValue(value: GoValue): string {
  if (value === undefined || value === null) return "<nil>";
  if (value instanceof GoStruct && value.text !== undefined) return value.text;
  if (value instanceof GoStruct) return `{${Object.values(value.fields).map(formatGoValue).join(" ")}}`;
  if (isList(value)) return `[${value.map(formatGoValue).join(" ")}]`;
  if (isMap(value)) {
    // the empty object is a struct without fields in the shapes that Docker shows (ExposedPorts, Volumes)
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${isEmptyObject(value[key]) ? "{}" : formatGoValue(value[key])}`)
      .join(" ")}]`;
  }
  return String(value);
}

function isEmptyObject(value: GoValue): boolean {
  return isMap(value) && Object.keys(value).length === 0;
}

/** What `json` is to write: structs by their JSON form, maps with sorted keys as Go writes them. */
export function jsonOf(value: GoValue): unknown {
  if (value === undefined || value === nilList || value === nilMap) return null;
  if (value instanceof GoStruct) return value.json;
  if (isList(value)) return value.map(jsonOf);
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inner === undefined ? undefined : jsonOf(inner)]));
  return value;
}
