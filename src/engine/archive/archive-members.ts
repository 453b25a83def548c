/**
 * The files of an image archive, read once from a stream: large ones go straight into the blob store, small ones stay in memory
 * until it is known what they are. What comes first, the manifest or the blobs, does not matter.
 */
import { SlipwayError } from "../../base/errors.ts";
import { digestOf, isDigest, type Digest } from "../../oci/digest.ts";
import { sanitizeEntryPath } from "../../store/unpack.ts";
import type { Store } from "../../store/index.ts";
import { TarReader, type TarEntry, type TarSink } from "../../tar/index.ts";
import type { Ingest } from "../../store/blobs.ts";
import { maxDocumentBytes } from "../../oci/parse-manifest.ts";

/** Files up to this size may be documents. */
const maxSmallBytes = 64 * 1024;
const maxSmallTotalBytes = 32 * 1024 * 1024;
const maxMembers = 20_000;
const maxLinkHops = 16;

type Member =
  | { readonly kind: "small"; readonly digest: Digest; readonly bytes: Buffer }
  | { readonly kind: "stored"; readonly digest: Digest; readonly size: number }
  | { readonly kind: "link"; readonly target: string };

export class ArchiveMembers {
  readonly #store: Store;
  readonly #members = new Map<string, Member>();
  #smallBytes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Fails with ARCHIVE_INVALID (invalid_argument) for an archive with too many files or two different ones of a name, DIGEST_MISMATCH
   * (data_loss) for a blob that is not what its name says, TAR_PATH_ESCAPES and the tar reader's codes. Blobs that were complete by
   * then go with the next collection after this process.
   */
  async read(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    using collector = new MemberCollector(this.#store, (path, member) => this.#add(path, member));
    const reader = new TarReader(collector);
    for await (const chunk of source) {
      signal?.throwIfAborted();
      reader.push(chunk);
    }
    reader.finish();
  }

  #add(path: string, member: Member): void {
    const before = this.#members.get(path);
    if (before !== undefined) {
      if (isSameMember(before, member)) return;
      throw invalidArchive(`it holds ${JSON.stringify(path)} twice`, { path });
    }
    if (this.#members.size >= maxMembers) throw invalidArchive(`it holds more than ${maxMembers} files`);
    this.#members.set(path, this.#bounded(member));
  }

  /** Beyond the budget small files go to disk too. */
  #bounded(member: Member): Member {
    if (member.kind !== "small") return member;
    this.#smallBytes += member.bytes.length;
    if (this.#smallBytes <= maxSmallTotalBytes) return member;
    const { digest, size } = this.#store.blobs.put(member.bytes);
    return { kind: "stored", digest, size };
  }

  has(path: string): boolean {
    return this.#resolve(path) !== undefined;
  }

  /** A document's bytes. undefined when there is no such file. Fails with DOCUMENT_TOO_LARGE (resource_exhausted). */
  document(path: string): Buffer | undefined {
    const member = this.#resolve(path);
    if (member === undefined) return undefined;
    if (member.kind === "small") return member.bytes;
    if (member.size > maxDocumentBytes) {
      throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `${path} is ${member.size} bytes: at most ${maxDocumentBytes} are read`, {
        path,
        size: member.size,
      });
    }
    return this.#store.blobs.read(member.digest);
  }

  /** Makes the file a blob of the store. undefined when there is no such file. */
  blob(path: string): { readonly digest: Digest; readonly size: number } | undefined {
    const member = this.#resolve(path);
    if (member === undefined) return undefined;
    if (member.kind === "small") return this.#store.blobs.put(member.bytes);
    return { digest: member.digest, size: member.size };
  }

  #resolve(path: string): Exclude<Member, { kind: "link" }> | undefined {
    let member = this.#members.get(path);
    for (let hop = 0; member?.kind === "link"; hop++) {
      if (hop === maxLinkHops) throw invalidArchive(`its link ${JSON.stringify(path)} leads nowhere`, { path });
      member = this.#members.get(member.target);
    }
    return member;
  }
}

function isSameMember(a: Member, b: Member): boolean {
  if (a.kind === "link" || b.kind === "link") return a.kind === "link" && b.kind === "link" && a.target === b.target;
  return a.digest === b.digest;
}

/** Names show the files that are at fault. */
export function invalidArchive(why: string, details: Readonly<Record<string, unknown>> = {}): SlipwayError {
  return new SlipwayError("invalid_argument", "ARCHIVE_INVALID", `invalid image archive: ${why}`, details);
}

/** One file at a time, from the reader into memory or into the blob store. */
class MemberCollector implements TarSink, Disposable {
  readonly #store: Store;
  readonly #add: (path: string, member: Member) => void;
  #entry: TarEntry | undefined;
  #path = "";
  #chunks: Buffer[] = [];
  #ingest: Ingest | undefined;

  constructor(store: Store, add: (path: string, member: Member) => void) {
    this.#store = store;
    this.#add = add;
  }

  entry(entry: TarEntry): void {
    this.#entry = entry;
    this.#path = sanitizeEntryPath(entry.path);
    this.#chunks = [];
    if (entry.type === "file" && entry.size > maxSmallBytes) this.#ingest = this.#store.blobs.ingest(digestInName(this.#path));
  }

  data(bytes: Buffer): void {
    if (this.#ingest !== undefined) this.#ingest.write(bytes);
    else this.#chunks.push(Buffer.from(bytes));
  }

  hole(length: number): void {
    for (let rest = length; rest > 0; rest -= zeros.length) this.data(zeros.subarray(0, rest));
  }

  entryEnd(): void {
    const member = this.#member();
    if (member !== undefined) this.#add(this.#path, member);
  }

  #member(): Member | undefined {
    const entry = this.#entry;
    if (entry?.type === "symlink") return { kind: "link", target: linkTarget(this.#path, entry.linkname) };
    if (entry?.type === "hardlink") return { kind: "link", target: sanitizeEntryPath(entry.linkname) };
    if (entry?.type !== "file") return undefined;
    const expected = digestInName(this.#path);
    if (this.#ingest === undefined) return smallMember(Buffer.concat(this.#chunks), expected);
    const { digest, size } = this.#ingest.commit(expected === undefined ? {} : { digest: expected });
    this.#ingest = undefined;
    return { kind: "stored", digest, size };
  }

  [Symbol.dispose](): void {
    this.#ingest?.[Symbol.dispose]();
  }
}

const zeros = Buffer.alloc(65_536);

function smallMember(bytes: Buffer, expected: Digest | undefined): Member {
  const digest = digestOf(bytes);
  if (expected?.startsWith("sha256:") === true && expected !== digest) {
    throw new SlipwayError("data_loss", "DIGEST_MISMATCH", `blob ${expected}: got ${digest} after ${bytes.length} bytes`, {
      expected,
      actual: digest,
      size: bytes.length,
    });
  }
  return { kind: "small", digest, bytes };
}

/** What `blobs/sha256/<hex>` promises; undefined for other names. */
function digestInName(path: string): Digest | undefined {
  const [first, algorithm, hex, ...rest] = path.split("/");
  const digest = `${algorithm}:${hex}`;
  return first === "blobs" && rest.length === 0 && isDigest(digest) ? digest : undefined;
}

/** Older docker save links equal layers: `<id>/layer.tar` → `../<other id>/layer.tar`. */
function linkTarget(path: string, linkname: string): string {
  const directory = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
  return sanitizeEntryPath(linkname.startsWith("/") ? linkname : `${directory}${linkname}`);
}
