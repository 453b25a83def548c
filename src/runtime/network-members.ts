/** Who is in which network, and what the keeper of the networks is asked. Pure. */
import { contains, firstFree, formatIpv4, parseBlock, parseIpv4 } from "./ipv4.ts";

export interface NetworkPlace {
  readonly networkId: string;
  readonly networkName: string;
  readonly subnet: string;
  readonly ipRange?: string;
  readonly gateway: string;
  readonly interface: string;
  /** asked for, or had before; absent: one that is free */
  readonly address?: string;
  /** absent: made of the address */
  readonly mac?: string;
  /** under which others find it */
  readonly names: readonly string[];
  /** further names that this member alone knows → names of others */
  readonly links: Readonly<Record<string, string>>;
}

/** All that the keeper is to know of a container; said again, it replaces what was said before. */
export interface Membership {
  readonly id: string;
  readonly pid: number;
  readonly startTimeTicks: string;
  /** name servers for all other names; none: such names are not found */
  readonly servers: readonly string[];
  readonly places: readonly NetworkPlace[];
}

/** With its addresses. */
export interface Member extends Membership {
  readonly places: readonly (NetworkPlace & { readonly address: string })[];
}

export type Members = ReadonlyMap<string, Member>;

export type Settled = { readonly member: Member } | { readonly problem: string };

/** Gives each place its address. */
export function settle(members: Members, wish: Membership): Settled {
  const places: Member["places"][number][] = [];
  for (const place of wish.places) {
    const taken = addressesIn(members, place.networkId, wish.id);
    taken.add(parseIpv4(place.gateway) ?? 0);
    const subnet = parseBlock(place.subnet);
    const range = parseBlock(place.ipRange ?? place.subnet);
    if (subnet === undefined || range === undefined) return { problem: `invalid subnet ${place.subnet}` };
    const had = members.get(wish.id)?.places.find((other) => other.networkId === place.networkId)?.address;
    const asked = parseIpv4(place.address ?? had ?? "");
    if (asked !== undefined && (taken.has(asked) || !contains(subnet, asked))) return { problem: "Address already in use" };
    const address = asked ?? firstFree(subnet, range, taken);
    if (address === undefined) return { problem: `no available IPv4 addresses on this network's address pools: ${place.networkName} (${place.networkId})` };
    places.push({ ...place, address: formatIpv4(address) });
  }
  return { member: { ...wish, places } };
}

function addressesIn(members: Members, networkId: string, exceptId: string): Set<number> {
  const others = [...members.values()].filter(({ id }) => id !== exceptId);
  return new Set(others.flatMap(({ places }) => places.filter((place) => place.networkId === networkId).map((place) => parseIpv4(place.address) ?? 0)));
}

/** What the name stands for where the asker is: its own links first, then names, also as name.network. Undefined: nobody's name. */
export function addressesOf(members: Members, asker: Member, name: string): readonly string[] | undefined {
  const found = asker.places.flatMap((place) => {
    const suffix = `.${place.networkName.toLowerCase()}`;
    const bare = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
    const wanted = place.links[bare] ?? bare;
    return othersIn(members, place.networkId).filter((other) => other.names.some((text) => text.toLowerCase() === wanted));
  });
  return found.length === 0 ? undefined : [...new Set(found.map(({ address }) => address))];
}

export function nameOfAddress(members: Members, asker: Member, address: string): string | undefined {
  const networks = new Set(asker.places.map(({ networkId }) => networkId));
  const place = [...members.values()].flatMap(({ places }) => places).find((other) => networks.has(other.networkId) && other.address === address);
  return place === undefined ? undefined : `${place.names[0] ?? ""}.${place.networkName}`;
}

function othersIn(members: Members, networkId: string): Member["places"] {
  return [...members.values()].flatMap(({ places }) => places.filter((place) => place.networkId === networkId));
}
