/** JSON from outside: a limit on its size and its depth before anything is built from it, and typed readers of its fields. */
import { SlipwayError } from "../base/errors.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export interface JsonLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** of lists and objects together: each costs many times the byte that it takes; any number where it is absent */
  readonly maxValues?: number;
  /** refuses what readers take differently: a byte order mark, a key that stands twice in one object */
  readonly isUnambiguous?: boolean;
}

interface Shape {
  readonly depth: number;
  readonly values: number;
}

function shapeOf(text: string): Shape {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (c === 0x7b || c === 0x5b) {
      deepest = Math.max(deepest, ++depth);
      values++;
    } else if (c === 0x2c) {
      values++;
    } else if (c === 0x7d || c === 0x5d) {
      depth--;
    }
  }
  return { depth: deepest, values };
}

/** The first key, quoted, that an object has twice. `text` is valid JSON. */
function repeatedKey(text: string): string | undefined {
  /** keys of objects, undefined for lists */
  const open: (Set<string> | undefined)[] = [];
  let wantsKey = false;
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "{":
        open.push(new Set());
        wantsKey = true;
        break;
      case "[":
        open.push(undefined);
        break;
      case "}":
      case "]":
        open.pop();
        wantsKey = false;
        break;
      case ",":
        wantsKey = open.at(-1) !== undefined;
        break;
      case '"': {
        const start = i;
        for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
        const keys = open.at(-1);
        if (!wantsKey || keys === undefined) break;
        wantsKey = false;
        const quoted = text.slice(start, i + 1);
        const key = JSON.parse(quoted) as string;
        if (keys.has(key)) return quoted;
        keys.add(key);
        break;
      }
      default:
    }
  }
  return undefined;
}

/**
 * Parses UTF-8 JSON whose root is an object. `what` names the document in messages.
 * Fails with DOCUMENT_TOO_LARGE (resource_exhausted) or INVALID_DOCUMENT (invalid_argument).
 */
export function parseJsonObject(bytes: Uint8Array, what: string, limits: JsonLimits): JsonObject {
  if (bytes.length > limits.maxBytes) {
    throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `${what} is ${bytes.length} bytes: at most ${limits.maxBytes} are read`, {
      size: bytes.length,
      limit: limits.maxBytes,
    });
  }
  let root: Json;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: limits.isUnambiguous === true }).decode(bytes);
    const { depth, values } = shapeOf(text);
    if (depth > limits.maxDepth) throw invalidDocument(what, `nested deeper than ${limits.maxDepth} levels`);
    if (values > (limits.maxValues ?? values)) throw tooManyValues(what, values, limits.maxValues);
    root = JSON.parse(text) as Json;
    const repeated = limits.isUnambiguous === true ? repeatedKey(text) : undefined;
    if (repeated !== undefined) throw invalidDocument(what, `the key ${repeated.slice(0, 100)} stands twice`);
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    throw invalidDocument(what, "not UTF-8 JSON", error);
  }
  if (!isObject(root)) throw invalidDocument(what, "not a JSON object");
  return root;
}

function tooManyValues(what: string, values: number, limit: number | undefined): SlipwayError {
  return new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `${what} has ${values} values: at most ${limit} are read`, { values, limit });
}

export function invalidDocument(what: string, why: string, cause?: unknown): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `invalid ${what}: ${why}`, { document: what, reason: why }, cause);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads the fields of one object; `path` is shown in messages ("layers[2].digest"). An absent or null field reads as
 * undefined, as Go's encoder writes both for an empty one; a field of another type fails with INVALID_DOCUMENT.
 */
export class Fields {
  readonly object: JsonObject;
  readonly what: string;
  readonly path: string;

  constructor(object: JsonObject, what: string, path = "") {
    this.object = object;
    this.what = what;
    this.path = path;
  }

  fail(key: string, want: string): SlipwayError {
    return invalidDocument(this.what, `${this.path}${key}: want ${want}`);
  }

  get(key: string): Json | undefined {
    return Object.hasOwn(this.object, key) ? (this.object[key] ?? undefined) : undefined;
  }

  string(key: string): string | undefined {
    const value = this.get(key);
    if (value !== undefined && typeof value !== "string") throw this.fail(key, "a string");
    return value;
  }

  requiredString(key: string): string {
    const value = this.string(key);
    if (value === undefined || value === "") throw this.fail(key, "a string that is not empty");
    return value;
  }

  boolean(key: string): boolean | undefined {
    const value = this.get(key);
    if (value !== undefined && typeof value !== "boolean") throw this.fail(key, "true or false");
    return value;
  }

  integer(key: string): number | undefined {
    const value = this.get(key);
    if (value !== undefined && (typeof value !== "number" || !Number.isSafeInteger(value))) throw this.fail(key, "an integer");
    return value;
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.fail(key, "a list of strings");
    return value.map((item: Json, i) => {
      if (typeof item !== "string") throw this.fail(`${key}[${i}]`, "a string");
      return item;
    });
  }

  stringMap(key: string): Readonly<Record<string, string>> | undefined {
    const fields = this.child(key);
    if (fields === undefined) return undefined;
    return Object.fromEntries(Object.keys(fields.object).map((name) => [name, fields.string(name) ?? ""]));
  }

  child(key: string): Fields | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw this.fail(key, "an object");
    return new Fields(value, this.what, `${this.path}${key}.`);
  }

  children(key: string): readonly Fields[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.fail(key, "a list of objects");
    return value.map((item: Json, i) => {
      if (!isObject(item)) throw this.fail(`${key}[${i}]`, "an object");
      return new Fields(item, this.what, `${this.path}${key}[${i}].`);
    });
  }
}

/** Keeps the given fields that are there: what exactOptionalPropertyTypes wants of optional ones. */
export function present<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
