/** A build's caches besides the store's, loaded for builds that have some. */
import type { BuildOptions } from "../../api.ts";
import type { BuildCaches, CacheSurroundings } from "./build-caches.ts";

const storeAlone: BuildCaches = {
  exchange: Promise.resolve(undefined),
  inline: () => undefined,
  begin: () => {},
  write: async () => {},
  [Symbol.asyncDispose]: async () => {},
};

/** Fails with INVALID_REFERENCE where a cache is to be written. Caches that cannot be read are told and left out. */
export async function openCaches(options: BuildOptions, surroundings: CacheSurroundings, signal: AbortSignal): Promise<BuildCaches> {
  const { cacheFrom = [], cacheTo = [], buildArgs = {} } = options;
  if (cacheFrom.length === 0 && cacheTo.length === 0 && buildArgs["BUILDKIT_INLINE_CACHE"] === undefined) return storeAlone;
  const { openBuildCaches } = await import("./build-caches.ts");
  return openBuildCaches(options, surroundings, signal);
}
