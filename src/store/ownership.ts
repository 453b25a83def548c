/**
 * What this process may do with owners, told from its user namespace: root and a namespace with id ranges keep them as
 * recorded, everybody else owns everything alone.
 */
import { readFileSync } from "node:fs";
import type { Owners } from "./unpack.ts";

export interface Ownership {
  readonly owners: Owners;
  readonly opaqueXattr: "trusted.overlay.opaque" | "user.overlay.opaque";
  /** true in the machine's own user namespace as root */
  readonly privileged: boolean;
  /** inside a user namespace */
  readonly namespaced: boolean;
}

/** `uidMap` is the text of /proc/self/uid_map. */
export function ownershipFrom(uidMap: string, euid: number): Ownership {
  const rows = uidMap
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const initial = rows.length === 1 && rows[0]?.[0] === 0 && rows[0]?.[1] === 0 && (rows[0]?.[2] ?? 0) >= 4294967295;
  const ids = rows.reduce((sum, row) => sum + (row[2] ?? 0), 0);
  const keep = euid === 0 && ids > 1;
  return {
    owners: keep ? { mode: "keep" } : { mode: "ignore" },
    opaqueXattr: initial ? "trusted.overlay.opaque" : "user.overlay.opaque",
    privileged: initial && euid === 0,
    namespaced: !initial,
  };
}

export function currentOwnership(): Ownership {
  return ownershipFrom(readFileSync("/proc/self/uid_map", "utf8"), process.geteuid?.() ?? 0);
}
