/**
 * containerd's hosts.toml: DIR/<host[:port]>/hosts.toml says which hosts are asked for a registry, `_default` for those without a
 * directory of their own. They become entries as registries.conf has them. @see containerd docs, "hosts.md"
 */
import { SlipwayError } from "../base/errors.ts";
import { dirname, isAbsolute, join } from "node:path";
import { Fields, type Json, type JsonObject } from "../oci/bounded-json.ts";
import type { ConfigFiles } from "./config-files.ts";
import type { CertificatePaths } from "./host-certificates.ts";
import { anyRegistry, type HostOptions, type MirrorConf, type RegistriesConf, type RegistryConf } from "./registries-conf.ts";

/** where containerd looks when its `config_path` is the usual one */
const directories = ["/etc/containerd/certs.d"];

interface Address {
  /** host[:port][/path] */
  readonly location: string;
  readonly plain: boolean;
}

/** An address as hosts.toml has it, with or without a scheme; a path counts behind `/v2`, where it stands for the API's root. */
function parseAddress(text: string, overridePath: boolean): Address | undefined {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `https://${text}`);
  if (url === null || url.username !== "" || url.search !== "") return undefined;
  const path = url.pathname.replace(/\/+$/, "");
  const below = overridePath ? /^\/v2(\/.*)?$/.exec(path) : path === "" || path === "/v2" ? [path, ""] : null;
  if (below === null) return undefined;
  const host = url.host === "registry-1.docker.io" ? "docker.io" : url.host;
  return { location: `${host}${below[1] ?? ""}`, plain: url.protocol === "http:" };
}

/** A string, or a list of them. */
function oneOrMore(fields: Fields, key: string): readonly string[] {
  const value = fields.get(key);
  if (typeof value === "string") return [value];
  return fields.strings(key) ?? [];
}

function isPair(value: Json): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((item: Json) => typeof item === "string" && item !== "");
}

/** `client`: a file with certificate and key, or pairs of files; of several the first is used. */
function clientFiles(fields: Fields): CertificatePaths["client"] {
  const value = fields.get("client");
  if (value === undefined) return undefined;
  const first: Json | undefined = Array.isArray(value) ? value[0] : value;
  if (typeof first === "string" && first !== "") return { cert: first, key: first };
  if (first !== undefined && isPair(first)) return first[1] === "" ? undefined : { cert: first[0], key: first[1] };
  throw fields.fail("client", "a file with certificate and key, or a list of pairs of files");
}

/** `ca`, `client` and `header`; paths are relative to the file's directory. */
function hostOptions(fields: Fields, directory: string): HostOptions {
  const at = (path: string): string => (isAbsolute(path) ? path : join(directory, path));
  const authorities = oneOrMore(fields, "ca").map(at);
  const client = clientFiles(fields);
  const named = fields.child("header");
  const headers = Object.keys(named?.object ?? {}).map((name) => [name.toLowerCase(), oneOrMore(named as Fields, name).join(", ")] as const);
  if (headers.some(([name, value]) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)))
    throw fields.fail("header", "names and values of HTTP headers");
  return {
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    ...(authorities.length === 0 && client === undefined
      ? {}
      : { certificates: { authorities, ...(client === undefined ? {} : { client: { cert: at(client.cert), key: at(client.key) } }) } }),
  };
}

/** undefined for a host that is not asked when something is pulled. */
function mirrorFrom(name: string, fields: Fields, directory: string): MirrorConf | undefined {
  const capabilities = fields.strings("capabilities") ?? ["pull", "resolve", "push"];
  if (!capabilities.includes("pull")) return undefined;
  const address = parseAddress(name, fields.boolean("override_path") ?? false);
  if (address === undefined) throw fields.fail("override_path", "an address whose path begins with /v2, or none at all");
  return {
    ...hostOptions(fields, directory),
    location: address.location,
    insecure: address.plain || (fields.boolean("skip_verify") ?? false),
    pullFromMirror: capabilities.includes("resolve") ? "all" : "digest-only",
  };
}

/** Fails with INVALID_HOSTS_TOML (invalid_argument), naming the file and the field. */
export async function parseHostsToml(text: string, registry: string, source: string): Promise<RegistryConf> {
  const { parse } = await import("smol-toml");
  try {
    const fields = new Fields(parse(text) as JsonObject, source);
    const hosts = fields.child("host");
    const mirrors = Object.keys(hosts?.object ?? {}).flatMap((name) => mirrorFrom(name, hosts?.child(name) as Fields, dirname(source)) ?? []);
    const server = fields.string("server") ?? "";
    const own = server === "" ? undefined : parseAddress(server, fields.boolean("override_path") ?? false);
    if (server !== "" && own === undefined) throw fields.fail("server", "an address such as https://registry.example");
    const isDefault = registry === "_default";
    return {
      ...hostOptions(fields, dirname(source)),
      prefix: isDefault ? anyRegistry : registry,
      location: isDefault ? "" : (own?.location ?? registry),
      insecure: (own?.plain ?? false) || (fields.boolean("skip_verify") ?? false),
      blocked: false,
      mirrors,
      source,
    };
  } catch (error) {
    throw new SlipwayError("invalid_argument", "INVALID_HOSTS_TOML", error instanceof Error ? error.message : String(error), { path: source }, error);
  }
}

/** `host_5000_` is how a host with a port is written where colons are not allowed in names. */
function registryOf(directory: string): string {
  return directory.replace(/_(\d+)_$/, ":$1");
}

export async function readHostsToml(files: ConfigFiles): Promise<RegistriesConf> {
  const found: RegistryConf[] = [];
  for (const directory of directories) {
    for (const name of files.list(directory)) {
      const path = `${directory}/${name}/hosts.toml`;
      const text = files.readText(path);
      if (text !== undefined) found.push(await parseHostsToml(text, registryOf(name), path));
    }
  }
  return found;
}
