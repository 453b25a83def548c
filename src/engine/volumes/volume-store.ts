/** Volumes on the disk: a directory each below the store, with what was said when it was made. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import type { Store } from "../../store/index.ts";
import type { VolumeInspect } from "../volumes-api.ts";

/** Marks volumes that `-v /path`, VOLUME or `volume create` without a name made: they go with their container under --rm and `rm -v`. */
export const anonymousLabel = "com.docker.volume.anonymous";

export interface VolumeRecord {
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>> | null;
}

const recordFile = "volume.json";

/** Older stores mark anonymous volumes by a file of this name. */
const formerMark = "anonymous";

export function volumeDirectory(store: Store, name: string): string {
  return join(store.layout.volumes, name, "_data");
}

/** Undefined when there is no such volume. */
export function readVolume(store: Store, name: string): VolumeRecord | undefined {
  const directory = join(store.layout.volumes, name);
  const made = statSync(directory, { throwIfNoEntry: false });
  if (made === undefined || name === "" || name.includes("/") || name.startsWith(".")) return undefined;
  try {
    return JSON.parse(readFileSync(join(directory, recordFile), "utf8")) as VolumeRecord;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && !(error instanceof SyntaxError)) throw error;
    const labels = existsSync(join(directory, formerMark)) ? { [anonymousLabel]: "" } : null;
    return { createdAt: made.mtime.toISOString(), labels, options: null };
  }
}

export function listVolumes(store: Store): readonly string[] {
  return readdirSync(store.layout.volumes).sort();
}

/** Leaves a volume that exists as it is. What it says is there before its directory is. */
export function ensureVolume(store: Store, name: string, said: Pick<VolumeRecord, "labels" | "options">): VolumeRecord {
  const found = readVolume(store, name);
  const directory = join(store.layout.volumes, name);
  const record = found ?? { createdAt: new Date().toISOString().replace(/\.\d+Z$/, "Z"), ...said };
  if (found === undefined) {
    mkdirSync(directory, { recursive: true, mode: 0o701 });
    const fresh = join(directory, `${recordFile}.${process.pid}`);
    writeFileSync(fresh, JSON.stringify(record), { mode: 0o600 });
    renameSync(fresh, join(directory, recordFile));
    tellVolume(store, name, "create");
  }
  mkdirSync(volumeDirectory(store, name), { recursive: true, mode: 0o755 });
  return record;
}

/** Out of the way first: a removal that is killed leaves no volume with half its files. */
export function deleteVolume(store: Store, name: string): void {
  const aside = join(store.layout.work, `volume-${name}-${process.pid}`);
  renameSync(join(store.layout.volumes, name), aside);
  rmSync(aside, { recursive: true, force: true, maxRetries: 3 });
  tellVolume(store, name, "destroy");
}

function tellVolume(store: Store, name: string, action: string): void {
  store.events.append([{ type: "volume", action, id: name, attributes: { driver: "local" } }]);
}

export function inspectVolume(store: Store, name: string): VolumeInspect {
  const record = readVolume(store, name);
  if (record === undefined) throw noSuchVolume(name);
  return {
    CreatedAt: record.createdAt.replace(/\.\d+Z$/, "Z"),
    Driver: "local",
    Labels: record.labels,
    Mountpoint: volumeDirectory(store, name),
    Name: name,
    Options: record.options,
    Scope: "local",
  };
}

export function noSuchVolume(name: string): SlipwayError {
  return new SlipwayError("not_found", "VOLUME_NOT_FOUND", printable(`get ${name}: no such volume`), { volume: name });
}

export function isAnonymous(record: VolumeRecord): boolean {
  return record.labels !== null && Object.hasOwn(record.labels, anonymousLabel);
}

/** Names of volumes with the ids of the containers that have them, running or not. */
export function volumeUsers(store: Store): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const { id, mounts } of store.containers<ContainerRecord>().list())
    for (const name of new Set(mounts.flatMap((mount) => mount.name ?? []))) users.set(name, [...(users.get(name) ?? []), id]);
  return users;
}
