/** Networks on the disk: a file each below the store. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { holdFile } from "../../runtime/container-lock.ts";
import type { NetworkDefinition } from "../../runtime/user-networks.ts";
import type { Store } from "../../store/index.ts";

export interface StoredNetwork extends NetworkDefinition {
  /** the user chose it, so containers may choose addresses in it */
  readonly subnetGiven: boolean;
  /** Docker says nothing of the gateway that it chose itself in a subnet that the user chose */
  readonly gatewayShown: boolean;
}

const patienceMs = 60_000;

/** Makers and removers of networks take turns. CONTAINER_BUSY (unavailable) after a minute. */
export async function holdNetworks(store: Store): Promise<Disposable> {
  mkdirSync(store.layout.networks, { recursive: true, mode: 0o711 });
  return await holdFile(store.layout.networks, "exclusive", patienceMs);
}

/** By name. */
export function listNetworks(store: Store): readonly StoredNetwork[] {
  return readNames(store.layout.networks)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => readNetwork(store, name.slice(0, -".json".length)) ?? [])
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function readNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** By its whole id. */
export function readNetwork(store: Store, id: string): StoredNetwork | undefined {
  if (!/^[0-9a-f]{64}$/.test(id)) return undefined;
  try {
    return JSON.parse(readFileSync(fileOf(store, id), "utf8")) as StoredNetwork;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** By id, then name, then the beginning of an id. AMBIGUOUS_ID (invalid_argument). */
export function findNetwork(store: Store, text: string): StoredNetwork | undefined {
  const all = listNetworks(store);
  const exact = all.find(({ id }) => id === text) ?? all.find(({ name }) => name === text);
  if (exact !== undefined || text === "") return exact;
  const [first, second] = all.filter(({ id }) => id.startsWith(text));
  if (second !== undefined)
    throw new SlipwayError("invalid_argument", "AMBIGUOUS_ID", printable(`network ${text} is ambiguous (2 matches found on ID prefix)`));
  return first;
}

/** holdNetworks() must be held. */
export function writeNetwork(store: Store, network: StoredNetwork): void {
  const fresh = join(store.layout.networks, `.${network.id}.${process.pid}`);
  writeFileSync(fresh, JSON.stringify(network), { mode: 0o600 });
  renameSync(fresh, fileOf(store, network.id));
}

export function deleteNetwork(store: Store, id: string): void {
  rmSync(fileOf(store, id), { force: true });
}

function fileOf(store: Store, id: string): string {
  return join(store.layout.networks, `${id}.json`);
}

export const predefinedNames = ["bridge", "host", "none"] as const;
export type PredefinedName = (typeof predefinedNames)[number];

/** The three that are always there have ids too: the same ones for the life of a store. */
export function predefinedId(store: Store, name: string): string {
  return createHash("sha256").update(`${store.layout.root}\0${name}`).digest("hex");
}

/** When the store was made. */
export function predefinedTime(store: Store): string {
  return statSync(store.layout.locks).birthtime.toISOString();
}

export function findPredefined(store: Store, text: string): PredefinedName | undefined {
  const byName = predefinedNames.find((name) => name === text);
  return byName ?? (text.length < 6 ? undefined : predefinedNames.find((name) => predefinedId(store, name).startsWith(text)));
}

export function noSuchNetwork(text: string): SlipwayError {
  return new SlipwayError("not_found", "NETWORK_NOT_FOUND", printable(`network ${text} not found`), { network: text });
}
