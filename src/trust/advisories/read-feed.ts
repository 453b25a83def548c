/** What one document of whatever source says: told apart by its content, since files have any name. */
import { isObject, parseJsonObject, type Json, type JsonObject } from "../../oci/bounded-json.ts";
import { objectsOf } from "../packages/languages/json-file.ts";
import type { PackageAdvisory } from "./advisory.ts";
import { advisoriesOfAlpineSecdb, advisoriesOfDebianTracker, exploitedOf, isAlpineSecdb, isDebianTracker } from "./distribution-feeds.ts";
import { advisoriesOfOsv } from "./osv.ts";

export interface Feed {
  readonly rows: readonly PackageAdvisory[];
  /** names of what is known to be exploited; undefined where it is not such a list */
  readonly exploited?: readonly string[];
  /** YYYY-MM-DD of the record that was changed last, where records say it */
  readonly newest?: string;
}

function newestOf(records: readonly JsonObject[]): { readonly newest?: string } {
  const said = records.flatMap(({ modified, published }) => [modified, published]);
  const days = said.flatMap((day) => (typeof day === "string" && /^\d{4}-\d\d-\d\d/.test(day) ? [day.slice(0, 10)] : []));
  // Go's feed has the zero time where it does not know
  const newest = days.filter((day) => day > "1980").reduce((last, day) => (day > last ? day : last), "");
  return newest === "" ? {} : { newest };
}

const limits = { maxBytes: 500 * 2 ** 20, maxDepth: 64 };

/** undefined for JSON that is none of the forms that we know. Fails with INVALID_DOCUMENT (invalid_argument), DOCUMENT_TOO_LARGE. */
export function readFeed(bytes: Buffer, what: string): Feed | undefined {
  const isList = bytes.toString("utf8", 0, 64).trimStart().startsWith("[");
  const root = parseJsonObject(isList ? Buffer.concat([Buffer.from('{"list":'), bytes, Buffer.from("}")]) : bytes, what, limits);
  const value: Json = isList ? (root["list"] as Json) : root;
  const exploited = exploitedOf(value);
  if (exploited !== undefined) return { rows: [], exploited, ...(isObject(value) ? newestOf([{ modified: value["dateReleased"] ?? null }]) : {}) };
  if (isList) return { rows: objectsOf(value).flatMap(advisoriesOfOsv), ...newestOf(objectsOf(value)) };
  if (!isObject(value)) return undefined;
  if (typeof value["id"] === "string" && (value["affected"] !== undefined || value["withdrawn"] !== undefined))
    return { rows: advisoriesOfOsv(value), ...newestOf([value]) };
  if (isAlpineSecdb(value)) return { rows: advisoriesOfAlpineSecdb(value) };
  return isDebianTracker(value) ? { rows: advisoriesOfDebianTracker(value) } : undefined;
}
