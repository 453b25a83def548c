/** The library's networks. */
import { readFileSync } from "node:fs";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { requireContainer } from "../../runtime/container-errors.ts";
import type { ContainerHost } from "../../runtime/container-host.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { networkEvent } from "../../runtime/container-events.ts";
import { containerState } from "../../runtime/container-state.ts";
import { isUp } from "../../runtime/container-status.ts";
import { routedBlocks } from "../../runtime/ipv4.ts";
import type { ContainerNetworks } from "../../runtime/user-networks.ts";
import type { Store } from "../../store/index.ts";
import { tellPrune } from "../events/tell.ts";
import { createHost, createRecords } from "../containers/container-host.ts";
import { checkFilterKeys, labelsMatch, untilFilter } from "../filters.ts";
import type { NetworkApi, NetworkInspect, NetworkRequest } from "../networks-api.ts";
import { attachmentFrom } from "./container-networks.ts";
import { inspectPredefined, inspectUserNetwork } from "./inspect-network.ts";
import { checkNetworkFilters, matchesNetwork } from "./network-filters.ts";
import { bridgeAddressRefused, invalidEndpoint, newNetwork } from "./network-options.ts";
import {
  deleteNetwork,
  findNetwork,
  findPredefined,
  holdNetworks,
  listNetworks,
  noSuchNetwork,
  predefinedId,
  predefinedNames,
  writeNetwork,
  type StoredNetwork,
} from "./network-store.ts";

/** Loaded when a container's places change. */
const runtime = () => import("../../runtime/joined-networks.ts");

export function openNetworks(store: Store): NetworkApi {
  let made: ContainerHost | undefined;
  const host = (): ContainerHost =>
    (made ??= createHost(
      store,
      createRecords(store, () => []),
      (message) => process.emitWarning(message),
    ));
  return {
    create: async (options) => {
      using _ = await holdNetworks(store);
      const network = newNetwork(options, { networks: listNetworks(store), routed: routedBlocks(readText("/proc/net/route")) });
      writeNetwork(store, network);
      tellNetwork(store, network, "create");
      return network.id;
    },
    list: async ({ filters = {} } = {}) => {
      checkNetworkFilters(filters);
      return allNetworks(store, host()).filter((network) => matchesNetwork(network, filters));
    },
    inspect: async (text) => {
      const predefined = findPredefined(store, text);
      if (predefined !== undefined) return inspectPredefined(store, predefined, runningRecords(host()));
      const network = requireNetwork(store, text);
      await (await runtime()).restoreNetworks(host());
      return inspectUserNetwork(network, runningRecords(host()));
    },
    remove: async (text) => {
      refusePredefined(store, text);
      using _ = await holdNetworks(store);
      const network = requireNetwork(store, text);
      const users = Object.values(inspectUserNetwork(network, runningRecords(host())).Containers);
      if (users.length > 0) throw inUse(network, users);
      deleteNetwork(store, network.id);
      tellNetwork(store, network, "destroy");
      return network.name;
    },
    prune: async ({ filters = {} } = {}) => {
      checkFilterKeys(filters, ["label", "label!", "until"]);
      const until = untilFilter(filters, Date.now());
      using _ = await holdNetworks(store);
      const running = runningRecords(host());
      const unused = listNetworks(store).filter(
        (network) =>
          labelsMatch(filters, network.labels) &&
          (until === undefined || Date.parse(network.created) < until) &&
          Object.keys(inspectUserNetwork(network, running).Containers).length === 0,
      );
      for (const network of unused) {
        deleteNetwork(store, network.id);
        tellNetwork(store, network, "destroy");
      }
      tellPrune(store, "network", 0);
      return { removed: unused.map(({ name }) => name) };
    },
    connect: async (container, request) => {
      const record = await change(host(), container, (found) => connected(store, found, request));
      if (isUp(record.state)) tellPlace(store, record, request.name, "connect");
    },
    disconnect: async (container, text, { force = false } = {}) => {
      if (force && host().records.get(container) === undefined) {
        requireAny(store, text);
        throw new SlipwayError("not_found", "NOT_CONNECTED", printable(`endpoint ${container} not found`), { container, network: text });
      }
      tellPlace(store, await change(host(), container, (record) => disconnected(store, record, text)), text, "disconnect");
    },
  };
}

function tellNetwork(store: Store, { id, name }: StoredNetwork, action: string): void {
  store.events.append([{ type: "network", action, id, attributes: { name, type: "bridge" } }]);
}

