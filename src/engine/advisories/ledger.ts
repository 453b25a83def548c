/**
 * Which rows each member of a zip archive gave: a later archive of the same source is compared by its directory, and only members that are not the
 * same are unpacked. Of this store alone, and no part of the database.
 */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { hexOf, type Digest } from "../../oci/digest.ts";
import type { Store } from "../../store/index.ts";
import type { ZipMember } from "../../trust/packages/languages/zip.ts";

export type MemberRow = readonly [ecosystem: string, packageName: string, digest: string];

export interface Ledger {
  /** the packed file of each ecosystem that the members made */
  readonly files: Readonly<Record<string, Digest>>;
  readonly members: ReadonlyMap<string, LedgerMember>;
  /** YYYY-MM-DD of the record that was changed last */
  readonly newest: string | undefined;
}

export interface LedgerMember {
  readonly stamp: string;
  readonly rows: readonly MemberRow[];
}

const formatName = "slipway-ledger 1";
const maxLedgerBytes = 2 ** 30;

/** By what the archive's directory says of it: archives without checksums say too little. */
export function stampOf({ crc, size }: ZipMember): string {
  return crc === 0 ? "" : `${crc.toString(16)}-${size}`;
}

export function isSameMember({ members }: Pick<Ledger, "members">, member: ZipMember): boolean {
  const stamp = stampOf(member);
  return stamp !== "" && members.get(member.name)?.stamp === stamp;
}

export function ledgerName(source: Digest): string {
  return `ledger-${hexOf(source)}`;
}

export function writeLedger(store: Store, source: Digest, { files, members, newest }: Ledger): void {
  const rows = [...members].map(([name, { stamp, rows: own }]) => [name, stamp, own]);
  store.advisories.writeNamed(ledgerName(source), zstdCompressSync(Buffer.from(JSON.stringify({ format: formatName, files, newest, members: rows }))));
}

/** undefined where there is none that can be read: it only spares work. */
export function readLedger(store: Store, source: Digest): Ledger | undefined {
  const bytes = store.advisories.readNamed(ledgerName(source));
  if (bytes === undefined) return undefined;
  try {
    const { format, files, members, newest } = JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: maxLedgerBytes }).toString()) as {
      readonly format: string;
      readonly files: Readonly<Record<string, Digest>>;
      readonly newest?: string;
      readonly members: readonly (readonly [string, string, readonly MemberRow[]])[];
    };
    return format === formatName ? { files, newest, members: new Map(members.map(([name, stamp, rows]) => [name, { stamp, rows }])) } : undefined;
  } catch {
    return undefined;
  }
}
