/** The library's volumes. */
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { treeSize, type Store } from "../../store/index.ts";
import type { Filters } from "../api.ts";
import { matchesLabel } from "../containers/summarize.ts";
import type { VolumeApi, VolumeInspect } from "../volumes-api.ts";
import { tellPrune } from "../events/tell.ts";
import { holdVolumes } from "./volume-lock.ts";
import { newVolume } from "./volume-options.ts";
import { deleteVolume, ensureVolume, inspectVolume, isAnonymous, listVolumes, noSuchVolume, readVolume, volumeUsers } from "./volume-store.ts";

export function createVolumes(store: Store): VolumeApi {
  return {
    create: async (options = {}) => {
      const { name, ...said } = newVolume(options);
      using _ = await holdVolumes(store, "shared");
      ensureVolume(store, name, said);
      return name;
    },
    list: ({ filters = {} } = {}) => listMatching(store, filters),
    inspect: (name) => inspectVolume(store, name),
    remove: async (name, { force = false } = {}) => {
      if (readVolume(store, name) === undefined) {
        if (force) return;
        throw noSuchVolume(name);
      }
      using _ = await holdVolumes(store, "exclusive");
      const users = volumeUsers(store).get(name) ?? [];
      if (users.length > 0) throw volumeInUse(name, users);
      if (readVolume(store, name) !== undefined) deleteVolume(store, name);
    },
    prune: async ({ all = false, filters = {} } = {}) => await pruneVolumes(store, all, filters),
  };
}

function volumeInUse(name: string, users: readonly string[]): SlipwayError {
  return new SlipwayError("conflict", "VOLUME_IN_USE", printable(`remove ${name}: volume is in use - [${users.join(", ")}]`), { volume: name, users });
}

function listMatching(store: Store, filters: Filters): readonly VolumeInspect[] {
  checkFilters(filters, ["dangling", "driver", "label", "name"]);
  const users = volumeUsers(store);
  return listVolumes(store)
    .filter((name) => readVolume(store, name) !== undefined)
    .map((name) => inspectVolume(store, name))
    .filter((volume) => Object.entries(filters).every(([filter, values]) => matches(volume, filter, values, users.has(volume.Name))));
}

function matches(volume: VolumeInspect, filter: string, values: readonly string[], used: boolean): boolean {
  switch (filter) {
    case "name":
      return values.some((value) => volume.Name.includes(value));
    case "driver":
      return values.includes(volume.Driver);
    case "dangling":
      return values.some((value) => truths[value] === !used);
    case "label":
      return values.every((value) => matchesLabel(volume.Labels ?? {}, value));
    case "label!":
      return !values.some((value) => matchesLabel(volume.Labels ?? {}, value));
    default:
      return true;
  }
}

const truths: Readonly<Record<string, boolean>> = { "1": true, true: true, "0": false, false: false };

/** INVALID_FILTER in Docker's words. */
function checkFilters(filters: Filters, known: readonly string[]): void {
  for (const [filter, values] of Object.entries(filters)) {
    const wrong = known.includes(filter) ? values.find((value) => ["dangling", "all"].includes(filter) && truths[value] === undefined) : "";
    if (wrong === undefined) continue;
    const shown = known.includes(filter) ? `${filter}=[${wrong}]` : filter;
    throw new SlipwayError("invalid_argument", "INVALID_FILTER", printable(`invalid filter '${shown}'`), { filter });
  }
}

/** Volumes that no container uses, with their sizes. INVALID_FILTER. */
export async function pruneVolumes(
  store: Store,
  all: boolean,
  filters: Filters,
): Promise<{ readonly removed: readonly string[]; readonly reclaimedBytes: number }> {
  checkFilters(filters, ["all", "label", "label!"]);
  const everything = all || (filters["all"] ?? []).some((value) => truths[value] === true);
  using _ = await holdVolumes(store, "exclusive");
  const users = volumeUsers(store);
  const removed: string[] = [];
  let reclaimedBytes = 0;
  for (const name of listVolumes(store)) {
    const record = readVolume(store, name);
    if (record === undefined || users.has(name) || (!everything && !isAnonymous(record))) continue;
    const volume = inspectVolume(store, name);
    if (!Object.entries(filters).every(([filter, values]) => matches(volume, filter, values, false))) continue;
    reclaimedBytes += treeSize(volume.Mountpoint);
    deleteVolume(store, name);
    removed.push(name);
  }
  tellPrune(store, "volume", reclaimedBytes);
  return { removed, reclaimedBytes };
}
