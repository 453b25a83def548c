/** ADD of local archives: told by content, extracted into the layer's draft; whatever is no archive stays a file. */
import { closeSync, openSync, createReadStream, readSync, writeSync } from "node:fs";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import type { FileView, Store } from "../store/index.ts";
import { decompress, detectCompression, isTarHeader, probeSizeBytes } from "../tar/compression.ts";
import type { TarEntry } from "../tar/entry.ts";
import { TarReader } from "../tar/reader.ts";
import { directoryNode, resolveDestination, type Placement } from "./apply-copy.ts";
import { extractEntry, type Extraction } from "./extract-entry.ts";
import type { LayerDraft } from "./layer-draft.ts";
import type { SelectedSource } from "./selection.ts";
import type { CopyAction } from "../graph/op.ts";

export interface UnpackSurroundings {
  readonly store: Store;
  /** the base with its contents on disk, for hard links to files of lower layers */
  readonly readableBase: () => Promise<FileView>;
  readonly signal: AbortSignal | undefined;
}

/** Content of all files in one archive at most. */
const maxArchiveBytes = 2 ** 40;

/** Extracts the source if it is an archive, and answers whether it is one. Entries keep the archive's owners unless `--chown` says otherwise. */
export async function unpackArchive(
  draft: LayerDraft,
  { destination: written }: CopyAction,
  source: SelectedSource,
  placement: Placement,
  { store, readableBase, signal }: UnpackSurroundings,
): Promise<boolean> {
  const root = source.files[0]?.node;
  const spool = root?.type === "file" && root.diskPath !== undefined ? await spoolArchive(store, root.diskPath, signal) : undefined;
  if (spool === undefined) return false;
  // The archive names everything below the destination, which is a directory whatever it looks like.
  const destination = resolveDestination(draft, `${written.replace(/\/+$/, "")}/`, { ...placement, directoryMode: directoryNode.mode });
  const linksLower = spool.entries.some(({ entry }) => entry.type === "hardlink");
  const base = linksLower ? await readableBase() : undefined;
  const extraction: Extraction = { draft, base, destination, placement, spool: spool.path };
  for (const { entry, offset } of spool.entries) extractEntry(extraction, entry, offset);
  return true;
}

interface SpooledEntry {
  readonly entry: TarEntry;
  readonly offset: number;
}

interface Spool {
  readonly path: string;
  readonly entries: readonly SpooledEntry[];
}

/** Decompresses into a temporary file with the entries' places noted; undefined when the bytes are no archive: its first header counts. */
async function spoolArchive(store: Store, path: string, signal: AbortSignal | undefined): Promise<Spool | undefined> {
  const head = firstBytes(path);
  const kind = detectCompression(head);
  if (kind === "none" && !isTarHeader(head)) return undefined;
  const spoolPath = store.lease().temporaryPath("archive");
  const fd = openSync(spoolPath, "wx", 0o600);
  const entries: SpooledEntry[] = [];
  let offset = 0;
  const append = (bytes: Uint8Array): void => {
    writeSync(fd, bytes);
    offset += bytes.length;
  };
  const reader = new TarReader({
    entry: (entry) => entries.push({ entry, offset }),
    data: append,
    hole: (length) => {
      for (let left = length; left > 0; left -= zeros.length) append(zeros.subarray(0, Math.min(left, zeros.length)));
    },
    entryEnd: () => {},
  });
  try {
    for await (const chunk of decompress(createReadStream(path, { highWaterMark: 256 * 1024 }), kind, {
      maxBytes: maxArchiveBytes,
      ...(signal === undefined ? {} : { signal }),
    }))
      reader.push(chunk);
    reader.finish();
  } catch (error) {
    signal?.throwIfAborted();
    if (kind !== "none" && entries.length === 0 && error instanceof SlipwayError && error.kind === "data_loss") return undefined;
    if (!isMissingPadding(error)) throw truncated(error);
  } finally {
    closeSync(fd);
  }
  return entries.length === 0 && kind !== "none" ? undefined : { path: spoolPath, entries };
}

const zeros = Buffer.alloc(64 * 1024);

function firstBytes(path: string): Buffer {
  const buffer = Buffer.alloc(probeSizeBytes);
  const fd = openSync(path, "r");
  try {
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** Nobody misses what fills up the last block. */
function isMissingPadding(error: unknown): boolean {
  return isSlipwayError(error, "TAR_TRUNCATED") && error.details["expecting"] === "padding";
}

function truncated(error: unknown): unknown {
  if (!isSlipwayError(error, "TAR_TRUNCATED") && !isSlipwayError(error, "COMPRESSION_TRUNCATED")) return error;
  return new SlipwayError("invalid_argument", "ARCHIVE_TRUNCATED", "unexpected EOF", error.details, error);
}
