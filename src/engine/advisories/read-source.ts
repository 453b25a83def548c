/** Files of advisories, of whatever form and compression: lines or zip archives of OSV records, one JSON document, a directory of them. */
import { createHash } from "node:crypto";
import { closeSync, createReadStream, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { digestFromHex, type Digest } from "../../oci/digest.ts";
import { decompressDetected } from "../../tar/index.ts";
import type { PackageAdvisory } from "../../trust/advisories/advisory.ts";
import { rowDigest } from "../../trust/advisories/pack-ecosystem.ts";
import { readFeed } from "../../trust/advisories/read-feed.ts";
import { listZip, readZipMember } from "../../trust/packages/languages/zip.ts";
import { stampOf, type LedgerMember, type MemberRow } from "./ledger.ts";

const maxDocumentBytes = 500 * 2 ** 20;
export const maxRecordBytes = 64 * 2 ** 20;
const maxLineBytes = maxRecordBytes;
const maxZipBytes = 2 ** 31 - 1;
export const maxRecords = 2_000_000;
const maxUnpackedBytes = 64 * 2 ** 30;

export interface ReadSource {
  readonly digest: Digest;
  readonly rows: PackageAdvisory[];
  exploited: readonly string[] | undefined;
  /** see Feed */
  newest: string | undefined;
  /** see DatabaseSource */
  newestYear?: number | undefined;
  /** of an archive: what each member gave; undefined where names repeat themselves */
  members?: ReadonlyMap<string, LedgerMember> | undefined;
}

/** Of two days the later one. */
export function laterDay(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

/** Of what is no file, or cannot be read, false: reading it tells why. */
export function isZip(path: string): boolean {
  const head = Buffer.alloc(4);
  try {
    const fd = openSync(path, "r");
    try {
      return readSync(fd, head, 0, 4, 0) === 4 && head.readUInt32LE(0) === zipSignature;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

const zipSignature = 0x04034b50;

function unknown(path: string, why: string): SlipwayError {
  const remedy = "files are OSV records (zip, JSON lines, a directory), Debian's tracker, Alpine's secdb, CISA's list, or what db export wrote";
  return new SlipwayError("invalid_argument", "NO_ADVISORIES", `${path}: ${why}`, { path, remedy, bare: true });
}

/** Fails with NO_ADVISORIES, INVALID_DOCUMENT (invalid_argument), ARCHIVE_CORRUPT (data_loss). */
export async function readSource(path: string, signal?: AbortSignal): Promise<ReadSource> {
  const hash = createHash("sha256");
  const found: Omit<ReadSource, "digest"> = { rows: [], exploited: undefined, newest: undefined };
  const take = (bytes: Buffer, what: string): boolean => {
    signal?.throwIfAborted();
    const feed = readFeed(bytes, what);
    if (feed === undefined) return false;
    for (const row of feed.rows) found.rows.push(row);
    if (found.rows.length > maxRecords) throw tooMany(path);
    found.exploited = feed.exploited ?? found.exploited;
    found.newest = laterDay(found.newest, feed.newest);
    return true;
  };
  if (statSync(path).isDirectory()) readDirectory(path, hash, take);
  else if (isZip(path)) found.members = readZip(path, hash, { take, rows: found.rows });
  else await readFile(path, hash, take, signal);
  if (found.rows.length === 0 && found.exploited === undefined)
    throw unknown(path, found.newest === undefined ? "no advisories in it" : "its records are of no ecosystem whose packages are known here");
  return { digest: digestFromHex(hash.digest("hex")), ...found, newestYear: found.newest === undefined ? newestYear(found) : undefined };
}

/** All of it is in memory at once. */
function tooMany(path: string): SlipwayError {
  return new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `${path} has more than ${maxRecords} advisories: import its parts one after the other`, {
    limit: maxRecords,
    bare: true,
  });
}

function newestYear({ rows, exploited = [] }: Pick<ReadSource, "rows" | "exploited">): number | undefined {
  let newest: number | undefined;
  for (const names of [exploited, rowNames(rows)]) {
    for (const name of names) {
      const year = /^[A-Z]+-((?:19|20)\d\d)-/.exec(name)?.[1];
      if (year !== undefined && Number(year) > (newest ?? 0)) newest = Number(year);
    }
  }
  return newest;
}

function* rowNames(rows: readonly PackageAdvisory[]): Generator<string> {
  for (const { advisory } of rows) {
    yield advisory.id;
    yield* advisory.aliases;
  }
}

type Hash = ReturnType<typeof createHash>;
type Take = (bytes: Buffer, what: string) => boolean;

/** Files that are not JSON of a known form, or larger than any record, are left out: checkouts have others too. */
function readDirectory(path: string, hash: Hash, take: Take): void {
  for (const name of [...documentsBelow(path, "")].sort()) {
    if (statSync(join(path, name)).size > maxRecordBytes) continue;
    const bytes = readFileSync(join(path, name));
    hash.update(name).update(bytes);
    take(bytes, name);
  }
}

/** Links are not followed: they may lead anywhere, and round in circles. */
function* documentsBelow(root: string, directory: string): Generator<string> {
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    const name = join(directory, entry.name);
    if (entry.isDirectory()) yield* documentsBelow(root, name);
    else if (entry.isFile() && name.endsWith(".json")) yield name;
  }
}

async function* hashed(path: string, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    hash.update(chunk as Uint8Array);
    yield chunk as Uint8Array;
  }
}

async function readFile(path: string, hash: Hash, take: Take, signal: AbortSignal | undefined): Promise<void> {
  const { bytes } = await decompressDetected(hashed(path, hash), { maxBytes: maxUnpackedBytes, ...(signal === undefined ? {} : { signal }) });
  await readText(bytes, path, take);
}

export function memberRows(rows: readonly PackageAdvisory[]): readonly MemberRow[] {
  return rows.map((row) => [row.ecosystem, row.name, rowDigest(row)]);
}

interface Taking {
  readonly take: Take;
  /** what was taken */
  readonly rows: readonly PackageAdvisory[];
}

export function readArchive(path: string): Buffer {
  const { size } = statSync(path);
  if (size > maxZipBytes) throw unknown(path, `an archive of ${size} bytes: at most ${maxZipBytes} are read`);
  return readFileSync(path);
}

/** All of it is in memory: OSV's largest archive has a few hundred megabytes. */
function readZip(path: string, hash: Hash, { take, rows }: Taking): ReadonlyMap<string, LedgerMember> | undefined {
  const bytes = readArchive(path);
  hash.update(bytes);
  const members = new Map<string, LedgerMember>();
  const listed = listZip(bytes, maxRecords).filter(({ name }) => name.endsWith(".json"));
  for (const member of listed) {
    const before = rows.length;
    take(readZipMember(bytes, member, maxRecordBytes), member.name);
    members.set(member.name, { stamp: stampOf(member), rows: memberRows(rows.slice(before)) });
  }
  return members.size === listed.length ? members : undefined;
}

/** A document for each line, or all of it one. */
async function readText(source: AsyncIterable<Uint8Array>, path: string, take: Take): Promise<void> {
  const pending: Buffer[] = [];
  let pendingBytes = 0;
  let isLines: boolean | undefined;
  let lines = 0;
  const whole = (): Buffer => Buffer.concat(pending.splice(0));
  for await (const chunk of source) {
    let rest = Buffer.from(chunk);
    for (;;) {
      const end = isLines === false ? -1 : rest.indexOf(0x0a);
      if (end < 0) break;
      pending.push(rest.subarray(0, end));
      const line = whole();
      pendingBytes = 0;
      rest = rest.subarray(end + 1);
      if (isLines !== true && !isDocument(line)) {
        isLines = false;
        pending.push(line, Buffer.from("\n"));
        pendingBytes = line.length + 1;
        break;
      }
      isLines = true;
      lines++;
      if (line.length > 1) takeLine(line, path, `${path}:${lines}`, take);
    }
    pending.push(rest);
    pendingBytes += rest.length;
    const limit = isLines === true ? maxLineBytes : maxDocumentBytes;
    if (pendingBytes > limit) throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `${path}: a document of more than ${limit} bytes`, { limit });
  }
  const last = whole();
  if (last.toString("utf8", 0, 64).trim() !== "") takeLine(last, path, isLines === true ? `${path}:${lines + 1}` : path, take);
}

function takeLine(bytes: Buffer, path: string, place: string, take: Take): void {
  if (!take(bytes, place)) throw unknown(path, "it is of no form that is known");
}

/** The first line alone is a record. */
function isDocument(line: Buffer): boolean {
  const text = line.toString("utf8", 0, 32).trimStart();
  if (!text.startsWith("{") || line.length > maxLineBytes) return false;
  try {
    JSON.parse(line.toString());
    return true;
  } catch {
    return false;
  }
}
