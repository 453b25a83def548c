/** The library's system calls, each loaded when it is used. */
import type { ContainerApi, SystemApi } from "./api.ts";
import type { NetworkApi } from "./networks-api.ts";
import type { PolicyApi } from "./policy-api.ts";
import type { Store } from "../store/index.ts";
import { versionInfo } from "./system/version.ts";

export interface SystemParts {
  readonly containers: ContainerApi;
  readonly networks: NetworkApi;
  readonly policy: PolicyApi;
}

export function createSystem(store: Store, { containers, networks, policy }: SystemParts): SystemApi {
  return {
    diskUsage: async ({ cacheFilters } = {}) => (await import("./system/disk-usage.ts")).diskUsage(store, cacheFilters),
    pruneCache: async (options) => (await import("./system/prune-cache.ts")).pruneCache(store, options),
    prune: async ({ volumes, ...options } = {}) => {
      const [{ pruneSystem }, { pruneVolumes }] = await Promise.all([import("./system/system-prune.ts"), import("./volumes/volumes.ts")]);
      return await pruneSystem(store, {
        ...options,
        pruneContainers: (containerOptions) => containers.prune(containerOptions),
        pruneNetworks: (networkOptions) => networks.prune(networkOptions),
        ...(volumes === true ? { pruneVolumes: () => pruneVolumes(store, false, {}) } : {}),
      });
    },
    version: () => versionInfo(),
    platforms: async () => {
      const [{ emulatedPlatforms }, { formatPlatform, hostPlatform }] = await Promise.all([import("../runtime/emulation.ts"), import("../oci/platform.ts")]);
      return [formatPlatform(hostPlatform()), ...(await emulatedPlatforms(store.layout.work))];
    },
    info: async () => (await import("./system/info.ts")).systemInfo(store),
    events: async function* (options = {}) {
      const { followEvents } = await import("./events/follow-events.ts");
      yield* followEvents(store.events.files, options, Date.now());
    },
    doctor: async () => (await import("./system/doctor.ts")).runDoctor(store, await policy.files()),
  };
}
