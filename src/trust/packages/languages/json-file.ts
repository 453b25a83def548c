/** JSON of strangers' packages: bounded, and any field may be anything. */
import { isObject, parseJsonObject, type Json, type JsonObject } from "../../../oci/bounded-json.ts";

export const mebibyte = 2 ** 20;

/** Of a document that is given as such; within images files are smaller. */
export const maxDocumentBytes = 128 * mebibyte;

/** What fits into some hundred megabytes once it is made. */
const limits = { maxBytes: maxDocumentBytes, maxDepth: 100, maxValues: 3_000_000 } as const;

export function readJson(bytes: Buffer, what: string): JsonObject {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return parseJsonObject(bytes.subarray(start), what, limits);
}

/** Half a character that JSON can write and UTF-8 cannot is replaced: what is made of it would be no document, no URL. */
export function stringOf(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value.toWellFormed() : undefined;
}

export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: Json): item is JsonObject => isObject(item)) : [];
}

export function entriesOf(value: Json | undefined): readonly (readonly [string, Json])[] {
  return isObject(value) ? Object.entries(value).map(([name, one]) => [name.toWellFormed(), one] as const) : [];
}

/** "MIT", {type: "MIT"}, or a list of either. */
export function licencesOf(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => licencesOf(item));
  const text = isObject(value) ? (stringOf(value["type"]) ?? stringOf(value["name"])) : stringOf(value);
  return text === undefined || text.length > 300 ? [] : [text];
}

export function withLicences(licences: readonly string[]): { readonly licences?: readonly string[] } {
  return licences.length === 0 ? {} : { licences };
}
