/**
 * The services of a compose file, with what they extend and what the file includes. A path in another file is one from there: it is made one
 * from the place that took it.
 */
import { posix } from "node:path";
import { cliError } from "../failure.ts";
import { interpolate, parseDotEnv, type Variables } from "./compose-words.ts";
import { hclText, isHclList, isHclObject, type HclObject, type HclValue } from "./hcl-value.ts";

export interface ComposeServices {
  readonly services: HclObject;
  readonly secrets: HclObject;
}

export interface ComposeSource {
  /** what messages call it */
  readonly file: string;
  readonly text: string;
  /** what its paths are relative to, from the working directory */
  readonly directory: string;
  readonly variables: Variables;
  /** by the path from the working directory; `optional`: undefined where there is none */
  readonly read: (path: string, optional?: "optional") => string | undefined;
}

export function refuse(file: string, why: string): never {
  throw cliError(`${file}: ${why}`, "BAKE_DEFINITION", { plain: true });
}

export function fieldsOf(value: HclValue | undefined): HclObject {
  return value !== undefined && isHclObject(value) ? value : {};
}

export function listOf(value: HclValue | undefined): readonly HclValue[] {
  if (value === undefined || value === null) return [];
  return isHclList(value) ? value : [value];
}

/** Fails with BAKE_DEFINITION and INPUT_FILE (invalid_argument). Loads the reader of YAML. */
export async function readServices(source: ComposeSource, including: readonly string[] = []): Promise<ComposeServices> {
  const document = await readDocument(source);
  const services: Record<string, HclValue> = {};
  for (const name of Object.keys(fieldsOf(document["services"]))) services[name] = await extended(source, document, name, []);
  let all: ComposeServices = { services, secrets: fieldsOf(document["secrets"]) };
  for (const entry of listOf(document["include"])) all = imported(source.file, all, await included(source, entry, [...including, source.file]));
  return all;
}

async function readDocument({ file, text, variables }: ComposeSource): Promise<HclObject> {
  return fieldsOf(interpolated(await parseYaml(file, text), variables));
}

async function extended(source: ComposeSource, document: HclObject, name: string, above: readonly string[]): Promise<HclObject> {
  const { extends: base, ...own } = fieldsOf(fieldsOf(document["services"])[name]);
  if (base === undefined || base === null) return own;
  const chain = [...above, `${name} in ${source.file}`];
  if (above.includes(chain.at(-1) ?? "")) throw cliError(`Circular reference:\n  ${chain.join("\n  extends ")}`, "BAKE_DEFINITION", { plain: true });
  const service = hclText(isHclObject(base) ? (base["service"] ?? null) : base) ?? "";
  const file = hclText(fieldsOf(base)["file"] ?? null);
  const there = file === undefined ? source : sourceAt(source, file);
  const from = file === undefined ? document : await readDocument(there);
  if (fieldsOf(from["services"])[service] === undefined)
    throw cliError(`cannot extend service ${JSON.stringify(name)} in ${source.file}: service ${JSON.stringify(service)} not found`, "BAKE_DEFINITION", {
      plain: true,
    });
  const found = await extended(there, from, service, chain);
  return merged(file === undefined ? found : moved(found, posix.dirname(file)), own);
}

function sourceAt(source: ComposeSource, path: string): ComposeSource {
  if (/^\w+:\/\/|^git@/.test(path)) refuse(source.file, `${path} is not read: only files of this machine are`);
  const file = posix.join(source.directory, path);
  return { ...source, file, text: source.read(file) ?? "", directory: posix.dirname(file) };
}

/** `include`'s entry: a path, or several that are one file together, with a directory and variables of their own. */
async function included(source: ComposeSource, entry: HclValue, including: readonly string[]): Promise<ComposeServices> {
  const { path, project_directory: named, env_file: envFile } = isHclObject(entry) ? entry : { path: entry };
  const paths = listOf(path).map((each) => hclText(each) ?? "");
  const directory = hclText(named ?? null) ?? posix.dirname(paths[0] ?? ".");
  const from = posix.join(source.directory, directory);
  const files = listOf(envFile).map((each) => posix.join(source.directory, hclText(each) ?? ""));
  const told = files.length > 0 ? files.map((file) => source.read(file)) : [source.read(posix.join(from, ".env"), "optional")];
  const variables = told.reduce<Variables>((known, text) => ({ ...parseDotEnv(text ?? "", source.variables), ...known }), source.variables);
  let all: ComposeServices = { services: {}, secrets: {} };
  for (const each of paths) {
    const there = { ...sourceAt(source, each), variables, directory: from };
    if (including.includes(there.file)) refuse(source.file, `include cycle detected:\n  ${[...including, there.file].join("\n  include ")}`);
    const { services, secrets } = await readServices(there, including);
    all = { services: fieldsOf(merged(all.services, services)), secrets: { ...all.secrets, ...secrets } };
  }
  return {
    services: Object.fromEntries(Object.entries(all.services).map(([name, service]) => [name, moved(fieldsOf(service), directory)])),
    secrets: Object.fromEntries(Object.entries(all.secrets).map(([name, secret]) => [name, movedSecret(fieldsOf(secret), directory)])),
  };
}

