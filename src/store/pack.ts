/** A directory → one deterministic tar stream: sorted, no clocks of its own; overlay's marks become whiteouts again. */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { createHash } from "node:crypto";
import { Breath } from "../base/breath.ts";
import { asSlipwayError, SlipwayError } from "../base/errors.ts";
import { digestFromHex, type Digest } from "../oci/digest.ts";
import type { EntryType, TarEntry } from "../tar/entry.ts";
import { opaquePath, whiteoutPath } from "../tar/whiteout.ts";
import { createEntry, encodeHeader, endOfArchive } from "../tar/writer.ts";
import { bytePath, diskPath, textOfBytePath } from "./entry-path.ts";
import { PackOutput } from "./pack-output.ts";
import { nodeTypeOf } from "./node-type.ts";
import { lGetXattr, lListXattr } from "./syscalls.ts";
import { mapId, type Owners } from "./unpack-attributes.ts";

export interface PackOptions {
  readonly directory: string;
  /** The directory is an overlay's upper: char 0:0 → `.wh.` entry, opaque → `.wh..wh..opq`; overlay's own xattrs are dropped. */
  readonly overlay: boolean;
  /** The inverse of unpacking: map translates ids on disk to ids inside; ignore records 0:0 everywhere. Default keep. */
  readonly owners?: Owners;
  /** What of the directory stays out, by its path there. */
  readonly skip?: (path: string) => boolean;
  /** Later modification times are written as this one (SOURCE_DATE_EPOCH). */
  readonly mtimeClampNs?: bigint;
  /** Times lose their fractions, as in Docker's layers: finer ones differ between file systems and cost a pax header per file. */
  readonly wholeSeconds?: boolean;
  /** Called with each entry before its header's bytes. */
  readonly onEntry?: (entry: TarEntry) => void;
  /** Slices of a buffer that is reused: copy what is kept. */
  readonly onChunk: (bytes: Buffer) => void;
}

export interface PackResult {
  readonly entries: number;
  /** Bytes of the tar stream. */
  readonly size: number;
}

/**
 * One pass: names sorted by their bytes within each directory, parents before children, the root itself without an entry,
 * sockets left out; of extended attributes security.capability and user.* are kept. Fails with FILE_CHANGED (conflict) when a file's
 * size is not what it was when the pass reached it, with LAYER_NOT_PLAIN (failed_precondition) for an upper with redirects or metacopies.
 */
export function packDirectory(options: PackOptions): PackResult {
  try {
    const packer = new Packer(options, undefined);
    for (const _ of packer.run());
    return packer.result;
  } catch (error) {
    throw asSlipwayError(error, "internal", "PACK_FAILED");
  }
}

/** As packDirectory(), and others have their turns meanwhile. Fails with the signal's reason, too. */
export async function packInTurns(options: PackOptions, signal: AbortSignal | undefined): Promise<PackResult> {
  try {
    const breath = new Breath(signal);
    const packer = new Packer(options, breath);
    for (const _ of packer.run()) await breath.take();
    return packer.result;
  } catch (error) {
    throw asSlipwayError(error, "internal", "PACK_FAILED");
  }
}

/** The diffID of a directory, without keeping the tar. Fails as packDirectory() does. */
export function hashDirectory(options: Omit<PackOptions, "onChunk">): PackResult & { readonly diffId: Digest } {
  const hash = createHash("sha256");
  const result = packDirectory({ ...options, onChunk: (bytes) => hash.update(bytes) });
  return { ...result, diffId: digestFromHex(hash.digest("hex")) };
}

