/** `db import`: advisories from files into the database. */
import { basename } from "node:path";
import type { Store } from "../../store/index.ts";
import type { PackageAdvisory } from "../../trust/advisories/advisory.ts";
import type { DatabaseFile, DatabaseIndex, DatabaseSource } from "../../trust/advisories/database-index.ts";
import { packEcosystem } from "../../trust/advisories/packed-file.ts";
import { emptyIndex, readIndex, replaceIndex, withPackedFile } from "./database.ts";
import { readSource } from "./read-source.ts";

export interface ImportOptions {
  /** keep what the database has of these ecosystems; records of the same name in the same package are replaced */
  readonly add?: boolean;
  readonly nowMs: number;
  readonly signal?: AbortSignal;
}

/** What the files bring replaces what was there of the same ecosystems; several files of one call are taken together. */
export async function importAdvisories(store: Store, paths: readonly string[], { add = false, nowMs, signal }: ImportOptions): Promise<DatabaseIndex> {
  const rows = new Map<string, PackageAdvisory[]>();
  const sources: DatabaseSource[] = [];
  let exploited: readonly string[] | undefined;
  for (const path of paths) {
    const source = await readSource(path, signal);
    const ecosystems = new Set<string>();
    for (const row of source.rows) {
      ecosystems.add(row.ecosystem);
      const list = rows.get(row.ecosystem);
      if (list === undefined) rows.set(row.ecosystem, [row]);
      else list.push(row);
    }
    exploited = source.exploited ?? exploited;
    sources.push({ name: basename(path), digest: source.digest, ecosystems: [...ecosystems].sort() });
  }
  return await store.advisories.locked(async () => {
    const before = readIndex(store) ?? emptyIndex;
    const files = [...rows].map(([ecosystem, fresh]) => packedFile(store, ecosystem, add ? merged(store, before, ecosystem, fresh) : unique(fresh)));
    const kept = before.files.filter(({ ecosystem }) => !rows.has(ecosystem));
    const index: DatabaseIndex = {
      files: [...kept, ...files],
      exploited: exploited ?? before.exploited,
      sources: [...before.sources.filter((old) => isStillUsed(old, rows, exploited, add)), ...sources],
      createdSeconds: Math.floor(nowMs / 1000),
    };
    replaceIndex(store, index);
    return index;
  });
}

function packedFile(store: Store, ecosystem: string, rows: readonly PackageAdvisory[]): DatabaseFile {
  const { bytes, ...facts } = packEcosystem(ecosystem, rows);
  return { ...facts, digest: store.advisories.write(bytes), sizeBytes: bytes.length };
}

/** Sources repeat themselves. */
function unique(rows: readonly PackageAdvisory[]): readonly PackageAdvisory[] {
  return [...new Map(rows.map((row) => [JSON.stringify([row.name, row.advisory]), row])).values()];
}

function merged(store: Store, before: DatabaseIndex, ecosystem: string, fresh: readonly PackageAdvisory[]): readonly PackageAdvisory[] {
  const keyOf = ({ name, advisory }: PackageAdvisory): string => `${name}\t${advisory.id}`;
  const replaced = new Set(fresh.map(keyOf));
  const old = withPackedFile(store, before, ecosystem, (file) => [...file.rows()]) ?? [];
  return unique([...old.filter((row) => !replaced.has(keyOf(row))), ...fresh]);
}

/** A source is named as long as something of it is there. */
function isStillUsed({ ecosystems }: DatabaseSource, rows: ReadonlyMap<string, unknown>, exploited: readonly string[] | undefined, add: boolean): boolean {
  if (add) return true;
  return ecosystems.length === 0 ? exploited === undefined : ecosystems.some((one) => !rows.has(one));
}
