/**
 * What was found out about layers by reading them whole, as text, by the layer's digest: its diffID, or that of the blob in which a registry has it.
 * Layers of images elsewhere are among them, so a file may be here whose layer is not; nobody asks for it for a month, and it goes.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { hexOf, type Digest } from "../oci/digest.ts";
import type { Database } from "./database.ts";
import { storeError, type StoreLayout } from "./layout.ts";
import type { Lease } from "./lease.ts";

const dayMs = 24 * 3600 * 1000;
const keptMs = 30 * dayMs;

export class Inventories {
  readonly #layout: StoreLayout;
  readonly #lease: () => Lease;

  constructor(layout: StoreLayout, lease: () => Lease) {
    this.#layout = layout;
    this.#lease = lease;
  }

  #path(digest: Digest): string {
    return join(this.#layout.inventories, hexOf(digest));
  }

  read(digest: Digest): string | undefined {
    const path = this.#path(digest);
    try {
      const found = readFileSync(path, "utf8");
      const now = Date.now();
      if (now - statSync(path).mtimeMs > dayMs) utimesSync(path, now / 1000, now / 1000);
      return found;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw storeError(error, this.#layout.root);
    }
  }

  /** Replaces what was there; readers see the old text or the new one. */
  write(digest: Digest, content: string): void {
    try {
      mkdirSync(this.#layout.inventories, { recursive: true, mode: 0o711 });
      const temporary = this.#lease().temporaryPath("inventory");
      writeFileSync(temporary, content);
      renameSync(temporary, this.#path(digest));
    } catch (error) {
      throw storeError(error, this.#layout.root);
    }
  }
}

/** Answers the bytes of what went. */
export function sweepInventories(db: Database, layout: StoreLayout, nowMs: number): number {
  let bytes = 0;
  for (const name of namesIn(layout.inventories)) {
    const path = join(layout.inventories, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || nowMs - stat.mtimeMs < keptMs) continue;
    if (db.get("SELECT 1 AS one FROM layer WHERE diff_id = ?", `sha256:${name}`) !== undefined) continue;
    rmSync(path, { force: true });
    bytes += stat.size;
  }
  return bytes;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
