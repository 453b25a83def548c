/**
 * How many transfers run at once and by which proxy, where the machine says so: our own variables, then Docker's daemon.json.
 * @see docker docs, "dockerd", "Daemon configuration file"
 */
import { SlipwayError } from "../base/errors.ts";
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import type { ConfigFiles, Env } from "./config-files.ts";
import { findDaemonJson } from "./mirror-settings.ts";

export interface TransferSettings {
  readonly parallelDownloads?: number;
  readonly parallelUploads?: number;
  readonly retry?: { readonly maxAttempts: number };
  /** hosts, and ranges of addresses, that layers may go to which others are not given */
  readonly nondistributableTo?: readonly string[];
  /** the environment, with daemon.json's proxies where it names none */
  readonly env: Env;
}

const most = 64;

/** Fails with INVALID_PARALLEL (invalid_argument). */
function ownLimit(env: Env, name: string): number | undefined {
  const text = env[name] ?? "";
  if (text === "") return undefined;
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new SlipwayError("invalid_argument", "INVALID_PARALLEL", `${name}: ${JSON.stringify(text.slice(0, 50))} is not a number from 1 to ${most}`, { name });
}

/** Zero is Docker's own number. */
function daemonLimit(fields: Fields, key: string): number | undefined {
  const value = fields.integer(key);
  if (value !== undefined && value < 0) throw fields.fail(key, "a number of at least 1");
  return value === undefined || value === 0 ? undefined : Math.min(value, most);
}

const proxyNames = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] as const;

/** Any variable of the environment's hides all of daemon.json's: the two are written for each other. */
function withProxies(env: Env, fields: Fields): Env {
  const proxies = fields.child("proxies");
  if (proxies === undefined || proxyNames.some((name) => (env[name] || env[name.toLowerCase()] || "") !== "")) return env;
  const given = proxyNames.map((name) => [name, proxies.string(name.toLowerCase().replace("_", "-")) ?? ""] as const);
  return { ...env, ...Object.fromEntries(given.filter(([, value]) => value !== "")) };
}

/** Fails with INVALID_PARALLEL and INVALID_DAEMON_JSON (invalid_argument). */
export function readTransferSettings(env: Env, home: string, files: ConfigFiles): TransferSettings {
  const found = findDaemonJson(env, home, files) ?? { path: "daemon.json", text: "{}" };
  const downloads = ownLimit(env, "SLIPWAY_PARALLEL_DOWNLOADS");
  const uploads = ownLimit(env, "SLIPWAY_PARALLEL_UPLOADS");
  try {
    const fields = new Fields(parseJsonObject(Buffer.from(found.text), found.path, { maxBytes: 1024 * 1024, maxDepth: 32 }), found.path);
    const parallelDownloads = downloads ?? daemonLimit(fields, "max-concurrent-downloads");
    const parallelUploads = uploads ?? daemonLimit(fields, "max-concurrent-uploads");
    const nondistributableTo = fields.strings("allow-nondistributable-artifacts") ?? [];
    const maxAttempts = daemonLimit(fields, "max-download-attempts");
    return {
      ...(parallelDownloads === undefined ? {} : { parallelDownloads }),
      ...(parallelUploads === undefined ? {} : { parallelUploads }),
      ...(maxAttempts === undefined ? {} : { retry: { maxAttempts } }),
      ...(nondistributableTo.length === 0 ? {} : { nondistributableTo }),
      env: withProxies(env, fields),
    };
  } catch (error) {
    throw new SlipwayError("invalid_argument", "INVALID_DAEMON_JSON", error instanceof Error ? error.message : String(error), { path: found.path }, error);
  }
}
