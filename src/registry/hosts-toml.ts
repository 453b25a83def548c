/**
 * containerd's hosts.toml: DIR/<host[:port]>/hosts.toml says which hosts are asked for a registry, `_default` for those without a
 * directory of their own. They become entries as registries.conf has them. @see containerd docs, "hosts.md"
 */
import { SlipwayError } from "../base/errors.ts";
import { Fields, type JsonObject } from "../oci/bounded-json.ts";
import type { ConfigFiles } from "./config-files.ts";
import { anyRegistry, type MirrorConf, type RegistriesConf, type RegistryConf } from "./registries-conf.ts";

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

/** undefined for a host that is not asked when something is pulled. */
function mirrorFrom(name: string, fields: Fields): MirrorConf | undefined {
  const capabilities = fields.strings("capabilities") ?? ["pull", "resolve", "push"];
  if (!capabilities.includes("pull")) return undefined;
  const address = parseAddress(name, fields.boolean("override_path") ?? false);
  if (address === undefined) throw fields.fail("override_path", "an address whose path begins with /v2, or none at all");
  return {
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
    const mirrors = Object.keys(hosts?.object ?? {}).flatMap((name) => mirrorFrom(name, hosts?.child(name) as Fields) ?? []);
    const server = fields.string("server") ?? "";
    const own = server === "" ? undefined : parseAddress(server, fields.boolean("override_path") ?? false);
    if (server !== "" && own === undefined) throw fields.fail("server", "an address such as https://registry.example");
    const isDefault = registry === "_default";
    return {
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
