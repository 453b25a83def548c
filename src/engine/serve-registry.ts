/** `registry serve`: a directory as a registry, for one server at a time. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import {
  createBasicAccess,
  createDiskStorage,
  createDistribution,
  createHtpasswdUsers,
  openAccess,
  startHttpServer,
  sweepDirectory,
  type Exchange,
  type HttpServer,
  type TlsFiles,
} from "../distribution/index.ts";
import { defaultRoot } from "../store/index.ts";
import { flock } from "../store/syscalls.ts";

export type { Exchange };

export interface ServeRegistryOptions {
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly htpasswd?: string;
  readonly tls?: TlsFiles;
  readonly readOnly: boolean;
  readonly delete: boolean;
  readonly maxBlobBytes?: number;
  readonly onExchange?: (exchange: Exchange) => void;
}

/** an upload that nobody went on with for so long is given up */
const uploadLifeMs = 7 * 24 * 3600_000;

function lockDirectory(directory: string): number {
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const fd = openSync(path.join(directory, "lock"), "w", 0o600);
  try {
    flock(fd, "exclusive", { nonBlocking: true });
    return fd;
  } catch (error) {
    closeSync(fd);
    if (errnoOf(error) !== "EAGAIN") throw error;
    throw new SlipwayError("conflict", "REGISTRY_IN_USE", `another server works on ${directory}`, { directory }, error);
  }
}

/** Fails with REGISTRY_IN_USE, ADDRESS_IN_USE, CANNOT_LISTEN, HTPASSWD_INVALID. Who closes the server frees the directory. */
export async function serveRegistry(options: ServeRegistryOptions): Promise<HttpServer> {
  const { directory, host, port, htpasswd, tls, readOnly, onExchange, maxBlobBytes } = options;
  const access = htpasswd === undefined ? openAccess : createBasicAccess(createHtpasswdUsers(htpasswd), "Slipway");
  const lock = lockDirectory(directory);
  try {
    sweepDirectory(directory, Date.now() - uploadLifeMs);
    const bounds = maxBlobBytes === undefined ? {} : { maxBlobBytes };
    const respond = createDistribution(createDiskStorage(directory), { access, readOnly, delete: options.delete, ...bounds });
    const server = await startHttpServer(respond, { host, port, ...(tls === undefined ? {} : { tls }), ...(onExchange === undefined ? {} : { onExchange }) });
    const close = async (graceMs?: number): Promise<void> => {
      await server.close(graceMs);
      closeSync(lock);
    };
    return { ...server, close, [Symbol.asyncDispose]: () => close() };
  } catch (error) {
    closeSync(lock);
    throw error;
  }
}

/** The store's directory where the caller names none. */
export function defaultStoreRoot(env: Readonly<Record<string, string | undefined>>): string {
  return defaultRoot(env, process.geteuid?.() ?? 0);
}
