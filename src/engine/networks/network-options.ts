/** What may be said of a new network, checked in Docker's words. Pure. */
import { randomBytes } from "node:crypto";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { containerGateway } from "../../runtime/network-addresses.ts";
import { contains, defaultSubnet, formatBlock, formatIpv4, overlaps, parseBlock, parseIpv4, sizeOf, type Ipv4Block } from "../../runtime/ipv4.ts";
import type { NetworkOptions } from "../networks-api.ts";
import type { StoredNetwork } from "./network-store.ts";

export interface NetworkNeighbours {
  readonly networks: readonly StoredNetwork[];
  /** what the machine itself reaches by a route */
  readonly routed: readonly Ipv4Block[];
}

/** Docker's default bridge, where containers without a network of their own are. */
const bridgeBlock = parseBlock("172.17.0.0/16")!;

/** INVALID_NETWORK (invalid_argument), NETWORK_EXISTS (conflict), NETWORK_DRIVER (not_found), PREDEFINED_NETWORK (denied). */
export function newNetwork(options: NetworkOptions, neighbours: NetworkNeighbours): StoredNetwork {
  const { name, driver = "bridge" } = options;
  checkClientSide(options);
  if (name.trim() === "") throw invalid("invalid name: name is empty");
  if (["bridge", "host", "none", "default"].includes(name))
    throw new SlipwayError("denied", "PREDEFINED_NETWORK", `operation is not permitted on predefined ${name} network`, { network: name });
  checkDriver(driver);
  if (neighbours.networks.some((other) => other.name === name))
    throw new SlipwayError("conflict", "NETWORK_EXISTS", printable(`network with name ${name} already exists`), { network: name });
  const subnet = subnetFor(options.subnet, neighbours);
  const gateway = options.gateway ?? formatIpv4(subnet.base + 1);
  return {
    id: randomBytes(32).toString("hex"),
    name,
    created: nowInNanoseconds(),
    subnet: formatBlock(subnet),
    subnetGiven: options.subnet !== undefined,
    ...(options.ipRange === undefined ? {} : { ipRange: options.ipRange }),
    gateway,
    gatewayShown: options.gateway !== undefined || options.subnet === undefined,
    internal: options.internal === true,
    attachable: options.attachable === true,
    labels: options.labels ?? {},
    options: options.driverOptions ?? {},
  };
}

/** RFC 3339 with as many digits as Docker has. */
function nowInNanoseconds(): string {
  const fraction = String(process.hrtime.bigint() % 1_000_000n).padStart(6, "0");
  return new Date().toISOString().replace("Z", `${fraction}Z`);
}

/** What Docker's client refuses by itself. */
function checkClientSide({ subnet, gateway, ipRange }: NetworkOptions): void {
  const refuse = (message: string): never => {
    throw invalid(message, true);
  };
  if (subnet === undefined) {
    if (gateway !== undefined || ipRange !== undefined) refuse("every ip-range or gateway must have a corresponding subnet");
    return;
  }
  const block = parseBlock(subnet);
  const range = ipRange === undefined ? undefined : parseBlock(ipRange);
  if (ipRange !== undefined && (range === undefined || block === undefined || !contains(block, range.base) || range.prefix < block.prefix))
    refuse(`no matching subnet for range ${ipRange}`);
  const address = gateway === undefined ? undefined : parseIpv4(gateway);
  if (gateway !== undefined && (address === undefined || block === undefined || !contains(block, address))) refuse(`no matching subnet for gateway ${gateway}`);
}

function checkDriver(driver: string): void {
  if (driver === "bridge" || driver === "") return;
  if (driver === "host" || driver === "null")
    throw new SlipwayError("denied", "NETWORK_DRIVER", `only one instance of "${driver}" network is allowed`, { driver });
  throw new SlipwayError("not_found", "NETWORK_DRIVER", printable(`plugin "${driver}" not found`), { driver, remedy: "use the driver bridge" });
}

function subnetFor(given: string | undefined, { networks, routed }: NetworkNeighbours): Ipv4Block {
  const used = [bridgeBlock, ...networks.flatMap(({ subnet }) => parseBlock(subnet) ?? [])];
  if (given === undefined) {
    // where the machine's own routes leave nothing, a network among containers is still better than none
    const free = defaultSubnet([...used, ...routed]) ?? defaultSubnet(used);
    if (free === undefined) throw invalid("all predefined address pools have been fully subnetted");
    return free;
  }
  const block = parseBlock(given);
  if (block === undefined) throw invalid(`invalid network config:\ninvalid subnet ${given}: invalid CIDR block notation`);
  if (formatBlock(block) !== given) throw invalid(`invalid network config:\ninvalid subnet ${given}: it should be ${formatBlock(block)}`);
  if (sizeOf(block) < 4) throw invalid(`invalid network config:\ninvalid subnet ${given}: it has no room for a gateway and a container`);
  if (used.some((other) => overlaps(other, block))) throw invalid("invalid pool request: Pool overlaps with other one on this address space");
  return block;
}

function invalid(message: string, bare = false): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_NETWORK", printable(message), bare ? { bare: true } : {});
}

/** A container's chosen address. INVALID_NETWORK in Docker's words. */
export function checkAddress(network: StoredNetwork, address: string | undefined): void {
  if (address === undefined || address === "") return;
  const number = parseIpv4(address);
  const block = parseBlock(network.subnet);
  if (number === undefined) throw invalidEndpoint(network.name, [`invalid IPv4 address: ${address}`]);
  const outside = block === undefined || !contains(block, number);
  const problems = [
    ...(network.subnetGiven ? [] : ["user specified IP address is supported only when connecting to networks with user configured subnets"]),
    ...(outside ? [`no configured subnet or ip-range contain the IP address ${address}`] : []),
  ];
  if (problems.length > 0) throw invalidEndpoint(network.name, problems);
}

export function invalidEndpoint(network: string, problems: readonly string[]): SlipwayError {
  const lines = problems.map((problem) => `\n${problems.length > 1 ? "* " : ""}${problem}`).join("");
  return invalid(`invalid config for network ${network}: invalid endpoint settings:${lines}`);
}

/** What the default bridge has: its containers choose no address. */
export function bridgeAddressRefused(address: string): SlipwayError {
  const inside = parseIpv4(address) !== undefined && contains(bridgeBlock, parseIpv4(address)!) && address !== containerGateway;
  return invalidEndpoint("bridge", [
    "user specified IP address is supported on user defined networks only",
    ...(inside ? [] : [`no configured subnet or ip-range contain the IP address ${address}`]),
  ]);
}
