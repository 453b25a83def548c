/** A running container's places in the networks that users define: taken at its start, given up, and taken anew where the keeper has died. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { requireContainer } from "./container-errors.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import { withContainerLock } from "./container-lock.ts";
import type { ContainerRecord } from "./container-records.ts";
import { writeSystemFiles } from "./container-spec.ts";
import { containerState } from "./container-state.ts";
import { isUp } from "./container-status.ts";
import { startTimeTicks } from "./death-watch.ts";
import { askKeeper, ensureKeeper } from "./network-keeper-client.ts";
import type { Membership, NetworkPlace } from "./network-members.ts";
import { interfacesOf, macOf } from "./network-wiring.ts";
import { dnsNames, type ContainerNetworks, type Endpoint, type NetworkAttachment, type NetworkDefinition } from "./user-networks.ts";

/**
 * `pid`: of the container's first process, which may not have begun. Undefined for a container that is in none. ENDPOINT_ADDRESS_IN_USE (conflict),
 * NETWORK_NOT_FOUND (not_found), NETWORK_FAILED (unavailable), in Docker's words.
 */
export async function joinNetworks(host: ContainerHost, record: ContainerRecord, pid: number): Promise<readonly Endpoint[] | undefined> {
  const { networks } = record.config;
  if (networks === undefined) return undefined;
  await restoreNetworks(host);
  const membership = membershipOf(host, record, networks, pid);
  const endpoints = await join(host, membership, record);
  writeSystemFiles(host, { ...record, endpoints });
  return endpoints;
}

/** Where the keeper was killed its networks went with it: another one is told of all that run. Costs one look where nobody is in any. */
export async function restoreNetworks(host: ContainerHost, exceptId?: string): Promise<void> {
  const up = host.records.list().filter((record) => record.id !== exceptId && record.endpoints !== undefined && isUp(containerState(host, record)));
  if (up.length === 0) return;
  const answer = await askKeeper(host.runDirectory, { kind: "list" });
  const known = new Set(answer?.kind === "members" ? answer.ids : []);
  for (const record of up.filter(({ id }) => !known.has(id))) {
    const { networks } = record.config;
    if (networks !== undefined) await join(host, membershipOf(host, record, networks, record.state.pid), record);
  }
}

async function join(host: ContainerHost, membership: Membership, record: ContainerRecord): Promise<readonly Endpoint[]> {
  for (let attempt = 0; attempt < 3; attempt++) {
    await ensureKeeper(host);
    const answer = await askKeeper(host.runDirectory, { kind: "join", membership });
    // it ended with its last container in just this moment
    if (answer === undefined) continue;
    if (answer.kind === "refused") throw new SlipwayError("conflict", "ENDPOINT_ADDRESS_IN_USE", printable(`${setUp}${answer.message}`));
    if (answer.kind === "failed") throw failed("unavailable", "NETWORK_FAILED", answer.message);
    if (answer.kind === "joined") return membership.places.map((place) => endpointOf(place, answer.addresses[place.networkId] ?? "", record));
  }
  throw failed("unavailable", "NETWORK_FAILED", "the networks' keeper gives no answer");
}

function failed(kind: "unavailable" | "not_found", code: string, reason: string): SlipwayError {
  return new SlipwayError(kind, code, printable(`${setUp}${reason}`));
}

const setUp = "failed to set up container networking: ";

function endpointOf(place: NetworkPlace, address: string, { endpoints = [] }: ContainerRecord): Endpoint {
  const former = endpoints.find(({ networkId }) => networkId === place.networkId);
  return {
    endpointId: former?.endpointId ?? randomBytes(32).toString("hex"),
    networkId: place.networkId,
    address,
    prefix: Number(place.subnet.split("/")[1]),
    gateway: place.gateway,
    mac: place.mac ?? macOf(address),
    interface: place.interface,
  };
}

