/** `db import`: advisories from files into the database. */
import { basename } from "node:path";
import { isSlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Store } from "../../store/index.ts";
import type { PackageAdvisory } from "../../trust/advisories/advisory.ts";
import type { DatabaseFile, DatabaseIndex, DatabaseSource } from "../../trust/advisories/database-index.ts";
import { packEcosystem, updateEcosystem } from "../../trust/advisories/pack-ecosystem.ts";
import type { PackedEcosystem } from "../../trust/advisories/packed-blocks.ts";
import { indexToReplace, replaceIndex, withPackedFile } from "./database.ts";
import { ledgerName, writeLedger } from "./ledger.ts";
import { readSource, type ReadSource } from "./read-source.ts";
import { isCurrent, zipUpdate, type ZipUpdate } from "./zip-update.ts";

export interface ImportOptions {
  /** keep what the database has of these ecosystems; records of the same name in the same package are replaced */
  readonly add?: boolean;
  readonly nowMs: number;
  readonly signal?: AbortSignal;
}

type Read =
  | { readonly kind: "whole"; readonly path: string; readonly source: ReadSource; readonly ecosystems: readonly string[] }
  | { readonly kind: "update"; readonly path: string; readonly source: ZipUpdate; readonly ecosystems: readonly string[] };

/** What the files bring replaces what was there of the same ecosystems; several files of one call are taken together. */
export async function importAdvisories(store: Store, paths: readonly string[], options: ImportOptions): Promise<DatabaseIndex> {
  const reads: Read[] = [];
  for (const path of paths) reads.push(await read(store, path, options, options.add !== true));
  return await store.advisories.locked(async () => {
    const before = indexToReplace(store);
    const settled: Read[] = [];
    for (const one of reads) settled.push(isUsable(store, one, before, reads) ? one : await read(store, one.path, options, false));
    return replace(store, before, settled, options);
  });
}

async function read(store: Store, path: string, { signal }: ImportOptions, mayUpdate: boolean): Promise<Read> {
  const source = mayUpdate ? zipUpdate(store, indexToReplace(store), path, signal) : undefined;
  if (source === undefined) {
    const whole = await readSource(path, signal);
    return { kind: "whole", path, source: whole, ecosystems: [...new Set(whole.rows.map(({ ecosystem }) => ecosystem))].sort() };
  }
  return { kind: "update", path, source, ecosystems: [...new Set([...Object.keys(source.files), ...source.changes.keys()])].sort() };
}

/** Nobody else wrote meanwhile, what it stands on is whole, and no other file of the call is about the same ecosystems. */
function isUsable(store: Store, one: Read, { sources, files }: DatabaseIndex, all: readonly Read[]): boolean {
  if (one.kind === "whole") return true;
  const others = all.filter((other) => other !== one).flatMap(({ ecosystems }) => ecosystems);
  if (!Object.values(one.source.files).every((digest) => store.advisories.has(digest))) return false;
  return isCurrent(one.source, sources, files) && !one.ecosystems.some((ecosystem) => others.includes(ecosystem));
}

function replace(store: Store, before: DatabaseIndex, reads: readonly Read[], { add = false, nowMs }: ImportOptions): DatabaseIndex {
  const rows = Map.groupBy(
    reads.flatMap((one) => (one.kind === "whole" ? one.source.rows : [])),
    ({ ecosystem }) => ecosystem,
  );
  const whole = [...rows].map(([ecosystem, fresh]) => wholeFile(store, before, ecosystem, add ? merged(store, before, ecosystem, fresh) : fresh));
  const updated = reads.flatMap((one) => (one.kind === "update" ? updatedFiles(store, before, one.source) : []));
  const files = [...whole, ...updated];
  const replaced = new Set(reads.flatMap(({ ecosystems }) => ecosystems));
  const exploited = reads.findLast((one) => one.kind === "whole" && one.source.exploited !== undefined);
  const list = exploited?.kind === "whole" ? exploited.source.exploited : undefined;
  const importedSeconds = Math.floor(nowMs / 1000);
  const sources = reads.map(({ path, source: { digest, newest, newestYear }, ecosystems }) => ({
    name: basename(path),
    digest,
    ecosystems,
    newest,
    newestYear,
    ...(add ? { isAdded: true } : {}),
    importedSeconds,
  }));
  const index: DatabaseIndex = {
    files: [...before.files.filter(({ ecosystem }) => !replaced.has(ecosystem)), ...files],
    exploited: list ?? before.exploited,
    sources: [...before.sources.filter((old) => isStillUsed(old, replaced, list, add)), ...sources],
    createdSeconds: importedSeconds,
  };
  if (!add) for (const one of reads) keepLedger(store, one, files);
  replaceIndex(
    store,
    index,
    index.sources.map(({ digest }) => ledgerName(digest)),
  );
  return index;
}