function imported(file: string, own: ComposeServices, other: ComposeServices): ComposeServices {
  for (const kind of ["services", "secrets"] as const) {
    const twice = Object.keys(other[kind]).find(
      (name) => own[kind][name] !== undefined && JSON.stringify(own[kind][name]) !== JSON.stringify(other[kind][name]),
    );
    if (twice !== undefined) refuse(file, `${kind}.${twice} conflicts with imported resource`);
  }
  return { services: { ...own.services, ...other.services }, secrets: { ...own.secrets, ...other.secrets } };
}

export const isPath = (text: string): boolean => !/^(?:\w[\w+.-]*:\/\/|git@|service:|target:|\/)/.test(text);

function movedPath(value: HclValue, directory: string): HclValue {
  const text = hclText(value) ?? "";
  return isPath(text) ? posix.join(directory, text) : text;
}

function movedSecret({ file, ...secret }: HclObject, directory: string): HclObject {
  return file === undefined ? secret : { ...secret, file: movedPath(file, directory) };
}

function moved(service: HclObject, directory: string): HclObject {
  if (service["build"] === undefined || service["build"] === null) return service;
  const build = buildOf(service["build"]);
  const contexts = build["additional_contexts"];
  const movedContexts = Object.entries(fieldsOf(asMap(contexts))).map(([name, place]) => [name, movedPath(place, directory)] as const);
  return {
    ...service,
    build: {
      ...build,
      ...(build["context"] === undefined ? {} : { context: movedPath(build["context"], directory) }),
      ...(contexts === undefined ? {} : { additional_contexts: Object.fromEntries(movedContexts) }),
    },
  };
}

export function buildOf(value: HclValue): HclObject {
  return typeof value === "string" ? { context: value } : fieldsOf(value);
}

/** What compose takes as a map or as lines of `name=value`. */
const maps: ReadonlySet<string> = new Set(["args", "labels", "additional_contexts", "ssh", "ulimits"]);

function asMap(value: HclValue | undefined): HclValue | undefined {
  if (value === undefined || !isHclList(value)) return value;
  return Object.fromEntries(
    listOf(value).map((each) => {
      const text = hclText(each) ?? "";
      const at = text.search(/=/);
      return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** Maps are put together, lists one behind the other; of two others the second counts. */
function merged(base: HclObject, own: HclObject): HclObject {
  const names = [...new Set([...Object.keys(base), ...Object.keys(own)])];
  return Object.fromEntries(names.map((name) => [name, mergedValue(name, base[name], own[name])]));
}

function mergedValue(name: string, base: HclValue | undefined, own: HclValue | undefined): HclValue {
  if (own === undefined || own === null) return base ?? null;
  if (base === undefined || base === null) return own;
  if (name === "build") return merged(buildOf(base), buildOf(own));
  if (name === "extra_hosts") return hostsTogether(hostsOf(base), hostsOf(own));
  const [first, second] = maps.has(name) ? [asMap(base) ?? null, asMap(own) ?? null] : [base, own];
  if (isHclObject(first) && isHclObject(second)) return merged(first, second);
  return isHclList(first) && isHclList(second) ? withoutTwins([...first, ...second]) : second;
}

function withoutTwins(values: readonly HclValue[]): readonly HclValue[] {
  const seen = new Set<string>();
  return values.filter((value) => !seen.has(JSON.stringify(value)) && seen.add(JSON.stringify(value)));
}

function hostsOf(value: HclValue): HclObject {
  if (!isHclList(value)) return fieldsOf(value);
  const lines = listOf(value).map((each) => hclText(each) ?? "");
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.search(/[=:]|$/)), line.slice(line.search(/[=:]|$/) + 1)]));
}

/** A host has all of its addresses. */
function hostsTogether(base: HclObject, own: HclObject): HclObject {
  const names = [...new Set([...Object.keys(base), ...Object.keys(own)])];
  return Object.fromEntries(names.map((name) => [name, [base[name], own[name]].flatMap((value) => hclText(value ?? null) ?? []).join(",")]));
}

/** Each text with its variables put in. */
function interpolated(value: unknown, variables: Variables): HclValue {
  if (typeof value === "string") return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((each) => interpolated(each, variables));
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, interpolated(each, variables)]));
  return typeof value === "number" || typeof value === "boolean" ? value : null;
}

async function parseYaml(file: string, text: string): Promise<unknown> {
  const { parse } = await import("yaml");
  try {
    return parse(text, { merge: true, maxAliasCount: 100, logLevel: "error" }) as unknown;
  } catch (error) {
    return refuse(file, error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
}
