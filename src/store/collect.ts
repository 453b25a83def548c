/**
 * Collection: what no image, cache record, container or live lease reaches goes away, and so do files that the database
 * does not know. Rows go first; each file is then moved aside in a transaction of its own that checks that nobody
 * brought it back meanwhile, and is deleted at the end. A collector that is killed leaves work for the next one, no damage.
 */
import { lstatSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { isCacheMountInUse } from "./cache-mounts.ts";
import { text, type Database } from "./database.ts";
import type { StoreLayout } from "./layout.ts";
import { sweepDeadLeases, type Lease } from "./lease.ts";
import { sweepInventories } from "./inventories.ts";
import { sweepPartialBlobs } from "./partial-blob.ts";

export interface Collected {
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
  readonly deadLeases: number;
  /** bytes of the files that were deleted (apparent sizes) */
  readonly reclaimedBytes: number;
}

const unreachableLayers = `
DELETE FROM layer WHERE diff_id NOT IN (SELECT diff_id FROM image_layer)
  AND diff_id NOT IN (SELECT diff_id FROM cache_layer)
  AND diff_id NOT IN (SELECT diff_id FROM container_layer)
  AND diff_id NOT IN (SELECT diff_id FROM kept_step_layer)
  AND diff_id NOT IN (SELECT id FROM lease_item WHERE kind = 'layer') RETURNING diff_id`;

const unreachableBlobs = `
DELETE FROM blob WHERE digest NOT IN (SELECT digest FROM image_blob)
  AND digest NOT IN (SELECT id FROM image)
  AND digest NOT IN (SELECT id FROM image_index)
  AND digest NOT IN (SELECT document FROM image_index WHERE document IS NOT NULL)
  AND digest NOT IN (SELECT diff_id FROM layer)
  AND digest NOT IN (SELECT digest FROM layer_blob)
  AND digest NOT IN (SELECT id FROM lease_item WHERE kind = 'blob') RETURNING digest`;

export function collect(db: Database, layout: StoreLayout, lease: () => Lease): Collected {
  const deadLeases = sweepDeadLeases(db, layout, Date.now());
  const gone = db.transaction(() => {
    const layers = db.all(unreachableLayers).map((row) => text(row, "diff_id"));
    db.run("DELETE FROM layer_directory WHERE diff_id NOT IN (SELECT diff_id FROM layer)");
    db.run("DELETE FROM layer_blob WHERE diff_id NOT IN (SELECT diff_id FROM layer)");
    const blobs = db.all(unreachableBlobs).map((row) => text(row, "digest"));
    return { layers, blobs };
  });
  const reclaimedBytes = sweepFiles(db, layout, lease) + sweepPartialBlobs(layout, Date.now()) + sweepInventories(db, layout, Date.now());
  return { ...gone, deadLeases, reclaimedBytes };
}

interface Area {
  readonly directory: string;
  /** finds the row that stands for a file, by key(name) */
  readonly query: string;
  readonly key: (name: string) => string;
  /** of a file that no row names: somebody still works in it */
  readonly inUse?: (path: string) => boolean;
}

function areas(layout: StoreLayout): readonly Area[] {
  const asDigest = (name: string): string => `sha256:${name}`;
  const asIs = (name: string): string => name;
  return [
    { directory: join(layout.blobs, "sha256"), query: "SELECT 1 AS one FROM blob WHERE digest = ?", key: asDigest },
    { directory: layout.layers, query: "SELECT 1 AS one FROM layer_directory WHERE directory = ?", key: asIs },
    { directory: layout.indexes, query: "SELECT 1 AS one FROM layer WHERE diff_id = ?", key: asDigest },
    { directory: layout.cacheMounts, query: "SELECT 1 AS one FROM cache_mount WHERE directory = ?", key: asIs, inUse: isCacheMountInUse },
    { directory: layout.steps, query: "SELECT 1 AS one FROM kept_step WHERE id = ?", key: asIs },
    { directory: layout.containers, query: "SELECT 1 AS one FROM container WHERE id = ?", key: asIs },
  ];
}

/** Deletes the files that no row names. */
function sweepFiles(db: Database, layout: StoreLayout, lease: () => Lease): number {
  let reclaimed = 0;
  for (const { directory, query, key, inUse } of areas(layout)) {
    for (const name of readdirSync(directory)) {
      if (db.get(query, key(name)) !== undefined || inUse?.(join(directory, name)) === true) continue;
      const trash = lease().temporaryPath("trash");
      const moved = db.transaction(() => {
        if (db.get(query, key(name)) !== undefined) return false;
        return moveAside(join(directory, name), trash);
      });
      if (!moved) continue;
      reclaimed += treeSize(trash);
      rmSync(trash, { recursive: true, force: true });
    }
  }
  return reclaimed;
}

/** false when another collector was faster. */
function moveAside(path: string, trash: string): boolean {
  try {
    renameSync(path, trash);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Apparent bytes of all files below a path. */
export function treeSize(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.size;
  let total = 0;
  for (const name of readdirSync(path)) total += treeSize(join(path, name));
  return total;
}

/** Files that no row names and the next collection would delete: none in a healthy store. */
export function listOrphans(db: Database, layout: StoreLayout): readonly string[] {
  return areas(layout).flatMap(({ directory, query, key, inUse }) =>
    readdirSync(directory)
      .filter((name) => db.get(query, key(name)) === undefined && inUse?.(join(directory, name)) !== true)
      .map((name) => join(directory, name)),
  );
}