function membershipOf(host: ContainerHost, record: ContainerRecord, networks: ContainerNetworks, pid: number): Membership {
  const definitions = networks.attached.map((attachment) => ({ attachment, definition: definitionOf(host, attachment) }));
  const taken = new Map((isUp(record.state) ? (record.endpoints ?? []) : []).map((endpoint) => [endpoint.networkId, endpoint]));
  const names = new Set([...interfacesOf(pid), ...[...taken.values()].map((endpoint) => endpoint.interface)]);
  const places = definitions.map(({ attachment, definition }) => {
    const former = taken.get(definition.id);
    const place = placeOf(record, attachment, { definition, former, interfaceName: former?.interface ?? freeName(names) });
    names.add(place.interface);
    return place;
  });
  const open = networks.bridge || definitions.some(({ definition }) => !definition.internal);
  return { id: record.id, pid, startTimeTicks: startTimeTicks(pid) ?? "", servers: open ? nameServers(record) : [], places };
}

function freeName(names: ReadonlySet<string>): string {
  let number = 0;
  while (names.has(`eth${number}`)) number++;
  return `eth${number}`;
}

interface Placing {
  readonly definition: NetworkDefinition;
  readonly former: Endpoint | undefined;
  readonly interfaceName: string;
}

function placeOf(record: ContainerRecord, attachment: NetworkAttachment, { definition, former, interfaceName }: Placing): NetworkPlace {
  const address = former?.address ?? attachment.address;
  const links = (attachment.links ?? []).map((link) => link.split(":")).map(([name = "", alias]) => [(alias ?? name).toLowerCase(), name.toLowerCase()]);
  return {
    networkId: definition.id,
    networkName: definition.name,
    subnet: definition.subnet,
    ...(definition.ipRange === undefined ? {} : { ipRange: definition.ipRange }),
    gateway: definition.gateway,
    interface: interfaceName,
    ...(address === undefined ? {} : { address }),
    ...(attachment.mac === undefined ? {} : { mac: attachment.mac }),
    names: dnsNames(record, attachment),
    links: Object.fromEntries(links) as Record<string, string>,
  };
}

function definitionOf(host: ContainerHost, { networkId, networkName }: NetworkAttachment): NetworkDefinition {
  const definition = host.networkOf?.(networkId);
  if (definition === undefined) throw failed("not_found", "NETWORK_NOT_FOUND", `network ${networkName} not found`);
  return definition;
}

function nameServers({ config }: ContainerRecord): readonly string[] {
  if (config.dns.length > 0) return config.dns;
  try {
    const text = readFileSync("/etc/resolv.conf", "utf8");
    return text.split("\n").flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
  } catch {
    return [];
  }
}

/**
 * The container is in these networks from now on, also if it runs: it gets and loses interfaces at once, and its record says so. Its lock must be
 * held. As joinNetworks() fails, and then nothing has changed.
 */
export async function changeNetworks(host: ContainerHost, record: ContainerRecord, networks: ContainerNetworks): Promise<ContainerRecord> {
  const changed: ContainerRecord = { ...record, config: { ...record.config, networks } };
  if (!isUp(containerState(host, record))) {
    host.records.update(changed);
    return changed;
  }
  await restoreNetworks(host);
  const endpoints = await join(host, membershipOf(host, changed, networks, record.state.pid), record);
  const joined = { ...changed, endpoints };
  host.records.update(joined);
  rewriteSystemFiles(host, joined);
  return joined;
}

/** In place: the container has them mounted. */
function rewriteSystemFiles(host: ContainerHost, record: ContainerRecord): void {
  const { hostname } = containerFiles(host, record);
  const before = readFileSync(hostname);
  writeSystemFiles(host, record);
  // what the container made of its own host name stays
  writeFileSync(hostname, before);
}

/** Others find the container under its name of now. */
export async function refreshNetworks(host: ContainerHost, id: string): Promise<void> {
  const { paths } = requireContainer(host.records, id);
  await withContainerLock(paths.directory, async () => {
    const record = requireContainer(host.records, id);
    const state = containerState(host, record);
    if (record.config.networks !== undefined && isUp(state)) await changeNetworks(host, { ...record, state }, record.config.networks);
  });
}
