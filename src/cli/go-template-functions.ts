/** The functions of templates: Go's own and those that Docker adds. */
import { sprint, sprintf, sprintln } from "./go-printf.ts";
import type { GoFunction } from "./go-template-evaluate.ts";
import { formatGoValue, GoStruct, isList, isMap, isTrue, jsonOf, typeNameOf } from "./go-value.ts";
import type { GoValue } from "./go-value.ts";
import { escapeHtml } from "./json.ts";

function define(min: number, max: number | undefined, call: (...args: GoValue[]) => GoValue): GoFunction {
  return max === undefined ? { min, call: (args) => call(...args) } : { min, max, call: (args) => call(...args) };
}

function text(value: GoValue, name: string): string {
  if (typeof value === "string") return value;
  throw new Error(`wrong type for value of ${name}; expected string; got ${typeNameOf(value)}`);
}

function integer(value: GoValue): number {
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw new Error(`cannot index slice/array with type ${typeNameOf(value)}`);
}

function index(value: GoValue, ...keys: readonly GoValue[]): GoValue {
  let current = value;
  for (const key of keys) {
    if (current === undefined || current === null) throw new Error("index of untyped nil");
    if (isMap(current)) {
      if (typeof key !== "string") throw new Error(`value has type ${typeNameOf(key)}; should be string`);
      current = Object.hasOwn(current, key) ? current[key] : "";
    } else if (isList(current) || typeof current === "string") {
      const at = integer(key);
      if (at < 0 || at >= current.length) throw new Error(`index out of range: ${at}`);
      current = typeof current === "string" ? current.charCodeAt(at) : current[at];
    } else throw new Error(`can't index item of type ${typeNameOf(current)}`);
  }
  return current;
}

function slice(value: GoValue, ...bounds: readonly GoValue[]): GoValue {
  if (typeof value !== "string" && !isList(value)) throw new Error(`can't slice item of type ${typeNameOf(value)}`);
  const [from = 0, to = value.length] = bounds.map(integer);
  for (const bound of [from, to]) if (bound < 0 || bound > value.length) throw new Error(`index out of range: ${bound}`);
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  return value.slice(from, to);
}

function length(value: GoValue): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (isList(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw new Error(value === undefined || value === null ? "len of nil pointer" : `len of type ${typeNameOf(value)}`);
}

type Basic = "bool" | "number" | "string" | "nil";

function basicKind(value: GoValue): Basic {
  if (value === undefined || value === null) return "nil";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "number";
  if (typeof value === "string") return "string";
  throw new Error("non-comparable type");
}

function isEqual(a: GoValue, b: GoValue): boolean {
  const [left, right] = [basicKind(a), basicKind(b)];
  if (left === "nil" || right === "nil") return left === right;
  if (left !== right) throw new Error(`incompatible types for comparison: ${typeNameOf(a)} and ${typeNameOf(b)}`);
  return a === b;
}

function isLess(a: GoValue, b: GoValue): boolean {
  if (typeof a !== typeof b) throw new Error(`incompatible types for comparison: ${typeNameOf(a)} and ${typeNameOf(b)}`);
  if (typeof a === "number") return a < (b as number);
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b as string)) < 0;
  throw new Error("invalid type for comparison");
}

function escapeMarkup(value: string): string {
  const names: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&#34;", "'": "&#39;", "\0": "\uFFFD" };
  return value.replace(/[<>&"'\0]/g, (character) => names[character]!);
}

function writeJson(value: GoValue): string {
  const json = JSON.stringify(jsonOf(value) ?? null);
  return value instanceof GoStruct && value.escapesHtml ? escapeHtml(json) : json;
}

function join(list: GoValue, separator: GoValue): string {
  if (!isList(list)) throw new Error(`expected a list of strings; found ${typeNameOf(list)}`);
  return list.map(formatGoValue).join(text(separator, "join"));
}

const builtins: Readonly<Record<string, GoFunction>> = {
  and: define(1, undefined, (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1)),
  or: define(1, undefined, (...args) => args.find(isTrue) ?? args.at(-1)),
  not: define(1, 1, (arg) => !isTrue(arg)),
  eq: define(1, undefined, (first, ...others) => {
    if (others.length === 0) throw new Error("missing argument for comparison");
    return others.some((other) => isEqual(first, other));
  }),
  ne: define(2, 2, (a, b) => !isEqual(a, b)),
  lt: define(2, 2, isLess),
  le: define(2, 2, (a, b) => isLess(a, b) || isEqual(a, b)),
  gt: define(2, 2, (a, b) => !isLess(a, b) && !isEqual(a, b)),
  ge: define(2, 2, (a, b) => !isLess(a, b)),
  index: define(1, undefined, index),
  slice: define(1, 4, slice),
  len: define(1, 1, length),
  print: define(0, undefined, (...args) => sprint(args)),
  println: define(0, undefined, (...args) => sprintln(args)),
  printf: define(1, undefined, (format, ...args) => sprintf(text(format, "printf"), args)),
  html: define(0, undefined, (...args) => escapeMarkup(sprint(args))),
  js: define(0, undefined, (...args) =>
    sprint(args).replace(/[<>&'"=\\]/g, (c) => ("'\"\\".includes(c) ? `\\${c}` : `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`)),
  ),
  urlquery: define(0, undefined, (...args) => encodeURIComponent(sprint(args)).replaceAll("%20", "+")),
  call: define(1, undefined, (target) => {
    throw new Error(`non-function ${formatGoValue(target)} of type ${typeNameOf(target)}`);
  }),
};

const docker: Readonly<Record<string, GoFunction>> = {
  json: define(1, 1, writeJson),
  split: define(2, 2, (value, separator) => text(value, "split").split(text(separator, "split"))),
  join: define(2, 2, join),
  title: define(1, 1, (value) =>
    text(value, "title").replace(/(^|[^\p{L}\p{Nd}_'])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase()),
  ),
  lower: define(1, 1, (value) => text(value, "lower").toLowerCase()),
  upper: define(1, 1, (value) => text(value, "upper").toUpperCase()),
  pad: define(3, 3, (value, before, after) => {
    const [left, right] = [integer(before), integer(after)].map((count) => Math.min(Math.max(count, 0), 10_000));
    return value === "" ? "" : `${" ".repeat(left!)}${text(value, "pad")}${" ".repeat(right!)}`;
  }),
  truncate: define(2, 2, (value, count) => [...text(value, "truncate")].slice(0, Math.max(0, integer(count))).join("")),
};

export const templateFunctions: ReadonlyMap<string, GoFunction> = new Map(Object.entries({ ...builtins, ...docker }));

/** buildx's `json`, over several lines. */
export const indentingFunctions: ReadonlyMap<string, GoFunction> = new Map([
  ...templateFunctions,
  ["json", define(1, 1, (value) => escapeHtml(JSON.stringify(jsonOf(value) ?? null, null, 2)))] as const,
]);

/** In the heading row of `table …` Docker's own functions hand the heading through, except that case is changed. */
export const headingFunctions: ReadonlyMap<string, GoFunction> = new Map([
  ...templateFunctions,
  ...["json", "split", "join", "title", "pad", "truncate", "lower", "upper"].map((name) => [name, define(1, undefined, (value) => value)] as const),
]);
