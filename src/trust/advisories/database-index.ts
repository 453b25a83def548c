/** What a database of advisories consists of: its files by ecosystem, what is known to be exploited, and where it all came from. */
import { Fields, parseJsonObject, present } from "../../oci/bounded-json.ts";
import { SlipwayError } from "../../base/errors.ts";
import { digestOf, parseDigest, type Digest } from "../../oci/digest.ts";

export interface DatabaseFile {
  readonly ecosystem: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** hex; see PackedFile */
  readonly headDigest: string;
  readonly packages: number;
  readonly advisories: number;
}

export interface DatabaseSource {
  readonly name: string;
  readonly digest: Digest;
  readonly ecosystems: readonly string[];
  /** YYYY-MM-DD of the record that was changed last, where records say it: what is imported today may be of last year */
  readonly newest?: string | undefined;
  /** of records that say no day: the last year that one of their names has, as CVE-2026-1 */
  readonly newestYear?: number | undefined;
  /** it came besides what was there, which it did not renew */
  readonly isAdded?: boolean | undefined;
  /** seconds since the epoch; absent in what earlier versions wrote */
  readonly importedSeconds?: number | undefined;
}

export interface DatabaseIndex {
  /** sorted by ecosystem */
  readonly files: readonly DatabaseFile[];
  readonly exploited: readonly string[];
  readonly sources: readonly DatabaseSource[];
  /** seconds since the epoch: when the newest of it was imported */
  readonly createdSeconds: number;
}

export const emptyIndex: DatabaseIndex = { files: [], exploited: [], sources: [], createdSeconds: 0 };

const formatName = "slipway-advisories 1";

export function formatDatabaseIndex({ files, exploited, sources, createdSeconds }: DatabaseIndex): string {
  const sorted = [...files]
    .sort((a, b) => (a.ecosystem < b.ecosystem ? -1 : 1))
    .map(({ ecosystem, digest, sizeBytes, headDigest, packages, advisories }) => ({ ecosystem, digest, sizeBytes, headDigest, packages, advisories }));
  const from = sources.map(({ name, digest, ecosystems, newest, newestYear, isAdded, importedSeconds }) => ({
    name,
    digest,
    ecosystems,
    newest,
    newestYear,
    isAdded,
    importedSeconds,
  }));
  return `${JSON.stringify({ format: formatName, createdSeconds, files: sorted, sources: from, exploited })}\n`;
}

/** What a database is known by, wherever it lies. */
export function databaseDigest(index: DatabaseIndex): Digest {
  return digestOf(formatDatabaseIndex(index));
}

function tooNew(format: string): SlipwayError {
  return new SlipwayError("failed_precondition", "ADVISORIES_TOO_NEW", `the advisories are of a form that a newer Slipway wrote: ${format}`, {
    format,
    remedy: "a newer Slipway reads them; or remove advisories below the store, and import them again",
    bare: true,
  });
}

/** Fails with INVALID_DOCUMENT (invalid_argument), ADVISORIES_TOO_NEW (failed_precondition). */
export function parseDatabaseIndex(bytes: Uint8Array): DatabaseIndex {
  const what = "index of advisories";
  const root = new Fields(parseJsonObject(bytes, what, { maxBytes: 64 * 2 ** 20, maxDepth: 8 }), what);
  const format = root.requiredString("format");
  if (/^slipway-advisories (?:[2-9]|\d{2,5})$/.test(format)) throw tooNew(format);
  if (format !== formatName) throw root.fail("format", formatName);
  return {
    createdSeconds: root.integer("createdSeconds") ?? 0,
    exploited: root.strings("exploited") ?? [],
    files: (root.children("files") ?? []).map((file) => ({
      ecosystem: file.requiredString("ecosystem"),
      digest: parseDigest(file.requiredString("digest")),
      sizeBytes: file.integer("sizeBytes") ?? 0,
      headDigest: file.requiredString("headDigest"),
      packages: file.integer("packages") ?? 0,
      advisories: file.integer("advisories") ?? 0,
    })),
    sources: (root.children("sources") ?? []).map((source) => ({
      name: source.requiredString("name"),
      digest: parseDigest(source.requiredString("digest")),
      ecosystems: source.strings("ecosystems") ?? [],
      ...present({
        newest: source.string("newest"),
        newestYear: source.integer("newestYear"),
        isAdded: source.boolean("isAdded"),
        importedSeconds: source.integer("importedSeconds"),
      }),
    })),
  };
}
