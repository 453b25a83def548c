/** A package's header as rpm's databases keep it: an index of tags, then their values. @see rpm's docs/manual/format_header.md */
import { SlipwayError } from "../../../base/errors.ts";
import type { FoundPackage } from "../package.ts";

const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  licence: 1014,
  url: 1020,
  architecture: 1022,
  sourceRpm: 1044,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
  module: 5096,
} as const;

const maxTags = 65_536;
/** The largest packages have some hundred thousand files. */
const maxStrings = 500_000;

export interface RpmHeader {
  readonly found: FoundPackage;
  /** from the root */
  readonly paths: readonly string[];
}

class HeaderReader {
  readonly #bytes: Buffer;
  readonly #index = new Map<number, { readonly offset: number; readonly count: number }>();

  constructor(bytes: Buffer) {
    const count = bytes.length < 8 ? maxTags + 1 : bytes.readUInt32BE(0);
    const start = 8 + count * 16;
    if (count > maxTags || start > bytes.length) throw new SlipwayError("data_loss", "ARCHIVE_CORRUPT", "rpm header: its index is longer than itself");
    for (let at = 8; at < start; at += 16)
      this.#index.set(bytes.readUInt32BE(at), { offset: start + bytes.readUInt32BE(at + 8), count: bytes.readUInt32BE(at + 12) });
    this.#bytes = bytes;
  }

  strings(tag: number, most = maxStrings): readonly string[] {
    const entry = this.#index.get(tag);
    const found: string[] = [];
    let at = entry?.offset ?? 0;
    for (let left = Math.min(entry?.count ?? 0, most); left > 0 && at < this.#bytes.length; left--) {
      const end = this.#bytes.indexOf(0, at);
      if (end < 0) break;
      found.push(this.#bytes.toString("utf8", at, end));
      at = end + 1;
    }
    return found;
  }

  string(tag: number): string | undefined {
    return this.strings(tag, 1)[0];
  }

  integers(tag: number): readonly number[] {
    const { offset = 0, count = 0 } = this.#index.get(tag) ?? {};
    const fitting = Math.min(count, maxStrings, Math.max(0, Math.floor((this.#bytes.length - offset) / 4)));
    return Array.from({ length: fitting }, (_, at) => this.#bytes.readUInt32BE(offset + at * 4));
  }
}

/** `bash-5.1.8-9.el9.src.rpm` → name, and version with release. */
function sourceOf(file: string | undefined, epoch: string): FoundPackage["source"] {
  const [, name, version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? "") ?? [];
  return name === undefined || version === undefined ? undefined : { name, version: `${epoch}${version}` };
}

/** undefined for keys that rpm keeps as packages. Fails with ARCHIVE_CORRUPT (data_loss). */
export function parseRpmHeader(bytes: Buffer): RpmHeader | undefined {
  const header = new HeaderReader(bytes);
  const [name, version, release] = [header.string(tags.name), header.string(tags.version), header.string(tags.release)];
  if (name === undefined || version === undefined || release === undefined || name === "gpg-pubkey") return undefined;
  const [epochNumber] = header.integers(tags.epoch);
  const epoch = epochNumber === undefined || epochNumber === 0 ? "" : `${epochNumber}:`;
  const [architecture, licence, supplier, homepage, module] = [tags.architecture, tags.licence, tags.vendor, tags.url, tags.module].map((tag) =>
    header.string(tag),
  );
  const source = sourceOf(header.string(tags.sourceRpm), epoch);
  const full = `${epoch}${version}-${release}`;
  const [directories, indexes] = [header.strings(tags.directoryNames), header.integers(tags.directoryIndexes)];
  return {
    found: {
      type: "rpm",
      name,
      version: full,
      ...(architecture === undefined ? {} : { architecture }),
      ...(licence === undefined || licence === "" ? {} : { licences: [licence] }),
      ...(source === undefined || (source.name === name && source.version === full) ? {} : { source }),
      ...(supplier === undefined || supplier === "" ? {} : { supplier }),
      ...(homepage === undefined || homepage === "" ? {} : { homepage }),
      ...(module === undefined || module === "" ? {} : { module }),
    },
    paths: header.strings(tags.baseNames).map((base, at) => `${directories[indexes[at] ?? 0] ?? "/"}${base}`.replace(/^\//, "")),
  };
}
