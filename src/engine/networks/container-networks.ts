/** `--network` as given → what a container's configuration says. */
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { ContainerConfig } from "../../runtime/container-records.ts";
import type { NetworkAttachment } from "../../runtime/user-networks.ts";
import type { Store } from "../../store/index.ts";
import type { RunOptions } from "../container-api.ts";
import type { NetworkRequest } from "../networks-api.ts";
import { bridgeAddressRefused, checkAddress } from "./network-options.ts";
import { findNetwork, findPredefined } from "./network-store.ts";

type Chosen = Pick<ContainerConfig, "networkMode" | "networks" | "macAddress">;

/** UNKNOWN_NETWORK (not_found), INVALID_NETWORK (invalid_argument), in Docker's words. */
export function networksFrom(options: Pick<RunOptions, "network" | "networks">, store: Store): Chosen {
  const requests = options.networks ?? [{ name: options.network ?? "" }];
  const [first = { name: "" }] = requests;
  if (first.name.startsWith("container:")) return { networkMode: "joined" };
  const sorted = requests.map((request) => ({ request, predefined: modeOf(store, request.name) }));
  for (const { request, predefined } of sorted) if (predefined !== undefined) checkPredefined(request, predefined);
  const mode = sorted[0]?.predefined ?? "bridge";
  const mac = sorted.find(({ predefined }) => predefined === "bridge")?.request.mac;
  const onBridge = mac === undefined ? {} : { macAddress: mac };
  if (sorted.length > 1 && sorted.some(({ predefined }) => predefined === "host" || predefined === "none"))
    throw refused("conflicting options: cannot attach both user-defined and non-user-defined network-modes");
  if (mode !== "bridge" || sorted.every(({ predefined }) => predefined === "bridge")) return { networkMode: mode, ...onBridge };
  const attached = sorted.flatMap(({ request, predefined }) => (predefined === undefined ? [attachmentFrom(store, request)] : []));
  const repeated = attached.find(({ networkId }, index) => attached.findIndex((other) => other.networkId === networkId) !== index);
  if (repeated !== undefined) throw refused(`network "${repeated.networkName}" is specified multiple times`);
  return {
    networkMode: "bridge",
    ...onBridge,
    networks: { mode: first.name === "" ? "bridge" : first.name, bridge: sorted.some(({ predefined }) => predefined === "bridge"), attached },
  };
}

function modeOf(store: Store, name: string): "bridge" | "host" | "none" | undefined {
  return name === "" || name === "default" ? "bridge" : findPredefined(store, name);
}

function checkPredefined({ aliases = [], address, links = [] }: NetworkRequest, mode: string): void {
  if (aliases.length > 0) throw refused("network-scoped aliases are only supported for user-defined networks");
  if (links.length > 0) {
    throw new SlipwayError("invalid_argument", "INVALID_NETWORK", `links are only supported for user-defined networks, not for ${mode}`, {
      remedy: "make a network with 'slipway network create' and give it to both containers with --network",
    });
  }
  if (address !== undefined && address !== "") throw bridgeAddressRefused(address);
}

function refused(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_NETWORK", printable(message));
}

/** NETWORK_NOT_FOUND is UNKNOWN_NETWORK here: the container cannot be started. */
export function attachmentFrom(store: Store, { name, aliases = [], address, mac, links = [] }: NetworkRequest): NetworkAttachment {
  const network = findNetwork(store, name);
  if (network === undefined)
    throw new SlipwayError("not_found", "UNKNOWN_NETWORK", printable(`failed to set up container networking: network ${name} not found`), {
      network: name,
      remedy: `slipway network create ${printable(name)}`,
    });
  checkAddress(network, address);
  return {
    networkId: network.id,
    networkName: network.name,
    aliases,
    ...(address === undefined || address === "" ? {} : { address }),
    ...(mac === undefined ? {} : { mac }),
    ...(links.length === 0 ? {} : { links }),
  };
}
