/**
 * Mirrors and insecure registries that are configured elsewhere than in registries.conf: by SLIPWAY_MIRRORS, and by
 * Docker's daemon.json. Both become entries as registries.conf has them; the first source that names a registry counts.
 */
import { isIP } from "node:net";
import { SlipwayError } from "../base/errors.ts";
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import type { ConfigFiles, Env } from "./config-files.ts";
import type { MirrorConf, RegistriesConf, RegistryConf } from "./registries-conf.ts";

const hub = "docker.io";
const ownSource = "SLIPWAY_MIRRORS";
const maxDaemonJsonBytes = 1024 * 1024;

/** `[http://|https://]host[:port][/path]`; http makes it one that may be reached without TLS. */
function parseMirror(text: string): MirrorConf | undefined {
  const [, scheme = "https", location = ""] = /^(?:(https?):\/\/)?((?:\[[\da-f:]+\]|[\w.-]+)(?::\d{1,5})?(?:\/[^\s?#@=]+)?)\/?$/i.exec(text) ?? [];
  return location === "" ? undefined : { location: location.replace(/\/+$/, ""), insecure: scheme.toLowerCase() === "http", pullFromMirror: "all" };
}

function entry(prefix: string, mirrors: readonly MirrorConf[], source: string, insecure = false): RegistryConf {
  return { prefix, location: prefix.includes("/") ? "" : prefix, insecure, blocked: false, mirrors, source };
}

/**
 * `docker.io=mirror.example,docker.io=http://10.0.0.2:5000/hub`: several mirrors of one registry are asked in order.
 * Fails with INVALID_MIRRORS (invalid_argument).
 */
export function parseOwnMirrors(text: string): RegistriesConf {
  const byRegistry = new Map<string, MirrorConf[]>();
  for (const pair of text.split(",").map((part) => part.trim())) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const registry = pair.slice(0, Math.max(0, equals)).trim();
    const mirror = parseMirror(pair.slice(equals + 1).trim());
    if (mirror === undefined || !/^[\w.:[\]-]+$/.test(registry)) {
      throw new SlipwayError(
        "invalid_argument",
        "INVALID_MIRRORS",
        `${ownSource}: ${JSON.stringify(pair)} is not of the form registry=[http://]host[:port][/path]`,
        {
          got: pair,
        },
      );
    }
    const known = byRegistry.get(registry);
    if (known === undefined) byRegistry.set(registry, [mirror]);
    else known.push(mirror);
  }
  return [...byRegistry].map(([registry, mirrors]) => entry(registry, mirrors, ownSource));
}

function isRange(text: string): boolean {
  const [network = "", bits = ""] = text.split("/");
  return isIP(network) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIP(network) === 6 ? 128 : 32);
}

/**
 * `registry-mirrors`, which are Docker Hub's alone, and `insecure-registries`: hosts, and ranges of addresses.
 * Fails with INVALID_DAEMON_JSON (invalid_argument), naming the file and the field.
 */
export function parseDaemonJson(text: string, source: string): RegistriesConf {
  try {
    const fields = new Fields(parseJsonObject(Buffer.from(text), source, { maxBytes: maxDaemonJsonBytes, maxDepth: 32 }), source);
    const mirrors = (fields.strings("registry-mirrors") ?? []).map((mirror) => {
      const parsed = /^https?:\/\//.test(mirror) ? parseMirror(mirror) : undefined;
      if (parsed === undefined) throw fields.fail("registry-mirrors", "addresses of the form https://host");
      return parsed;
    });
    const insecure = (fields.strings("insecure-registries") ?? []).map((host) => {
      if (host.includes("/") ? !isRange(host) : !/^[\w.:[\]-]+$/.test(host)) throw fields.fail("insecure-registries", "hosts or ranges of addresses");
      return entry(host, [], source, true);
    });
    return [...(mirrors.length === 0 ? [] : [entry(hub, mirrors, source)]), ...insecure];
  } catch (error) {
    throw new SlipwayError("invalid_argument", "INVALID_DAEMON_JSON", error instanceof Error ? error.message : String(error), { path: source }, error);
  }
}

/** The user's own daemon.json hides the system's, as with a daemon without root; undefined where there is none or nothing in it. */
export function findDaemonJson(env: Env, home: string, files: ConfigFiles): { readonly path: string; readonly text: string } | undefined {
  for (const path of [`${env["XDG_CONFIG_HOME"] || `${home}/.config`}/docker/daemon.json`, "/etc/docker/daemon.json"]) {
    const text = files.readText(path);
    if (text !== undefined) return text.trim() === "" ? undefined : { path, text };
  }
  return undefined;
}

function readDaemonJson(env: Env, home: string, files: ConfigFiles): RegistriesConf {
  const found = findDaemonJson(env, home, files);
  return found === undefined ? [] : parseDaemonJson(found.text, found.path);
}

/** What daemon.json calls insecure is so wherever it is reached, also as another registry's mirror. */
function withInsecureHosts(conf: RegistriesConf, insecure: ReadonlySet<string>): RegistriesConf {
  const hostOf = (location: string): string => location.split("/")[0] ?? "";
  return conf.map((registry) => ({
    ...registry,
    insecure: registry.insecure || insecure.has(hostOf(registry.location)),
    mirrors: registry.mirrors.map((mirror) => ({ ...mirror, insecure: mirror.insecure || insecure.has(hostOf(mirror.location)) })),
  }));
}

/** All sources in one: SLIPWAY_MIRRORS, registries.conf, daemon.json. Of entries for the same registry the first counts. */
export function withMirrorSettings(conf: RegistriesConf, env: Env, home: string, files: ConfigFiles): RegistriesConf {
  const daemon = readDaemonJson(env, home, files);
  const insecure = new Set(daemon.filter((registry) => registry.insecure).map((registry) => registry.prefix));
  const byPrefix = new Map<string, RegistryConf>();
  for (const registry of [...parseOwnMirrors(env[ownSource] ?? ""), ...conf, ...daemon]) {
    if (!byPrefix.has(registry.prefix)) byPrefix.set(registry.prefix, registry);
  }
  return withInsecureHosts([...byPrefix.values()], insecure);
}
