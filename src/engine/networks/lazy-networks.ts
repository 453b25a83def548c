/** The library's networks, loaded when one is first asked for: most commands have nothing to do with them. */
import type { Store } from "../../store/index.ts";
import type { NetworkApi } from "../networks-api.ts";

export function createNetworks(store: Store): NetworkApi {
  let opened: Promise<NetworkApi> | undefined;
  const open = (): Promise<NetworkApi> => (opened ??= import("./networks.ts").then(({ openNetworks }) => openNetworks(store)));
  return {
    create: async (options) => await (await open()).create(options),
    list: async (options) => await (await open()).list(options),
    inspect: async (network) => await (await open()).inspect(network),
    remove: async (network) => await (await open()).remove(network),
    prune: async (options) => await (await open()).prune(options),
    connect: async (container, request) => await (await open()).connect(container, request),
    disconnect: async (container, network, options) => await (await open()).disconnect(container, network, options),
  };
}