/** As hashDirectory(), and others have their turns meanwhile. */
export async function hashInTurns(options: Omit<PackOptions, "onChunk">, signal: AbortSignal | undefined): Promise<PackResult & { readonly diffId: Digest }> {
  const hash = createHash("sha256");
  const result = await packInTurns({ ...options, onChunk: (bytes) => hash.update(bytes) }, signal);
  return { ...result, diffId: digestFromHex(hash.digest("hex")) };
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

/** Its generators yield whenever a breath is due. */
class Packer {
  readonly #options: PackOptions;
  readonly #breath: Breath | undefined;
  readonly #output: PackOutput;
  readonly #prefix: string;
  /** device:inode → path of the first name of files with several. */
  readonly #links = new Map<string, string>();
  #entries = 0;

  constructor(options: PackOptions, breath: Breath | undefined) {
    this.#options = options;
    this.#breath = breath;
    this.#output = new PackOutput(options.onChunk, breath);
    this.#prefix = `${bytePath(options.directory, false)}/`;
  }

  *run(): Generator<void, void> {
    if (this.#xattrs("").isOpaque) this.#mark(opaquePath(""));
    yield* this.#children("");
    this.#output.write(endOfArchive);
    this.#output.flush();
  }

  get result(): PackResult {
    return { entries: this.#entries, size: this.#output.size };
  }

  /** `path`: byte string, "" is the root. */
  *#children(path: string): Generator<void, void> {
    const directory = diskPath(this.#prefix + path);
    for (const name of sortedNames(directory)) {
      const member = path === "" ? name : `${path}/${name}`;
      if (this.#options.skip?.(member) !== true) yield* this.#member(member);
      if (this.#breath?.isDue === true) yield;
    }
  }

  *#member(path: string): Generator<void, void> {
    const onDisk = diskPath(this.#prefix + path);
    const stat = lstatSync(onDisk, { bigint: true });
    const mode = Number(stat.mode);
    const type = nodeTypeOf(mode);
    // A socket: nothing that could be in an archive.
    if (type === undefined) return;
    if (this.#options.overlay && type === "char" && stat.rdev === 0n) return this.#mark(whiteoutPath(path));
    if (type !== "directory" && stat.nlink > 1n && this.#writeHardlink(path, stat)) return;
    const xattrs = this.#xattrs(path);
    const entry = this.#entry(path, type, stat, xattrs.kept);
    this.#write(entry);
    if (type === "file" && entry.size > 0) yield* this.#output.writeFile(onDisk, entry.size);
    if (type !== "directory") return;
    if (xattrs.isOpaque) this.#mark(opaquePath(path));
    yield* this.#children(path);
  }

  /** false: the first name of this file. */
  #writeHardlink(path: string, stat: BigIntStats): boolean {
    const inode = `${stat.dev}:${stat.ino}`;
    const first = this.#links.get(inode);
    if (first === undefined) {
      this.#links.set(inode, path);
      return false;
    }
    const target = textOfBytePath(first);
    this.#write({ ...this.#entry(path, "hardlink", stat, noXattrs), linkname: target.text, rawLinkname: target.raw });
    return true;
  }

  /** An empty file whose name says what lower layers lose. */
  #mark(path: string): void {
    const { text, raw } = textOfBytePath(path);
    this.#write(createEntry({ type: "file", path: text, rawName: raw, mode: 0o600 }));
  }

  #write(entry: TarEntry): void {
    this.#options.onEntry?.(entry);
    this.#output.write(encodeHeader(entry));
    this.#entries++;
  }

  #time(mtimeNs: bigint): bigint {
    const { mtimeClampNs, wholeSeconds } = this.#options;
    const clamped = mtimeClampNs !== undefined && mtimeNs > mtimeClampNs ? mtimeClampNs : mtimeNs;
    const rest = ((clamped % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    return wholeSeconds === true ? clamped - rest : clamped;
  }

  #entry(path: string, type: EntryType, stat: BigIntStats, xattrs: ReadonlyMap<string, Uint8Array>): TarEntry {
    const { text, raw } = textOfBytePath(path);
    const isDevice = type === "char" || type === "block";
    const rdev = isDevice ? Number(stat.rdev) : 0;
    const link = type === "symlink" ? textOfBytePath(readlinkSync(diskPath(this.#prefix + path), { encoding: "buffer" }).toString("latin1")) : undefined;
    return {
      type,
      path: text,
      rawName: raw,
      linkname: link?.text ?? "",
      rawLinkname: link?.raw ?? false,
      mode: Number(stat.mode) & 0o7777,
      ...this.#owner(Number(stat.uid), Number(stat.gid)),
      uname: "",
      gname: "",
      size: type === "file" ? Number(stat.size) : 0,
      mtimeNs: this.#time(stat.mtimeNs),
      // The kernel's encoding: 12 bits of the major in the middle, the minor around them.
      devmajor: (rdev >>> 8) & 0xfff,
      devminor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00),
      xattrs,
    };
  }

  #owner(uid: number, gid: number): { uid: number; gid: number } {
    const owners = this.#options.owners;
    if (owners === undefined || owners.mode === "keep") return { uid, gid };
    if (owners.mode === "ignore") return { uid: 0, gid: 0 };
    if (owners.mode === "one") return { uid: owners.uid, gid: owners.gid };
    return { uid: mapId(uid, owners.uids, "uid", "outside"), gid: mapId(gid, owners.gids, "gid", "outside") };
  }

  #xattrs(path: string): { readonly kept: ReadonlyMap<string, Uint8Array>; readonly isOpaque: boolean } {
    const onDisk = diskPath(this.#prefix + path);
    const names = lListXattr(onDisk);
    if (names.length === 0) return { kept: noXattrs, isOpaque: false };
    let isOpaque = false;
    const kept = new Map<string, Uint8Array>();
    for (const name of names.sort()) {
      const mark = overlayMark(name);
      if (mark !== undefined) {
        if (this.#options.overlay) isOpaque = this.#readMark(onDisk, name, mark) || isOpaque;
      } else if (name === "security.capability" || name.startsWith("user.")) {
        const value = lGetXattr(onDisk, name);
        if (value) kept.set(name, value);
      }
    }
    return { kept: kept.size === 0 ? noXattrs : kept, isOpaque };
  }

  /** Whether the mark says that the directory is opaque. */
  #readMark(onDisk: string | Buffer, name: string, mark: string): boolean {
    if (mark === "redirect" || mark === "metacopy") {
      const path = String(onDisk);
      throw new SlipwayError("failed_precondition", "LAYER_NOT_PLAIN", `${path} has overlay's ${mark} mark: its content is in another layer`, { path, mark });
    }
    return mark === "opaque" && lGetXattr(onDisk, name)?.toString() === "y";
  }
}

function overlayMark(name: string): string | undefined {
  for (const prefix of ["trusted.overlay.", "user.overlay."]) if (name.startsWith(prefix)) return name.slice(prefix.length);
  return undefined;
}

/** Byte strings in the order of their bytes. Names that are not ASCII are read again as bytes: as text they could have lost some. */
function sortedNames(directory: string | Buffer): string[] {
  const names = readdirSync(directory, { encoding: "utf8" });
  const isAscii = names.every((name) => bytePath(name, false) === name);
  return (isAscii ? names : readdirSync(directory, { encoding: "buffer" }).map((name) => name.toString("latin1"))).sort();
}
