/**
 * The containers tools' registries.conf, version 2: which mirrors are asked before a registry, which registries may be
 * reached insecurely, which are blocked. Search lists and short-name aliases are left aside: Docker's rule holds, a
 * name without a domain is Docker Hub's. @see containers-registries.conf(5)
 */
import { isIP } from "node:net";
import { SlipwayError } from "../base/errors.ts";
import { Fields } from "../oci/bounded-json.ts";
import type { JsonObject } from "../oci/bounded-json.ts";
import { formatReference } from "../oci/reference.ts";
import type { Reference } from "../oci/reference.ts";
import type { ConfigFiles, Env } from "./config-files.ts";
import { createEndpoint, originEndpoint } from "./endpoint.ts";
import type { Endpoint, EndpointOptions } from "./endpoint.ts";
import type { CertificatePaths } from "./host-certificates.ts";
import { isInRange } from "./proxy.ts";

/** What a file says of the way to a host besides its name. */
export interface HostOptions {
  /** sent with every request to it; names in lower case */
  readonly headers?: Readonly<Record<string, string>>;
  readonly certificates?: CertificatePaths;
  /** its certificate is checked and https spoken where a loopback host's would not be */
  readonly verified?: boolean;
}

export interface MirrorConf extends HostOptions {
  readonly location: string;
  readonly insecure: boolean;
  readonly pullFromMirror: "all" | "digest-only" | "tag-only";
}

export interface RegistryConf extends HostOptions {
  /** host, host/path, *.domain or a range of addresses: the longest that fits a reference is used */
  readonly prefix: string;
  /** what takes the prefix's place; empty only under a *.domain prefix and a range, where nothing is replaced */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorConf[];
  /** the file that says so */
  readonly source: string;
}

export type RegistriesConf = readonly RegistryConf[];

function invalid(source: string, why: string, cause?: unknown): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_REGISTRIES_CONF", `${source}: ${why}`, { path: source }, cause);
}

function withoutSlash(location: string): string {
  return location.replace(/\/+$/, "");
}

function readMirror(fields: Fields, digestOnly: boolean): MirrorConf {
  const when = fields.string("pull-from-mirror") ?? "";
  if (when !== "" && digestOnly) throw fields.fail("pull-from-mirror", "nothing, where mirror-by-digest-only is set");
  if (when !== "" && when !== "all" && when !== "digest-only" && when !== "tag-only")
    throw fields.fail("pull-from-mirror", '"all", "digest-only" or "tag-only"');
  return {
    location: withoutSlash(fields.requiredString("location")),
    insecure: fields.boolean("insecure") ?? false,
    pullFromMirror: digestOnly ? "digest-only" : when === "" ? "all" : when,
  };
}

function readRegistry(fields: Fields, source: string): RegistryConf {
  const location = withoutSlash(fields.string("location") ?? "");
  const prefix = withoutSlash(fields.string("prefix") ?? "") || location;
  if (location === "" && !prefix.startsWith("*.")) throw fields.fail("location", 'a host, unless prefix is of the form "*.example.com"');
  const digestOnly = fields.boolean("mirror-by-digest-only") ?? false;
  return {
    prefix,
    location,
    insecure: fields.boolean("insecure") ?? false,
    blocked: fields.boolean("blocked") ?? false,
    mirrors: (fields.children("mirror") ?? []).map((mirror) => readMirror(mirror, digestOnly)),
    source,
  };
}

/** Fails with INVALID_REGISTRIES_CONF (invalid_argument), naming the file and the field. */
export async function parseRegistriesConf(text: string, source: string): Promise<RegistriesConf> {
  const { parse } = await import("smol-toml");
  try {
    const fields = new Fields(parse(text) as JsonObject, source);
    return (fields.children("registry") ?? []).map((registry) => readRegistry(registry, source));
  } catch (error) {
    throw invalid(source, error instanceof Error ? error.message : String(error), error);
  }
}

/** The main file and the drop-in directories; a user's own file hides the system's together with its drop-ins. */
function configPaths(env: Env, home: string, files: ConfigFiles): readonly string[] {
  const userDir = `${env["XDG_CONFIG_HOME"] || `${home}/.config`}/containers`;
  const systemDir = "/etc/containers";
  const override = env["CONTAINERS_REGISTRIES_CONF"] ?? "";
  const hasUserFile = override === "" && files.readText(`${userDir}/registries.conf`) !== undefined;
  const main = override !== "" ? override : `${hasUserFile ? userDir : systemDir}/registries.conf`;
  const dirs = (hasUserFile ? [userDir] : [systemDir, userDir]).map((dir) => `${dir}/registries.conf.d`);
  const dropIns = dirs.flatMap((dir) =>
    files
      .list(dir)
      .filter((name) => name.endsWith(".conf"))
      .map((name) => `${dir}/${name}`),
  );
  return [main, ...dropIns];
}

