/** `registry serve`: a directory as a registry, for one server at a time. */
import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { makeDirectories } from "../../base/make-directories.ts";
import { errnoOf, SlipwayError } from "../../base/errors.ts";
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
} from "../../distribution/index.ts";
import { defaultRoot, Store } from "../../store/index.ts";
import { flock } from "../../store/syscalls.ts";
import type { OpenedMirror } from "./open-mirror.ts";
import { withStoreImages } from "./store-images.ts";

export type { Exchange };

export interface ServeRegistryOptions {
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly htpasswd?: string;
  readonly tls?: TlsFiles;
  readonly readOnly: boolean;
  readonly delete: boolean;
  /** directory of a store: its images are served, and images that are pushed are its own */
  readonly imagesOf?: string;
  /** a registry whose content is fetched when it is asked for, and kept: "docker.io". Pushes are refused then */
  readonly mirrorOf?: string;
  readonly onExchange?: (exchange: Exchange) => void;
}

/** an upload that nobody went on with for so long is given up */
const uploadLifeMs = 7 * 24 * 3600_000;

function lockDirectory(directory: string): number {
  makeDirectories(directory, 0o711);
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
  const { directory, host, port, htpasswd, tls, onExchange, imagesOf } = options;
  const readOnly = options.readOnly || options.mirrorOf !== undefined;
  const access = htpasswd === undefined ? openAccess : createBasicAccess(createHtpasswdUsers(htpasswd), "Slipway");
  const lock = lockDirectory(directory);
  let store: Store | undefined;
  let mirror: OpenedMirror | undefined;
  const release = async (): Promise<void> => {
    await mirror?.close();
    store?.close();
    closeSync(lock);
  };
  try {
    sweepDirectory(directory, Date.now() - uploadLifeMs);
    const disk = createDiskStorage(directory);
    store = imagesOf === undefined ? undefined : Store.open(imagesOf);
    let address = "";
    mirror = options.mirrorOf === undefined ? undefined : await (await import("./open-mirror.ts")).openMirror(disk, options.mirrorOf);
    const storage = store === undefined ? (mirror?.storage ?? disk) : withStoreImages({ storage: disk, store, server: () => address, names: [hostname()] });
    const own = createDistribution(storage, { access, readOnly, delete: options.delete });
    const respond = mirror?.respond(own) ?? own;
    const server = await startHttpServer(respond, { host, port, ...(tls === undefined ? {} : { tls }), ...(onExchange === undefined ? {} : { onExchange }) });
    address = server.host;
    const close = async (graceMs?: number): Promise<void> => {
      await server.close(graceMs);
      await release();
    };
    return { ...server, close, [Symbol.asyncDispose]: () => close() };
  } catch (error) {
    await release();
    throw error;
  }
}

/** The store's directory where the caller names none. */
export function defaultStoreRoot(env: Readonly<Record<string, string | undefined>>): string {
  return defaultRoot(env, process.geteuid?.() ?? 0);
}
