/** What is different in an archive of OSV records since the one that the database has: found by their directories, read only where they differ. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { digestFromHex, type Digest } from "../../oci/digest.ts";
import type { Store } from "../../store/index.ts";
import type { Advisory, PackageAdvisory } from "../../trust/advisories/advisory.ts";
import type { DatabaseIndex, DatabaseSource } from "../../trust/advisories/database-index.ts";
import { readFeed } from "../../trust/advisories/read-feed.ts";
import { listZip, readZipMember, type ZipMember } from "../../trust/packages/languages/zip.ts";
import { isZip, laterDay, maxRecordBytes, maxRecords, memberRows, readArchive } from "./read-source.ts";
import { isSameMember, readLedger, stampOf, type Ledger, type LedgerMember, type MemberRow } from "./ledger.ts";

export interface EcosystemChanges {
  readonly changes: Map<string, { readonly removed: Set<string>; readonly added: Advisory[] }>;
}

export interface ZipUpdate {
  readonly digest: Digest;
  /** the ledger's, which the changes are about */
  readonly files: Ledger["files"];
  readonly changes: ReadonlyMap<string, EcosystemChanges["changes"]>;
  readonly members: ReadonlyMap<string, LedgerMember>;
  readonly newest: string | undefined;
  /** records of archives say their days */
  readonly newestYear?: undefined;
}

/** undefined where no archive of the same source is known, most of it is different, or something in it is no record. */
export function zipUpdate(store: Store, index: DatabaseIndex, path: string, signal: AbortSignal | undefined): ZipUpdate | undefined {
  if (!isZip(path)) return undefined;
  const bytes = readArchive(path);
  const listed = listZip(bytes, maxRecords).filter(({ name }) => name.endsWith(".json"));
  const members = new Map(listed.map((member) => [member.name, member]));
  if (members.size < listed.length) return undefined;
  const ledger = ledgerFor(store, index, basename(path), listed);
  if (ledger === undefined) return undefined;
  const changed = listed.filter((member) => !isSameMember(ledger, member));
  const fresh = new Map<string, LedgerMember>();
  const added: PackageAdvisory[] = [];
  let { newest } = ledger;
  for (const member of changed) {
    signal?.throwIfAborted();
    const feed = readFeed(readZipMember(bytes, member, maxRecordBytes), member.name);
    if (feed === undefined || feed.exploited !== undefined) return undefined;
    added.push(...feed.rows);
    newest = laterDay(newest, feed.newest);
    fresh.set(member.name, { stamp: stampOf(member), rows: memberRows(feed.rows) });
  }
  const kept = [...ledger.members].filter(([name]) => members.has(name) && !fresh.has(name));
  const gone = [...ledger.members].filter(([name]) => !members.has(name) || fresh.has(name));
  return {
    digest: digestFromHex(createHash("sha256").update(bytes).digest("hex")),
    files: ledger.files,
    newest,
    members: new Map([...kept, ...fresh]),
    changes: changesOf(
      gone.flatMap(([, { rows }]) => rows),
      kept.map(([, member]) => member),
      added,
    ),
  };
}

/** The one that has at least half of the members as they are, of the same name first. */
function ledgerFor(store: Store, { sources, files }: DatabaseIndex, name: string, members: readonly ZipMember[]): Ledger | undefined {
  const order = (source: DatabaseSource): number => (source.name === name ? 0 : 1);
  for (const source of sources.toSorted((a, b) => order(a) - order(b))) {
    const ledger = readLedger(store, source.digest);
    if (ledger === undefined || !isCurrent(ledger, sources, files)) continue;
    const same = members.filter((member) => isSameMember(ledger, member)).length;
    if (same > 0 && same * 2 >= members.length) return ledger;
  }
  return undefined;
}

/** The database has the ledger's files, which came of this source alone. */
export function isCurrent(ledger: Pick<Ledger, "files">, sources: DatabaseIndex["sources"], files: DatabaseIndex["files"]): boolean {
  return Object.entries(ledger.files).every(
    ([ecosystem, digest]) =>
      files.some((file) => file.ecosystem === ecosystem && file.digest === digest) &&
      sources.filter(({ ecosystems }) => ecosystems.includes(ecosystem)).length === 1,
  );
}

/** A row that another member gives too stays. */
function changesOf(gone: readonly MemberRow[], kept: readonly LedgerMember[], added: readonly PackageAdvisory[]): ZipUpdate["changes"] {
  const changes = new Map<string, EcosystemChanges["changes"]>();
  const changeOf = (ecosystem: string, name: string): { readonly removed: Set<string>; readonly added: Advisory[] } => {
    const ofEcosystem = changes.get(ecosystem) ?? new Map<string, { readonly removed: Set<string>; readonly added: Advisory[] }>();
    changes.set(ecosystem, ofEcosystem);
    const change = ofEcosystem.get(name) ?? { removed: new Set<string>(), added: [] };
    ofEcosystem.set(name, change);
    return change;
  };
  const removed = new Map(gone.map((row) => [row[2], row]));
  for (const { rows } of kept) for (const [, , digest] of rows) removed.delete(digest);
  for (const [ecosystem, name, digest] of removed.values()) changeOf(ecosystem, name).removed.add(digest);
  for (const { ecosystem, name, advisory } of added) changeOf(ecosystem, name).added.push(advisory);
  return changes;
}