function keepLedger(store: Store, { source, ecosystems }: Read, files: readonly DatabaseFile[]): void {
  if (source.members === undefined) return;
  const own = files.filter(({ ecosystem }) => ecosystems.includes(ecosystem));
  const digests: Readonly<Record<string, Digest>> = Object.fromEntries(own.map(({ ecosystem, digest }) => [ecosystem, digest]));
  writeLedger(store, source.digest, { files: digests, members: source.members, newest: source.newest });
}

function written(store: Store, { bytes, ...facts }: PackedEcosystem): DatabaseFile {
  return { ...facts, digest: store.advisories.write(bytes), sizeBytes: bytes.length };
}

function wholeFile(store: Store, before: DatabaseIndex, ecosystem: string, rows: readonly PackageAdvisory[]): DatabaseFile {
  return written(store, repacked(store, before, ecosystem, rows) ?? packEcosystem(ecosystem, rows));
}

/** With the blocks that are there already; undefined where there are none, or they are damaged. */
function repacked(store: Store, before: DatabaseIndex, ecosystem: string, rows: readonly PackageAdvisory[]): PackedEcosystem | undefined {
  try {
    return withPackedFile(store, before, ecosystem, (old) => packEcosystem(ecosystem, rows, old));
  } catch (error) {
    if (isSlipwayError(error, "ADVISORIES_DAMAGED")) return undefined;
    throw error;
  }
}

/** Ecosystems that the archive has no more are gone; those that are new begin empty. */
function updatedFiles(store: Store, before: DatabaseIndex, { files, changes }: ZipUpdate): readonly DatabaseFile[] {
  const kept = before.files.filter(({ ecosystem }) => Object.hasOwn(files, ecosystem) && !changes.has(ecosystem));
  const made = [...changes].map(([ecosystem, ofEcosystem]) => {
    const packed = withPackedFile(store, before, ecosystem, (old) => updateEcosystem(old, ofEcosystem));
    const fresh = (): PackedEcosystem =>
      packEcosystem(
        ecosystem,
        [...ofEcosystem].flatMap(([name, { added }]) => added.map((advisory) => ({ ecosystem, name, advisory }))),
      );
    return written(store, Object.hasOwn(files, ecosystem) ? (packed ?? fresh()) : fresh());
  });
  return [...kept, ...made.filter(({ packages }) => packages > 0)];
}

function merged(store: Store, before: DatabaseIndex, ecosystem: string, fresh: readonly PackageAdvisory[]): readonly PackageAdvisory[] {
  const keyOf = ({ name, advisory }: PackageAdvisory): string => `${name}\t${advisory.id}`;
  const replaced = new Set(fresh.map(keyOf));
  const old = withPackedFile(store, before, ecosystem, (file) => [...file.rows()]) ?? [];
  return [...old.filter((row) => !replaced.has(keyOf(row))), ...fresh];
}

/** A source is named as long as something of it is there. */
function isStillUsed({ ecosystems }: DatabaseSource, replaced: ReadonlySet<string>, exploited: readonly string[] | undefined, add: boolean): boolean {
  if (add) return true;
  return ecosystems.length === 0 ? exploited === undefined : ecosystems.some((one) => !replaced.has(one));
}
