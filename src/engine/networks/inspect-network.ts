/** Docker's `network inspect` objects. */
import { createHash } from "node:crypto";
import { isUp } from "../../runtime/container-status.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { containerAddress, containerGateway } from "../../runtime/network-addresses.ts";
import type { Store } from "../../store/index.ts";
import type { NetworkContainer, NetworkInspect } from "../networks-api.ts";
import { predefinedId, predefinedTime, type PredefinedName, type StoredNetwork } from "./network-store.ts";

const always = { Scope: "local", EnableIPv6: false, Ingress: false, ConfigFrom: { Network: "" }, ConfigOnly: false } as const;

/** `running`: records with their true states. */
export function inspectUserNetwork(network: StoredNetwork, running: readonly ContainerRecord[]): NetworkInspect {
  return inOrder({
    ...always,
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Driver: "bridge",
    EnableIPv4: true,
    IPAM: {
      Driver: "default",
      Options: {},
      Config: [
        {
          Subnet: network.subnet,
          ...(network.ipRange === undefined ? {} : { IPRange: network.ipRange }),
          ...(network.gatewayShown ? { Gateway: network.gateway } : {}),
        },
      ],
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Containers: Object.fromEntries(endpointsOf(network, running)),
    Options: network.options,
    Labels: network.labels,
  });
}

function endpointsOf(network: StoredNetwork, running: readonly ContainerRecord[]): readonly (readonly [string, NetworkContainer])[] {
  return running
    .filter(({ state }) => isUp(state))
    .flatMap(({ id, name, endpoints = [] }) =>
      endpoints
        .filter(({ networkId }) => networkId === network.id)
        .map(({ endpointId, mac, address, prefix }) => {
          const place = { Name: name, EndpointID: endpointId, MacAddress: mac, IPv4Address: `${address}/${prefix}`, IPv6Address: "" };
          return [id, place] as const;
        }),
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const bridgeOptions = {
  "com.docker.network.bridge.default_bridge": "true",
  "com.docker.network.bridge.enable_icc": "false",
  "com.docker.network.bridge.enable_ip_masquerade": "true",
  "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
  "com.docker.network.driver.mtu": "65520",
};

export function inspectPredefined(store: Store, name: PredefinedName, running: readonly ContainerRecord[]): NetworkInspect {
  const bridge = name === "bridge";
  return inOrder({
    ...always,
    Name: name,
    Id: predefinedId(store, name),
    Created: predefinedTime(store),
    Driver: name === "none" ? "null" : name,
    EnableIPv4: true,
    IPAM: { Driver: "default", Options: null, Config: bridge ? [{ Subnet: "172.17.0.0/16", Gateway: containerGateway }] : null },
    Internal: false,
    Attachable: false,
    Containers: Object.fromEntries(
      running.filter((record) => isUp(record.state) && isIn(record, name)).map((record) => [record.id, predefinedPlace(record, bridge)]),
    ),
    Options: bridge ? bridgeOptions : {},
    Labels: {},
  });
}

function isIn({ config }: ContainerRecord, name: PredefinedName): boolean {
  return config.networkMode === name && (name !== "bridge" || (config.networks?.bridge ?? true));
}

function predefinedPlace({ id, name }: ContainerRecord, bridge: boolean): NetworkContainer {
  const endpoint = createHash("sha256").update(id).digest("hex");
  return { Name: name, EndpointID: endpoint, MacAddress: "", IPv4Address: bridge ? `${containerAddress}/16` : "", IPv6Address: "" };
}

const order: readonly (keyof NetworkInspect)[] = [
  "Name",
  "Id",
  "Created",
  "Scope",
  "Driver",
  "EnableIPv4",
  "EnableIPv6",
  "IPAM",
  "Internal",
  "Attachable",
  "Ingress",
  "ConfigFrom",
  "ConfigOnly",
  "Containers",
  "Options",
  "Labels",
];

function inOrder(network: NetworkInspect): NetworkInspect {
  return Object.fromEntries(order.map((key) => [key, network[key]])) as unknown as NetworkInspect;
}
