/** Compose files as bake files: each service that is built is a target. What `x-bake` says is added to what `build` says. */
import { posix } from "node:path";
import { formatBinarySize, parseByteSize } from "../units.ts";
import type { HclAttribute, HclBlock, HclBody } from "./hcl-parse.ts";
import { hclText, isHclList, isHclObject, type HclObject, type HclValue } from "./hcl-value.ts";
import { buildOf, fieldsOf, isPath, listOf, readServices, refuse, type ComposeSource } from "./compose-services.ts";
import type { Variables } from "./compose-words.ts";

/** Keys of `build` that have no counterpart in a build here. */
const without: readonly string[] = ["isolation"];

/** A map, or lines of `name=value`; a name alone is what the environment says of it, if anything. */
function mapOf(value: HclValue | undefined, variables: Variables, separator = /=/): HclObject {
  const entries = isHclList(value ?? null) ? listOf(value).map((each) => splitAt(hclText(each) ?? "", separator)) : Object.entries(fieldsOf(value));
  return Object.fromEntries(
    entries.flatMap(([name, each]) => {
      const text = each === null || each === undefined ? variables[name] : hclText(each);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

function splitAt(text: string, separator: RegExp): readonly [string, string | undefined] {
  const at = text.search(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function ulimits(value: HclValue | undefined): readonly string[] {
  return Object.entries(fieldsOf(value)).map(([name, each]) => {
    if (!isHclObject(each)) return `${name}=${hclText(each) ?? ""}`;
    return `${name}=${hclText(each["soft"] ?? null) ?? ""}:${hclText(each["hard"] ?? null) ?? ""}`;
  });
}

interface ComposeFile {
  readonly file: string;
  readonly variables: Variables;
  readonly secrets: HclObject;
  readonly targetNames: ReadonlyMap<string, string>;
}

function secretsOf({ file, secrets }: ComposeFile, value: HclValue | undefined): readonly HclValue[] {
  return listOf(value).map((each) => {
    const source = (isHclObject(each) ? hclText(each["source"] ?? null) : hclText(each)) ?? "";
    const { environment, file: path } = fieldsOf(secrets[source]);
    if (environment !== undefined) return { id: source, type: "env", env: environment };
    return path === undefined
      ? refuse(file, `secret ${source} has neither a file nor a variable`)
      : { id: source, type: "file", src: posix.normalize(hclText(path) ?? "") };
  });
}

/** `service:NAME` is another target. */
function contextsOf(compose: ComposeFile, value: HclValue | undefined): HclObject {
  const found = Object.entries(mapOf(value, compose.variables)).map(([name, each]) => {
    const [, service] = /^service:(.+)$/.exec(hclText(each) ?? "") ?? [];
    const text = hclText(each) ?? "";
    return [
      name,
      service === undefined ? (isPath(text) ? posix.normalize(text).replace(/(?<=.)\/$/, "") : text) : `target:${compose.targetNames.get(service) ?? service}`,
    ] as const;
  });
  return Object.fromEntries(found);
}

const addedByBake: readonly string[] = ["tags", "cache-from", "cache-to", "secret", "ssh", "platforms", "output", "no-cache-filter"];
const setByBake: readonly string[] = ["pull", "no-cache", "contexts"];

function targetOf(compose: ComposeFile, service: HclObject, build: HclObject): HclObject {
  const { file, variables } = compose;
  const strange = without.find((key) => build[key] !== undefined);
  if (strange !== undefined) refuse(file, `build.${strange} is not supported`);
  const size = build["shm_size"] === undefined ? undefined : parseByteSize(hclText(build["shm_size"]) ?? "");
  const hosts = mapOf(build["extra_hosts"], variables, /[=:]/);
  const image = service["image"];
  const context = hclText(build["context"] ?? null) ?? ".";
  const attributes: HclObject = {
    context: /^\w+:\/\/|^git@/.test(context) ? context : posix.normalize(context).replace(/(?<=.)\/$/, ""),
    contexts: contextsOf(compose, build["additional_contexts"]),
    ...(build["dockerfile"] === undefined ? {} : { dockerfile: build["dockerfile"] }),
    ...(build["dockerfile_inline"] === undefined ? {} : { "dockerfile-inline": build["dockerfile_inline"] }),
    args: mapOf(build["args"], variables),
    labels: mapOf(build["labels"], variables),
    tags: build["tags"] === undefined ? listOf(image) : listOf(build["tags"]),
    "cache-from": listOf(build["cache_from"]),
    "cache-to": listOf(build["cache_to"]),
    ...(build["target"] === undefined ? {} : { target: build["target"] }),
    secret: secretsOf(compose, build["secrets"]),
    ssh: isHclList(build["ssh"] ?? null)
      ? listOf(build["ssh"])
      : Object.entries(mapOf(build["ssh"], variables)).map(([id, path]) => `${id}=${hclText(path) ?? ""}`),
    platforms: listOf(build["platforms"]),
    ...(build["pull"] === undefined ? {} : { pull: build["pull"] }),
    ...(build["no_cache"] === undefined ? {} : { "no-cache": build["no_cache"] }),
    ...(build["network"] === undefined ? {} : { network: build["network"] }),
    ...(size === undefined ? {} : { "shm-size": formatBinarySize(size) }),
    ulimits: ulimits(build["ulimits"]),
    entitlements: listOf(build["entitlements"]),
    "extra-hosts": hosts,
  };
  const more = fieldsOf(build["x-bake"]);
  return {
    ...attributes,
    ...Object.fromEntries(addedByBake.flatMap((key) => (more[key] === undefined ? [] : [[key, [...listOf(attributes[key]), ...listOf(more[key])]]]))),
    ...Object.fromEntries(setByBake.flatMap((key) => (more[key] === undefined ? [] : [[key, more[key]]]))),
  };
}

/** Fails with BAKE_DEFINITION and INPUT_FILE (invalid_argument). Loads the reader of YAML. */
export async function composeBody(source: ComposeSource): Promise<HclBody> {
  const { file, text, variables } = source;
  const all = await readServices(source);
  const services = Object.entries(all.services).map(([name, service]) => ({ name, service: fieldsOf(service) }));
  const built = services.filter(({ service }) => service["build"] !== undefined && service["build"] !== null);
  const targetNames = new Map(built.map(({ name }) => [name, name.replaceAll(".", "_")]));
  const compose = { file, variables, secrets: all.secrets, targetNames };
  const place = { source: { file, text }, start: 0, end: 0 };
  const block = (type: string, label: string, attributes: HclObject): HclBlock => ({
    type,
    labels: [label],
    place,
    body: {
      blocks: [],
      attributes: new Map(Object.entries(attributes).map(([key, value]): [string, HclAttribute] => [key, { place, expression: () => value }])),
    },
  });
  const targets = built.map(({ name, service }) => {
    return block("target", targetNames.get(name) ?? name, targetOf(compose, service, buildOf(service["build"] ?? null)));
  });
  if (targets.length === 0) return { attributes: new Map(), blocks: [] };
  return { attributes: new Map(), blocks: [block("group", "default", { targets: [...targetNames.values()].toSorted() }), ...targets] };
}
