/** The functions that bake's files have, with the names and the meanings of HCL's standard library. */
import { createHash, randomUUID } from "node:crypto";
import { homedir } from "node:os";
import { basename, dirname } from "node:path";
import { goJson } from "../../base/canonical-json.ts";
import { cidrHost, cidrNetmask, cidrSubnet, cidrSubnets } from "./hcl-address-functions.ts";
import { formatDate, timeAdd } from "./hcl-time-functions.ts";
import { hclBoolean, hclEntries, hclEqual, hclNumber, hclText, hclTypeName, isHclList, isHclObject, type HclObject, type HclValue } from "./hcl-value.ts";

type HclFunction = (args: readonly HclValue[]) => HclValue;

/** What is wrong with an argument is a TypeError: the caller knows the place. */
function refuse(why: string): never {
  throw new TypeError(why);
}

function text(value: HclValue | undefined): string {
  return (value === undefined ? undefined : hclText(value)) ?? refuse(`a string is required, not ${hclTypeName(value ?? null)}`);
}

function num(value: HclValue | undefined): number {
  return (value === undefined ? undefined : hclNumber(value)) ?? refuse(`a number is required, not ${hclTypeName(value ?? null)}`);
}

function bool(value: HclValue | undefined): boolean {
  return (value === undefined ? undefined : hclBoolean(value)) ?? refuse(`a bool is required, not ${hclTypeName(value ?? null)}`);
}

function list(value: HclValue | undefined): readonly HclValue[] {
  return value !== undefined && isHclList(value) ? value : refuse(`a list is required, not ${hclTypeName(value ?? null)}`);
}

function object(value: HclValue | undefined): HclObject {
  return value !== undefined && isHclObject(value) ? value : refuse(`an object is required, not ${hclTypeName(value ?? null)}`);
}

const onText =
  (of: (value: string) => HclValue): HclFunction =>
  ([value]) =>
    of(text(value));
const onNumber =
  (of: (value: number) => HclValue): HclFunction =>
  ([value]) =>
    of(num(value));
const onNumbers =
  (of: (a: number, b: number) => HclValue): HclFunction =>
  ([a, b]) =>
    of(num(a), num(b));

function distinct(values: readonly HclValue[]): readonly HclValue[] {
  return values.filter((value, at) => values.findIndex((other) => hclEqual(other, value)) === at);
}

/** As Go's JSON has maps. */
function keysSorted(value: HclValue): HclValue {
  if (isHclList(value)) return value.map((each) => keysSorted(each));
  return isHclObject(value) ? sorted(new Map(Object.entries(value).map(([key, each]) => [key, keysSorted(each)]))) : value;
}

function goQueryEscape(value: string): string {
  const escaped = encodeURIComponent(value).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return escaped.replaceAll("%20", "+");
}

function without(values: readonly HclValue[], others: readonly HclValue[]): readonly HclValue[] {
  return values.filter((value) => !others.some((other) => hclEqual(other, value)));
}

/** The names of the spaces that RFC 4122 gives ids to. */
const uuidSpaces: Readonly<Record<string, string>> = { dns: "10", url: "11", oid: "12", x500: "14" };

function uuidV5(space: string, name: string): string {
  const known = uuidSpaces[space];
  const id = known === undefined ? space : `6ba7b8${known}-9dad-11d1-80b4-00c04fd430c8`;
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) refuse(`uuidv5() doesn't support namespace ${JSON.stringify(space)}`);
  const hash = createHash("sha1")
    .update(Buffer.from(id.replaceAll("-", ""), "hex"))
    .update(name)
    .digest()
    .subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The first record names the fields of the others. */
function csvDecode(content: string): HclValue {
  const [names = [], ...records] = csvRecords(content);
  return records.map((record) => Object.fromEntries(names.map((name, at) => [name, record[at] ?? ""])));
}

function csvRecords(content: string): readonly (readonly string[])[] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, quoted, plain = "", end] of content.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  return records;
}

