/** A container's places in networks, as `inspect` shows them. Pure. */
import { createHash } from "node:crypto";
import { containerAddress, containerGateway } from "../../runtime/network-addresses.ts";
import type { ContainerConfig, ContainerRecord } from "../../runtime/container-records.ts";
import { dnsNames, type Endpoint, type NetworkAttachment } from "../../runtime/user-networks.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Endpoints {
  /** what NetworkSettings itself says: of the default bridge */
  readonly top: Fields;
  readonly networks: Readonly<Record<string, Fields>>;
}

export function networkModeOf({ joins, networks, networkMode }: ContainerConfig): string {
  return joins?.network === undefined ? (networks?.mode ?? networkMode) : `container:${joins.network}`;
}

/** By the names of the networks. */
export function networkNames({ networkMode, networks }: ContainerConfig): readonly string[] {
  if (networkMode === "joined") return [];
  if (networks === undefined) return [networkMode];
  return [...(networks.bridge ? ["bridge"] : []), ...networks.attached.map(({ networkName }) => networkName)].sort();
}

/** `networkIdOf`: of bridge, host and none. */
export function containerEndpoints(record: ContainerRecord, running: boolean, networkIdOf: (name: string) => string): Endpoints {
  const { networkMode, networks } = record.config;
  const onBridge = running && networkMode === "bridge" && (networks?.bridge ?? true);
  // as the container itself sees it: from the host it is reached by its published ports
  const address = { Gateway: onBridge ? containerGateway : "", IPAddress: onBridge ? containerAddress : "", IPPrefixLen: onBridge ? 16 : 0 };
  const ipv6 = { IPv6Gateway: "", GlobalIPv6Address: "", GlobalIPv6PrefixLen: 0 };
  const endpointId = running ? createHash("sha256").update(record.id).digest("hex") : "";
  const mac = onBridge ? (record.config.macAddress ?? "") : "";
  const plain = (name: string): Fields => ({
    ...request(undefined),
    MacAddress: mac,
    ...driver,
    NetworkID: running ? networkIdOf(name) : "",
    EndpointID: endpointId,
    ...address,
    ...ipv6,
    DNSNames: null,
  });
  const own = (attachment: NetworkAttachment): Fields => {
    const place = running ? record.endpoints?.find(({ networkId }) => networkId === attachment.networkId) : undefined;
    return { ...request(attachment), ...placeOf(place, attachment), ...ipv6, DNSNames: dnsNames(record, attachment) };
  };
  return {
    top: { ...address, ...ipv6, MacAddress: mac },
    networks: Object.fromEntries(
      networkNames(record.config).map((name) => {
        const attachment = networks?.attached.find(({ networkName }) => networkName === name);
        return [name, attachment === undefined ? plain(name) : own(attachment)];
      }),
    ),
  };
}

const driver = { DriverOpts: null, GwPriority: 0 } as const;

/** What was asked for. */
function request(attachment: NetworkAttachment | undefined): Fields {
  const { address, links = [], aliases = [] } = attachment ?? {};
  return {
    IPAMConfig: address === undefined ? null : { IPv4Address: address },
    Links: links.length === 0 ? null : links,
    Aliases: aliases.length === 0 ? null : aliases,
  };
}

function placeOf(place: Endpoint | undefined, { networkId }: NetworkAttachment): Fields {
  return {
    MacAddress: place?.mac ?? "",
    ...driver,
    NetworkID: networkId,
    EndpointID: place?.endpointId ?? "",
    Gateway: place?.gateway ?? "",
    IPAddress: place?.address ?? "",
    IPPrefixLen: place?.prefix ?? 0,
  };
}
