import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesOf, nameOfAddress, settle, type Member, type Membership, type NetworkPlace } from "./network-members.ts";

function place(networkName: string, more: Partial<NetworkPlace> = {}): NetworkPlace {
  const number = networkName === "a" ? 0 : 1;
  return {
    networkId: `id-${networkName}`,
    networkName,
    subnet: `10.0.${number}.0/29`,
    gateway: `10.0.${number}.1`,
    interface: "eth0",
    names: [],
    links: {},
    ...more,
  };
}

function membership(id: string, ...places: NetworkPlace[]): Membership {
  return { id, pid: 1, startTimeTicks: "1", servers: [], places };
}

/** Everyone joins in turn. */
function joined(...all: Membership[]): ReadonlyMap<string, Member> {
  const members = new Map<string, Member>();
  for (const wish of all) {
    const settled = settle(members, wish);
    assert.ok("member" in settled, JSON.stringify(settled));
    members.set(wish.id, settled.member);
  }
  return members;
}

const addressOf = (members: ReadonlyMap<string, Member>, id: string, at = 0): string | undefined => members.get(id)?.places[at]?.address;

test("each gets the next address after the gateway's; one that joins again keeps its own", () => {
  const members = joined(membership("x", place("a")), membership("y", place("a")), membership("x", place("a")), membership("z", place("b")));
  assert.deepEqual([addressOf(members, "x"), addressOf(members, "y"), addressOf(members, "z")], ["10.0.0.2", "10.0.0.3", "10.0.1.2"]);
});

const refused: readonly { name: string; place: NetworkPlace; problem: RegExp }[] = [
  { name: "an address that another has", place: place("a", { address: "10.0.0.2" }), problem: /^Address already in use$/ },
  { name: "the gateway's address", place: place("a", { address: "10.0.0.1" }), problem: /^Address already in use$/ },
  { name: "an address from outside", place: place("a", { address: "10.9.0.1" }), problem: /^Address already in use$/ },
  { name: "a range that is full", place: place("a", { ipRange: "10.0.0.2/32" }), problem: /^no available IPv4 addresses on this network's address pools: a / },
];
for (const { name, place: wanted, problem } of refused) {
  test(`refused: ${name}`, () => {
    const settled = settle(joined(membership("x", place("a"))), membership("y", wanted));
    assert.match("problem" in settled ? settled.problem : "", problem);
  });
}

test("names are those of the asker's networks, in any case, also with the network's name behind; links are its own", () => {
  const members = joined(
    membership("db", place("a", { names: ["db", "Primary"] }), place("b", { names: ["db"] })),
    membership("app", place("a", { names: ["app"], links: { store: "db" } })),
    membership("other", place("b", { names: ["other"] })),
  );
  const app = members.get("app") ?? assert.fail();
  const ask = (name: string): readonly string[] | undefined => addressesOf(members, app, name);
  assert.deepEqual(
    [ask("db"), ask("primary"), ask("db.a"), ask("store"), ask("app"), ask("other"), ask("db.b"), ask("")],
    [["10.0.0.2"], ["10.0.0.2"], ["10.0.0.2"], ["10.0.0.2"], ["10.0.0.3"], undefined, undefined, undefined],
  );
  assert.equal(addressesOf(members, members.get("other") ?? assert.fail(), "store"), undefined);
  assert.equal(nameOfAddress(members, app, "10.0.0.2"), "db.a");
  assert.equal(nameOfAddress(members, app, "10.0.1.2"), undefined);
});

test("an alias that several share has all their addresses", () => {
  const members = joined(membership("x", place("a", { names: ["web"] })), membership("y", place("a", { names: ["web"] })));
  assert.deepEqual(addressesOf(members, members.get("x") ?? assert.fail(), "web"), ["10.0.0.2", "10.0.0.3"]);
});