function flatten(values: readonly HclValue[]): readonly HclValue[] {
  return values.flatMap((value) => (isHclList(value) ? flatten(value) : [value]));
}

function sorted(record: ReadonlyMap<string, HclValue>): HclObject {
  return Object.fromEntries([...record].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Go's syntax of patterns is nearly JavaScript's; named groups are written otherwise. */
function pattern(value: HclValue | undefined, flags: string): RegExp {
  try {
    return new RegExp(text(value).replaceAll("(?P<", "(?<"), flags);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function found(match: RegExpExecArray): HclValue {
  if (match.groups !== undefined) return { ...match.groups };
  return match.length === 1 ? match[0] : match.slice(1);
}

/** %s, %d, %f, %v, %q, %%, with a width; %d of a text that is none is refused. */
function format([first, ...args]: readonly HclValue[]): string {
  let next = 0;
  return text(first).replace(/%(-?)(0?)(\d*)(?:\.(\d+))?([sdfvqtxX%])/g, (_, left: string, zero: string, width: string, precision: string, verb: string) => {
    if (verb === "%") return "%";
    if (next >= args.length) refuse("not enough arguments for the format");
    const shown = formatOne(args[next++] ?? null, verb, precision);
    return left === "" ? shown.padStart(Number(width), zero === "" ? " " : "0") : shown.padEnd(Number(width));
  });
}

function formatOne(value: HclValue, verb: string, precision: string | undefined): string {
  if (verb === "q") return JSON.stringify(text(value));
  if (verb === "d") return String(Math.trunc(num(value)));
  if (verb === "x" || verb === "X") return verb === "x" ? num(value).toString(16) : num(value).toString(16).toUpperCase();
  if (verb === "f") return num(value).toFixed(precision === undefined || precision === "" ? 6 : Number(precision));
  return hclText(value) ?? JSON.stringify(value);
}

function range(args: readonly HclValue[]): readonly number[] {
  const [a, b, c] = args.map((value) => num(value));
  const [start, end] = b === undefined ? [0, a ?? 0] : [a ?? 0, b];
  const step = c ?? (start <= end ? 1 : -1);
  if (step === 0) refuse("step must not be zero");
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (count > 1024) refuse("more than 1024 values");
  return Array.from({ length: count }, (_, at) => start + at * step);
}

function setProduct(lists: readonly HclValue[]): readonly HclValue[] {
  return lists.map((value) => list(value)).reduce<readonly HclValue[][]>((all, values) => all.flatMap((row) => values.map((value) => [...row, value])), [[]]);
}

function lengthOf(value: HclValue): number {
  if (isHclList(value)) return value.length;
  return isHclObject(value) ? Object.keys(value).length : refuse("a list or an object is required");
}

function hash(algorithm: string): HclFunction {
  return onText((value) => createHash(algorithm).update(value).digest("hex"));
}

/** What a cutset of trim holds stands for itself. */
function trimmed(value: string, cutset: string, ends: "both" | "left" | "right"): string {
  const cut = new Set(cutset);
  let [from, to] = [0, value.length];
  while (ends !== "right" && from < to && cut.has(value[from] ?? "")) from++;
  while (ends !== "left" && to > from && cut.has(value[to - 1] ?? "")) to--;
  return value.slice(from, to);
}

const textFunctions: Readonly<Record<string, HclFunction>> = {
  basename: onText((value) => basename(value)),
  base64decode: onText((value) => Buffer.from(value, "base64").toString()),
  base64encode: onText((value) => Buffer.from(value).toString("base64")),
  byteslen: onText((value) => Buffer.byteLength(value)),
  chomp: onText((value) => value.replace(/(?:\r?\n)+$/, "")),
  csvdecode: onText(csvDecode),
  dirname: onText((value) => dirname(value)),
  format,
  homedir: () => homedir(),
  indent: ([spaces, value]) => text(value).replaceAll("\n", `\n${" ".repeat(num(spaces))}`),
  join: ([separator, ...lists]) =>
    flatten(lists)
      .map((value) => text(value))
      .join(text(separator)),
  lower: onText((value) => value.toLowerCase()),
  md5: hash("md5"),
  regex: ([wanted, value]) => found(pattern(wanted, "u").exec(text(value)) ?? refuse("pattern did not match any part of the given string")),
  regex_replace: ([value, wanted, replacement]) => text(value).replace(pattern(wanted, "gu"), text(replacement).replace(/\$\{(\w+)\}/g, "$$$1")),
  regexall: ([wanted, value]) => [...text(value).matchAll(pattern(wanted, "gu"))].map((match) => found(match)),
  replace: ([value, from, to]) => text(value).replaceAll(text(from), () => text(to)),
  reverse: onText((value) => [...value].toReversed().join("")),
  sanitize: onText((value) => value.replace(/[^a-zA-Z0-9_-]+/g, "_")),
  sha1: hash("sha1"),
  sha256: hash("sha256"),
  sha512: hash("sha512"),
  split: ([separator, value]) => text(value).split(text(separator)),
  strlen: onText((value) => [...value].length),
  substr: ([value, offset, length]) => {
    const characters = [...text(value)];
    const start = num(offset) < 0 ? characters.length + num(offset) : num(offset);
    return characters.slice(start, num(length) < 0 ? undefined : start + num(length)).join("");
  },
  timestamp: () => new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  title: onText((value) => value.replace(/(^|[^\p{L}\p{N}_])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase())),
  trim: ([value, cutset]) => trimmed(text(value), text(cutset), "both"),
  trimprefix: ([value, prefix]) => (text(value).startsWith(text(prefix)) ? text(value).slice(text(prefix).length) : text(value)),
  trimspace: onText((value) => value.trim()),
  trimsuffix: ([value, suffix]) => (text(suffix) !== "" && text(value).endsWith(text(suffix)) ? text(value).slice(0, -text(suffix).length) : text(value)),
  upper: onText((value) => value.toUpperCase()),
  urlencode: onText((value) => goQueryEscape(value)),
  uuidv4: () => randomUUID(),
};

const numberFunctions: Readonly<Record<string, HclFunction>> = {
  absolute: onNumber((value) => Math.abs(value)),
  add: onNumbers((a, b) => a + b),
  ceil: onNumber((value) => Math.ceil(value)),
  divide: onNumbers((a, b) => (b === 0 ? refuse("division by zero") : a / b)),
  floor: onNumber((value) => Math.floor(value)),
  greaterthan: onNumbers((a, b) => a > b),
  greaterthanorequalto: onNumbers((a, b) => a >= b),
  int: onNumber((value) => Math.trunc(value)),
  lessthan: onNumbers((a, b) => a < b),
  lessthanorequalto: onNumbers((a, b) => a <= b),
  log: onNumbers((a, b) => Math.log(a) / Math.log(b)),
  max: (args) => Math.max(...args.map((value) => num(value))),
  min: (args) => Math.min(...args.map((value) => num(value))),
  modulo: onNumbers((a, b) => (b === 0 ? refuse("division by zero") : a % b)),
  multiply: onNumbers((a, b) => a * b),
  negate: onNumber((value) => -value),
  parseint: ([value, base]) => Number.parseInt(text(value), num(base)),
  pow: onNumbers((a, b) => a ** b),
  range,
  signum: onNumber((value) => Math.sign(value)),
  subtract: onNumbers((a, b) => a - b),
};

const collectionFunctions: Readonly<Record<string, HclFunction>> = {
  and: ([a, b]) => bool(a) && bool(b),
  chunklist: ([values, size]) =>
    Array.from({ length: Math.ceil(list(values).length / Math.max(1, num(size))) }, (_, at) => list(values).slice(at * num(size), (at + 1) * num(size))),
  coalesce: (args) => args.find((value) => value !== null) ?? refuse("no non-null arguments"),
  coalescelist: (args) => args.find((value) => isHclList(value) && value.length > 0) ?? refuse("no non-null arguments"),
  compact: ([values]) => list(values).filter((value) => value !== "" && value !== null),
  concat: (lists) => lists.flatMap((value) => list(value)),
  contains: ([values, wanted]) => list(values).some((value) => hclEqual(value, wanted ?? null)),
  distinct: ([values]) => distinct(list(values)),
  element: ([values, at]) =>
    list(values).length === 0 ? refuse("cannot use element function with an empty list") : (list(values)[num(at) % list(values).length] as HclValue),
  equal: ([a, b]) => hclEqual(a ?? null, b ?? null),
  flatten: ([values]) => flatten(list(values)),
  formatlist: ([pattern_, ...lists]) => {
    const length = Math.max(...lists.map((value) => (isHclList(value) ? value.length : 1)));
    return Array.from({ length }, (_, at) => format([pattern_ ?? null, ...lists.map((value) => (isHclList(value) ? (value[at] ?? null) : value))]));
  },
  hasindex: ([values, at]) => (isHclList(values ?? null) ? num(at) in list(values) : Object.hasOwn(object(values), text(at))),
  index: ([values, at]) => (isHclList(values ?? null) ? list(values)[num(at)] : object(values)[text(at)]) ?? refuse("there is no such index"),
  indexof: ([values, wanted]) => {
    const at = list(values).findIndex((value) => hclEqual(value, wanted ?? null));
    return at < 0 ? refuse("item not found") : at;
  },
  jsondecode: onText((value) => JSON.parse(value) as HclValue),
  jsonencode: ([value]) => goJson(keysSorted(value ?? null)),
  keys: ([value]) => Object.keys(object(value)).toSorted(),
  length: ([value]) => lengthOf(value ?? null),
  lookup: ([values, key, fallback]) => (Object.hasOwn(object(values), text(key)) ? object(values)[text(key)] : fallback) ?? refuse("lookup failed to find key"),
  merge: (objects) => sorted(new Map(objects.flatMap((value) => (value === null ? [] : Object.entries(object(value)))))),
  not: ([value]) => !bool(value),
  notequal: ([a, b]) => !hclEqual(a ?? null, b ?? null),
  or: ([a, b]) => bool(a) || bool(b),
  reverselist: ([values]) => list(values).toReversed(),
  sethaselement: ([values, wanted]) => list(values).some((value) => hclEqual(value, wanted ?? null)),
  setintersection: ([first, ...others]) => distinct(list(first)).filter((value) => others.every((other) => list(other).some((each) => hclEqual(each, value)))),
  setproduct: setProduct,
  setsubtract: ([a, b]) => distinct(without(list(a), list(b))),
  setsymmetricdifference: ([a, b]) => distinct([...without(list(a), list(b)), ...without(list(b), list(a))]),
  setunion: (lists) => distinct(lists.flatMap((value) => list(value))),
  slice: ([values, start, end]) => list(values).slice(num(start), num(end)),
  sort: ([values]) =>
    list(values)
      .map((value) => text(value))
      .toSorted(),
  values: ([value]) => hclEntries(object(value)).map(([, each]) => each),
  zipmap: ([names, values]) => sorted(new Map(list(names).map((name, at) => [text(name), list(values)[at] ?? null]))),
};

const otherFunctions: Readonly<Record<string, HclFunction>> = {
  cidrhost: ([network, host]) => cidrHost(text(network), num(host)),
  cidrnetmask: onText(cidrNetmask),
  cidrsubnet: ([network, newBits, number]) => cidrSubnet(text(network), num(newBits), num(number)),
  cidrsubnets: ([network, ...newBits]) =>
    cidrSubnets(
      text(network),
      newBits.map((value) => num(value)),
    ),
  formatdate: ([pattern_, time]) => formatDate(text(pattern_), text(time)),
  timeadd: ([time, duration]) => timeAdd(text(time), text(duration)),
  uuidv5: ([space, name]) => uuidV5(text(space), text(name)),
};

export const hclFunctions: ReadonlyMap<string, HclFunction> = new Map(
  Object.entries({ ...textFunctions, ...numberFunctions, ...collectionFunctions, ...otherFunctions }),
);