/**
 * Reads what is configured on the machine: CONTAINERS_REGISTRIES_CONF, else the user's file, else the system's, then the
 * drop-in directories; of two entries with the same prefix the later file's counts.
 * A file that CONTAINERS_REGISTRIES_CONF names has to exist. Fails with INVALID_REGISTRIES_CONF (invalid_argument).
 */
export async function readRegistriesConf(env: Env, home: string, files: ConfigFiles): Promise<RegistriesConf> {
  const override = env["CONTAINERS_REGISTRIES_CONF"] ?? "";
  const byPrefix = new Map<string, RegistryConf>();
  for (const path of configPaths(env, home, files)) {
    const text = files.readText(path);
    if (text === undefined && path === override) throw invalid(path, "no such file, but CONTAINERS_REGISTRIES_CONF names it");
    if (text === undefined) continue;
    for (const registry of await parseRegistriesConf(text, path)) byPrefix.set(registry.prefix, registry);
  }
  return [...byPrefix.values()];
}

/** The prefix of an entry for every registry that has no other. */
export const anyRegistry = "*";

/** How much of `name` the prefix covers, or undefined when it does not fit; it ends where a component ends. */
function matchLength(name: string, prefix: string): number | undefined {
  if (prefix === anyRegistry) return name.indexOf("/");
  if (/^[\d.]+\/\d+$|^[\da-f:]+\/\d+$/i.test(prefix)) {
    const [host = ""] = name.split("/");
    const address = isIP(host) === 0 ? host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "") : host;
    return isIP(address) !== 0 && isInRange(address, prefix) ? host.length : undefined;
  }
  let end = prefix.length;
  if (prefix.startsWith("*.")) {
    const tail = prefix.slice(1);
    const at = name.indexOf(tail);
    if (at < 1 || name.slice(0, at).includes("/")) return undefined;
    end = at + tail.length;
  } else if (!name.startsWith(prefix)) {
    return undefined;
  }
  return end === name.length || ":/@".includes(name.charAt(end)) ? end : undefined;
}

function findRegistry(conf: RegistriesConf, name: string): { registry: RegistryConf; length: number } | undefined {
  let found: { registry: RegistryConf; length: number } | undefined;
  for (const registry of conf) {
    const length = matchLength(name, registry.prefix);
    if (length !== undefined && registry.prefix.length > (found?.registry.prefix.length ?? -1)) found = { registry, length };
  }
  return found;
}

function endpointAt(location: string, rest: string, options: EndpointOptions, source: string): Endpoint {
  const path = location + rest;
  const slash = path.indexOf("/");
  // a prefix fits in front of a port as well, to which a location with a port of its own cannot be joined
  if (slash < 1 || /:\d+:\d+$/.test(path.slice(0, slash)))
    throw invalid(source, `location ${JSON.stringify(location)} leaves no repository name in ${JSON.stringify(path)}`);
  return createEndpoint(path.slice(0, slash), path.slice(slash + 1), options);
}

function hostOptionsOf({ headers, verified }: HostOptions): EndpointOptions {
  return { ...(headers === undefined ? {} : { headers }), ...(verified === undefined ? {} : { verified }) };
}

/** The files of certificates that entries name for their hosts. */
export function certificatesByHost(conf: RegistriesConf): ReadonlyMap<string, CertificatePaths> {
  const hostOf = (location: string): string => createEndpoint(location.split("/")[0] ?? "", "").host;
  const all = conf.flatMap((registry) => [...registry.mirrors, ...(registry.location === "" ? [] : [registry])]);
  return new Map(all.flatMap(({ location, certificates }) => (certificates === undefined ? [] : [[hostOf(location), certificates] as const])));
}

/**
 * Where to ask for the reference, in order: the mirrors that serve this kind of reference, then the registry itself.
 * Fails with REGISTRY_BLOCKED (denied).
 */
export function endpointsFor(reference: Reference, conf: RegistriesConf = []): readonly Endpoint[] {
  const name = `${reference.domain}/${reference.path}`;
  const found = findRegistry(conf, name);
  if (found === undefined) return [originEndpoint(reference)];
  const { registry, length } = found;
  if (registry.blocked) {
    throw new SlipwayError("denied", "REGISTRY_BLOCKED", `registry ${registry.prefix} is blocked in ${registry.source}`, {
      reference: formatReference(reference),
      path: registry.source,
    });
  }
  const rest = name.slice(length);
  const unwanted = reference.digest === undefined ? "digest-only" : "tag-only";
  const mirrors = registry.mirrors
    .filter((mirror) => mirror.pullFromMirror !== unwanted)
    .map((mirror) => endpointAt(mirror.location, rest, { insecure: mirror.insecure, mirror: true, ...hostOptionsOf(mirror) }, registry.source));
  const origin =
    registry.location === ""
      ? createEndpoint(reference.domain, reference.path, { insecure: registry.insecure, ...hostOptionsOf(registry) })
      : endpointAt(registry.location, rest, { insecure: registry.insecure, mirror: false, ...hostOptionsOf(registry) }, registry.source);
  return [...mirrors, origin];
}