/** `text` names a network, found before. */
function tellPlace(store: Store, record: ContainerRecord, text: string, action: string): void {
  const predefined = findPredefined(store, text);
  const network = predefined === undefined ? findNetwork(store, text) : { id: predefinedId(store, predefined), name: predefined };
  if (network !== undefined) store.events.append([networkEvent(record, action, { id: network.id, name: network.name, type: "bridge" })]);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** With their true states. */
function runningRecords(host: ContainerHost): readonly ContainerRecord[] {
  return host.records.list().map((record) => ({ ...record, state: containerState(host, record) }));
}

function allNetworks(store: Store, host: ContainerHost): readonly NetworkInspect[] {
  const running = runningRecords(host);
  const all = [
    ...predefinedNames.map((name) => inspectPredefined(store, name, running)),
    ...listNetworks(store).map((network) => inspectUserNetwork(network, running)),
  ];
  return all.toSorted((a, b) => (a.Name < b.Name ? -1 : 1));
}

function requireNetwork(store: Store, text: string): StoredNetwork {
  const network = findNetwork(store, text);
  if (network === undefined) throw noSuchNetwork(text);
  return network;
}

function requireAny(store: Store, text: string): void {
  if (findPredefined(store, text) === undefined) requireNetwork(store, text);
}

function refusePredefined(store: Store, text: string): void {
  const name = findPredefined(store, text);
  if (name === undefined) return;
  throw new SlipwayError("denied", "PREDEFINED_NETWORK", `${name} is a pre-defined network and cannot be removed`, { network: name });
}

function inUse({ name }: StoredNetwork, users: readonly { readonly Name: string; readonly EndpointID: string }[]): SlipwayError {
  const endpoints = users.map((user) => `name:"${user.Name}" id:"${user.EndpointID.slice(0, 12)}"`).join(", ");
  const message = `error while removing network: network ${name} has active endpoints (${endpoints})`;
  return new SlipwayError("conflict", "NETWORK_IN_USE", printable(message), { network: name, users: users.map((user) => user.Name) });
}

/** Under the container's lock. */
async function change(host: ContainerHost, container: string, changed: (record: ContainerRecord) => ContainerNetworks): Promise<ContainerRecord> {
  const { withContainerLock } = await import("../../runtime/container-lock.ts");
  const { changeNetworks } = await runtime();
  const { id, paths } = requireContainer(host.records, container);
  return await withContainerLock(paths.directory, async () => {
    const record = requireContainer(host.records, id);
    return await changeNetworks(host, { ...record, state: containerState(host, record) }, changed(record));
  });
}

function networksOf({ config }: ContainerRecord): ContainerNetworks {
  return config.networks ?? { mode: config.networkMode, bridge: config.networkMode === "bridge", attached: [] };
}

function connected(store: Store, record: ContainerRecord, request: NetworkRequest): ContainerNetworks {
  const networks = networksOf(record);
  const predefined = findPredefined(store, request.name);
  if (predefined === "host") throw refused("cannot connect container to host network - container must be created in host network mode");
  if (predefined === undefined) requireNetwork(store, request.name);
  if (record.config.networkMode === "host" || record.config.networkMode === "joined")
    throw refused("container sharing network namespace with another container or host cannot be connected to any other network");
  if (predefined === "none" || record.config.networkMode === "none")
    throw refused("container cannot be connected to multiple networks with one of the networks in private (none) mode");
  if (predefined === "bridge") {
    if (request.address !== undefined && request.address !== "") throw bridgeAddressRefused(request.address);
    if ((request.aliases ?? []).length > 0) throw invalidEndpoint("bridge", ["network-scoped aliases are only supported for user-defined networks"]);
    if (networks.bridge) throw already(record, "bridge");
    return { ...networks, bridge: true };
  }
  const attachment = attachmentFrom(store, request);
  if (networks.attached.some(({ networkId }) => networkId === attachment.networkId)) throw already(record, attachment.networkName);
  return { ...networks, attached: [...networks.attached, attachment] };
}

function disconnected(store: Store, record: ContainerRecord, text: string): ContainerNetworks {
  const networks = networksOf(record);
  const predefined = findPredefined(store, text);
  if (predefined === "bridge" && networks.bridge) return { ...networks, bridge: false };
  if (predefined === "host" && record.config.networkMode === "host")
    throw refused("container cannot be disconnected from host network or connected to host network");
  const network = predefined === undefined ? requireNetwork(store, text) : undefined;
  const attached = networks.attached.filter(({ networkId }) => networkId !== network?.id);
  if (attached.length < networks.attached.length) return { ...networks, attached };
  const name = network?.name ?? text;
  throw new SlipwayError("not_found", "NOT_CONNECTED", printable(`container ${record.id} is not connected to network ${name}`), { network: name });
}

function already({ name }: ContainerRecord, network: string): SlipwayError {
  return new SlipwayError("conflict", "ALREADY_CONNECTED", printable(`endpoint with name ${name} already exists in network ${network}`), { network });
}

function refused(message: string): SlipwayError {
  return new SlipwayError("denied", "INVALID_NETWORK", message);
}
