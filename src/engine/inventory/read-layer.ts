/** A layer's files, from its directory or from its archive, to those who make its inventory. */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { SlipwayError } from "../../base/errors.ts";
import { releaseBytes } from "../../base/release-bytes.ts";
import { digestFromHex, type Digest } from "../../oci/digest.ts";
import { joinPath } from "../../store/index.ts";
import { DirectoryLayer } from "../../store/layer-tree.ts";
import { sanitizeEntryPath } from "../../store/unpack.ts";
import { decompressDetected, parseWhiteout, TarReader, type TarEntry, type TarSink } from "../../tar/index.ts";
import { LayerCollector, type LayerInventory, type PieceReader, type SeenFile, type Wanted } from "../../trust/packages/index.ts";

const maxLayerBytes = 2 ** 40;
const maxEntries = 5_000_000;
const headBytes = 4;

/** Told of each entry of a layer; of files it says whether it wants the bytes. */
export interface LayerVisitor {
  removed(path: string): void;
  opaque(path: string): void;
  seen(path: string, file: SeenFile): Wanted;
  /** of a file that is wanted if it is a program: its first bytes */
  isWantedProgram(path: string, size: number, head: Uint8Array): boolean;
  /** the bytes are there during the call alone */
  content(path: string, bytes: Buffer): void;
  /** in the place of content, of a program that need not be read whole; it is there during the call alone */
  program(path: string, program: PieceReader): void;
}

/** An overlay-ready directory. */
export function inventoryOfDirectory(directory: string, signal?: AbortSignal): LayerInventory {
  const collector = new LayerCollector();
  visitDirectory(directory, collector, signal);
  return collector.finish();
}

export function visitDirectory(directory: string, collector: LayerVisitor, signal?: AbortSignal): void {
  const layer = new DirectoryLayer(directory);
  const visit = (parent: string): void => {
    signal?.throwIfAborted();
    for (const name of layer.names(parent)) {
      const path = joinPath(parent, name);
      const node = layer.get(path);
      if (node === undefined) continue;
      if (node === "whiteout") {
        collector.removed(path);
        continue;
      }
      const wanted = collector.seen(path, node);
      if (node.diskPath !== undefined && wanted !== "nothing") readFile(collector, path, node.diskPath, wanted);
      if (node.type !== "directory") continue;
      if (layer.isOpaque(path)) collector.opaque(path);
      visit(path);
    }
  };
  visit("");
}

/** Fails as the file system does. Neither a link nor a pipe that takes the file's place meanwhile is read. */
export function readFile(collector: LayerVisitor, path: string, diskPath: string, wanted: Wanted): void {
  const fd = openSync(diskPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (wanted === "program") {
      const head = Buffer.alloc(headBytes);
      readSync(fd, head, 0, headBytes, 0);
      const { size } = fstatSync(fd);
      if (collector.isWantedProgram(path, size, head)) collector.program(path, { size, read: (start, length) => readPiece(fd, start, length) });
      return;
    }
    const bytes = readFileSync(fd);
    collector.content(path, bytes);
    releaseBytes(bytes);
  } finally {
    closeSync(fd);
  }
}

/** As far as the file goes. */
function readPiece(fd: number, start: number, length: number): Buffer {
  const piece = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, piece, filled, length - filled, start + filled);
    if (count === 0) break;
    filled += count;
  }
  return piece.subarray(0, filled);
}

/** Keeps the content of the file that is being read, if somebody wants it. */
class ArchiveSink implements TarSink {
  readonly collector: LayerVisitor;
  #entries = 0;
  #path = "";
  #wanted: Wanted = "nothing";
  #size = 0;
  #content = Buffer.alloc(0);
  #filled = 0;

  constructor(collector: LayerVisitor) {
    this.collector = collector;
  }

  entry(entry: TarEntry): void {
    if (++this.#entries > maxEntries) {
      throw new SlipwayError("resource_exhausted", "UNPACK_LIMIT", `archive exceeds the limit of ${maxEntries} entries`, { limit: maxEntries });
    }
    this.#wanted = "nothing";
    this.#filled = 0;
    const path = sanitizeEntryPath(entry.path);
    const whiteout = parseWhiteout(path);
    if (whiteout.kind === "opaque") this.collector.opaque(whiteout.directory);
    else if (whiteout.kind === "whiteout") this.collector.removed(whiteout.path);
    if (whiteout.kind !== "none" || path === "") return;
    const { type, mode, size, linkname } = entry;
    this.#wanted = this.collector.seen(path, { type: type === "hardlink" ? "file" : type, mode, size: type === "file" ? size : 0, linkname });
    this.#path = path;
    this.#size = size;
    if (this.#wanted === "content") this.#content = Buffer.allocUnsafe(size);
  }

  data(bytes: Buffer): void {
    if (this.#wanted === "nothing") return;
    if (this.#wanted === "program") {
      // the first piece may be shorter than a program's mark: such a file is none
      if (!this.collector.isWantedProgram(this.#path, this.#size, bytes)) {
        this.#wanted = "nothing";
        return;
      }
      this.#wanted = "content";
      this.#content = Buffer.allocUnsafe(this.#size);
    }
    this.#filled += bytes.copy(this.#content, this.#filled);
  }

  hole(length: number): void {
    if (this.#wanted === "program") this.#wanted = "nothing";
    if (this.#wanted !== "content") return;
    this.#content.fill(0, this.#filled, this.#filled + length);
    this.#filled += length;
  }

  entryEnd(): void {
    if (this.#wanted === "content" && this.#filled > 0) this.collector.content(this.#path, this.#content.subarray(0, this.#filled));
    this.#wanted = "nothing";
    releaseBytes(this.#content);
    this.#content = Buffer.alloc(0);
  }
}

/** An archive, compressed or not; also the digest of what it holds. Fails as TarReader, and with UNPACK_LIMIT (resource_exhausted). */
export async function inventoryOfArchive(
  archive: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<{ readonly inventory: LayerInventory; readonly diffId: Digest }> {
  const collector = new LayerCollector();
  const diffId = await visitArchive(archive, collector, signal);
  return { inventory: collector.finish(), diffId };
}

/** Answers the digest of what the archive holds. */
export async function visitArchive(archive: AsyncIterable<Uint8Array>, visitor: LayerVisitor, signal?: AbortSignal): Promise<Digest> {
  const reader = new TarReader(new ArchiveSink(visitor));
  const hash = createHash("sha256");
  const { bytes } = await decompressDetected(archive, { maxBytes: maxLayerBytes, ...(signal === undefined ? {} : { signal }) });
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    hash.update(chunk);
    reader.push(chunk);
  }
  reader.finish();
  return digestFromHex(hash.digest("hex"));
}
