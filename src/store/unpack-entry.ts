/** Archive members one after another onto the disk. */
import {
  closeSync,
  constants,
  copyFileSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  readlinkSync,
  chmodSync,
  statSync,
  symlinkSync,
  writeSync,
  lchownSync,
} from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import type { TarEntry } from "../tar/entry.ts";
import type { TarSink } from "../tar/reader.ts";
import { parseWhiteout } from "../tar/whiteout.ts";
import { bytePath, sanitizeEntryPath, textOfBytePath, type BytePath } from "./entry-path.ts";
import { lGetXattr, lListXattr, lSetXattr, mknod } from "./syscalls.ts";
import { AttributeWriter, isOverlayXattr, setPathTimes, type DiskPath } from "./unpack-attributes.ts";
import { UnpackTree, type DirectoryNode, type Place } from "./unpack-tree.ts";
import type { UnpackLimits, UnpackOptions, UnpackResult } from "./unpack-options.ts";

const defaultLimits: UnpackLimits = { maxEntries: 5_000_000, maxBytes: 2 ** 40 };

interface OpenFile {
  readonly fd: number;
  readonly path: DiskPath;
  readonly entry: TarEntry;
  position: number;
  hasHoles: boolean;
}

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export class EntryUnpacker implements TarSink {
  readonly #options: UnpackOptions;
  readonly #limits: UnpackLimits;
  readonly #tree: UnpackTree;
  readonly #attributes: AttributeWriter;
  readonly #index: TarEntry[] = [];
  #file: OpenFile | undefined;
  #bytes = 0;
  #skippedDevices = 0;

  constructor(options: UnpackOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    const isNew = options.whiteouts === "overlay";
    // Directories get their setgid bit at the end, so in a new tree nobody inherits a group, unless from the root itself.
    const groupsAreOwn = isNew && (statSync(options.directory).mode & 0o2000) === 0;
    this.#attributes = new AttributeWriter(options.owners, groupsAreOwn);
    this.#tree = new UnpackTree({
      directory: options.directory,
      isNew,
      missingParent: options.missingParent,
      onReplacedWhiteout: (directory) => this.#makeOpaque(directory),
    });
  }

  entry(entry: TarEntry): void {
    this.#bytes += entry.size;
    if (this.#index.length >= this.#limits.maxEntries) throw limitExceeded("entries", this.#limits.maxEntries);
    if (this.#bytes > this.#limits.maxBytes) throw limitExceeded("bytes", this.#limits.maxBytes);
    const clean = sanitizeEntryPath(bytePath(entry.path, entry.rawName)) as BytePath;
    const whiteout = this.#options.whiteouts === "literal" ? ({ kind: "none" } as const) : parseWhiteout(clean);
    switch (whiteout.kind) {
      case "none":
        return this.#create(entry, clean);
      case "whiteout":
        this.#hide(this.#tree.place(whiteout.path as BytePath));
        break;
      case "opaque":
        this.#empty(whiteout.directory as BytePath);
        break;
      case "metadata":
        break;
    }
    this.#record(entry, clean);
  }

  data(bytes: Buffer): void {
    const file = this.#file;
    if (file === undefined) return;
    for (let at = 0; at < bytes.length;) {
      const written = writeSync(file.fd, bytes, at, bytes.length - at, file.hasHoles ? file.position : null);
      at += written;
      file.position += written;
    }
  }

  hole(length: number): void {
    if (this.#file === undefined) return;
    this.#file.position += length;
    this.#file.hasHoles = true;
  }

  entryEnd(): void {
    const file = this.#file;
    if (file === undefined) return;
    if (file.hasHoles) ftruncateSync(file.fd, file.entry.size);
    this.#attributes.setOnFile(file.fd, file.path, file.entry);
    this.#file = undefined;
    closeSync(file.fd);
  }

  finish(): UnpackResult {
    for (const { path, attributes } of this.#tree.pendingDirectories()) {
      if (attributes) this.#attributes.setOnPath(this.#tree.diskPath(path), attributes, false);
    }
    return { entries: this.#index.length, bytes: this.#bytes, index: this.#index, skippedDevices: this.#skippedDevices };
  }

  /** Closes what is open; the unpacker is not used any more. */
  abandon(): void {
    if (this.#file) closeSync(this.#file.fd);
    this.#file = undefined;
  }

  #record(entry: TarEntry, clean: BytePath): void {
    const { text, raw } = textOfBytePath(clean);
    const linkname = entry.type === "hardlink" ? textOfBytePath(sanitizeEntryPath(bytePath(entry.linkname, entry.rawLinkname))).text : entry.linkname;
    const same = text === entry.path && linkname === entry.linkname;
    this.#index.push(same ? entry : { ...entry, path: text, rawName: raw, linkname });
  }

  #create(entry: TarEntry, clean: BytePath): void {
    const place = this.#tree.place(clean);
    if (place.name === "") return this.#createRoot(entry);
    this.#record(entry, place.path);
    if (entry.type === "directory") {
      this.#tree.makeDirectory(place, entry).fromArchive = true;
      return;
    }
    if (entry.type === "hardlink") return this.#createHardlink(entry, place);
    this.#clear(place);
    const path = this.#tree.diskPath(place.path);
    switch (entry.type) {
      case "file":
        this.#file = { fd: openSync(path, createFlags, entry.mode), path, entry, position: 0, hasHoles: false };
        break;
      case "symlink":
        return this.#createSymlink(entry, place, path);
      case "char":
      case "block":
      case "fifo":
        if (!this.#createNode(entry, path)) return;
        break;
    }
    this.#tree.set(place, { kind: "file", fromArchive: true });
  }

  #createRoot(entry: TarEntry): void {
    if (entry.type !== "directory")
      throw new SlipwayError("invalid_argument", "TAR_PATH_ESCAPES", "invalid tar entry: the root is not a directory", { type: entry.type });
    this.#record(entry, "" as BytePath);
    this.#tree.root.attributes = entry;
  }

  /** Later entries replace earlier ones. */
  #clear(place: Place): void {
    const former = this.#tree.nodeAt(place);
    if (former) this.#tree.remove(place, former);
  }

  #createSymlink(entry: TarEntry, place: Place, path: DiskPath): void {
    const target = bytePath(entry.linkname, entry.rawLinkname);
    symlinkSync(Buffer.from(target, "latin1"), path);
    this.#attributes.setOnPath(path, entry, true);
    this.#tree.set(place, { kind: "symlink", target, fromArchive: true });
  }

  /** false: this process may not. */
  #createNode(entry: TarEntry, path: DiskPath): boolean {
    const type = { char: constants.S_IFCHR, block: constants.S_IFBLK, fifo: constants.S_IFIFO }[entry.type as "char" | "block" | "fifo"];
    try {
      mknod(path, type | entry.mode, { major: entry.devmajor, minor: entry.devminor });
    } catch (error) {
      if (errnoOf(error) !== "EPERM" || entry.type === "fifo") throw error;
      this.#skippedDevices++;
      return false;
    }
    this.#attributes.setOnPath(path, entry, false);
    return true;
  }

  #createHardlink(entry: TarEntry, place: Place): void {
    const target = sanitizeEntryPath(bytePath(entry.linkname, entry.rawLinkname)) as BytePath;
    const found = this.#tree.find(target);
    const isHere = found?.node !== undefined && found.node.kind !== "directory" && found.node.kind !== "whiteout";
    if (isHere && found.place.path === place.path) return;
    const source = isHere ? undefined : this.#options.resolveHardlink?.(textOfBytePath(found?.place.path ?? target).text);
    if (!isHere && source === undefined) {
      const names = `${JSON.stringify(entry.path)} -> ${JSON.stringify(entry.linkname)}`;
      throw new SlipwayError("invalid_argument", "HARDLINK_TARGET_MISSING", `invalid hardlink ${names}: no such file or directory`, {
        path: entry.path,
        target: entry.linkname,
      });
    }
    this.#clear(place);
    const path = this.#tree.diskPath(place.path);
    if (isHere) this.#link(this.#tree.diskPath(found.place.path), path);
    else if (source !== undefined) copyWithAttributes(source, path);
    this.#adjust(path, entry);
    this.#tree.set(place, isHere && found.node ? found.node : nodeLike(path));
  }

  #link(target: DiskPath, path: DiskPath): void {
    try {
      linkSync(target, path);
    } catch (error) {
      // A file system's bound of links to one file; the content is the same.
      if (errnoOf(error) !== "EMLINK") throw error;
      copyWithAttributes(target, path);
    }
  }

  /** A hardlink's header counts for the file, as far as it says something else; a needless chown would clear capabilities. */
  #adjust(path: DiskPath, entry: TarEntry): void {
    const stat = lstatSync(path, { bigint: true });
    const owner = this.#attributes.ownerOnDisk(entry);
    const ownerDiffers = owner !== undefined && (BigInt(owner.uid) !== stat.uid || BigInt(owner.gid) !== stat.gid);
    if (ownerDiffers) lchownSync(path, owner.uid, owner.gid);
    const modeDiffers = (Number(stat.mode) & 0o7777) !== entry.mode;
    if ((modeDiffers || ownerDiffers) && !stat.isSymbolicLink()) chmodSync(path, entry.mode);
    if (stat.mtimeNs !== entry.mtimeNs) setPathTimes(path, entry.mtimeNs);
  }

  /** `.wh.name`: deletes `name` of the lower layers (or of the former content), never what this archive itself brings. */
  #hide(place: Place): void {
    const node = this.#tree.nodeAt(place);
    if (this.#options.whiteouts === "apply") {
      if (node?.kind === "directory" && node.fromArchive) this.#tree.removeFormer(node);
      else if (node && !node.fromArchive) this.#tree.remove(place, node);
      return;
    }
    if (node?.kind === "directory") this.#makeOpaque(node);
    if (node !== undefined || this.#tree.isHidden(place.parent)) return;
    mknod(this.#tree.diskPath(place.path), constants.S_IFCHR, { major: 0, minor: 0 });
    this.#tree.set(place, { kind: "whiteout", fromArchive: true });
  }

  /** `.wh..wh..opq` */
  #empty(path: BytePath): void {
    const marker = this.#tree.place((path === "" ? "opaque" : `${path}/opaque`) as BytePath);
    if (this.#options.whiteouts === "apply") this.#tree.removeFormer(marker.parent);
    else this.#makeOpaque(marker.parent);
  }

  #makeOpaque(directory: DirectoryNode): void {
    lSetXattr(this.#tree.diskPath(directory.path), this.#options.opaqueXattr ?? "trusted.overlay.opaque", Buffer.from("y"));
    directory.isOpaque = true;
    this.#tree.removeWhiteouts(directory);
    this.#tree.forgetLower(directory);
  }
}

function limitExceeded(what: "entries" | "bytes", limit: number): SlipwayError {
  return new SlipwayError("resource_exhausted", "UNPACK_LIMIT", `archive exceeds the limit of ${limit} ${what}`, { what, limit });
}

function nodeLike(path: DiskPath): { kind: "file"; fromArchive: true } | { kind: "symlink"; target: string; fromArchive: true } {
  if (!lstatSync(path).isSymbolicLink()) return { kind: "file", fromArchive: true };
  return { kind: "symlink", target: readlinkSync(path, { encoding: "buffer" }).toString("latin1"), fromArchive: true };
}

/** A file of a lower layer as it is: owner, mode, attributes, times. */
function copyWithAttributes(source: DiskPath, path: DiskPath): void {
  const stat = lstatSync(source, { bigint: true });
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(source, { encoding: "buffer" }), path);
  else if (stat.isFile()) copyFileSync(source, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  else throw new SlipwayError("unsupported", "HARDLINK_TARGET_MISSING", `invalid hardlink: ${String(source)} is no regular file`);
  const made = lstatSync(path);
  if (BigInt(made.uid) !== stat.uid || BigInt(made.gid) !== stat.gid) lchownSync(path, Number(stat.uid), Number(stat.gid));
  if (!stat.isSymbolicLink()) chmodSync(path, Number(stat.mode) & 0o7777);
  for (const name of lListXattr(source)) {
    const value = isOverlayXattr(name) ? undefined : lGetXattr(source, name);
    if (value) lSetXattr(path, name, value);
  }
  setPathTimes(path, stat.mtimeNs);
}
