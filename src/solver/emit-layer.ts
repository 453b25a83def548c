/** A finished draft → one deterministic tar in the store, every file read once while all digests are taken. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { Breath } from "../base/breath.ts";
import { SlipwayError } from "../base/errors.ts";
import { digestOf, type Digest } from "../oci/digest.ts";
import type { Store } from "../store/index.ts";
import type { TarEntry } from "../tar/entry.ts";
import { createEntry, encodeHeader, endOfArchive } from "../tar/writer.ts";
import { whiteoutPath } from "../tar/whiteout.ts";
import { readContent, type FileDigests } from "./file-digests.ts";
import type { Content, DraftNode, LayerDraft } from "./layer-draft.ts";

export interface EmittedLayer {
  readonly diffId: Digest;
  /** over paths, attributes and contents, without times: equal for layers that differ in times only */
  readonly contentKey: string;
  /** bytes of file content */
  readonly sizeBytes: number;
  readonly entries: readonly TarEntry[];
}

/** Content of files whose digests are all known, without reading anything; undefined when some are not. */
export function contentKeyOf(draft: LayerDraft): string | undefined {
  const lines: string[] = [];
  for (const [path, node] of draft.sorted()) {
    const digest = node === "whiteout" ? "" : knownDigest(node);
    if (digest === undefined) return undefined;
    lines.push(contentLine(path, node, digest));
  }
  return digestOf(lines.join("\n"));
}

function knownDigest({ node, content, linkTo }: DraftNode): string | undefined {
  if (node.type !== "file" || linkTo !== undefined || content === undefined) return "";
  if (content.kind === "disk") return content.known;
  return content.kind === "bytes" ? createHash("sha256").update(content.bytes).digest("hex") : undefined;
}

function contentLine(path: string, draft: DraftNode | "whiteout", digest: string): string {
  if (draft === "whiteout") return JSON.stringify([path, "whiteout"]);
  const { node, linkTo, xattrs } = draft;
  const attributes = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString("base64")]);
  return JSON.stringify([path, node.type, node.mode, node.uid, node.gid, node.linkname, node.devmajor, node.devminor, linkTo ?? "", attributes, digest]);
}

const flushBytes = 256 * 1024;

export interface EmitOptions {
  readonly signal: AbortSignal | undefined;
  /** called now and then with the bytes written so far */
  readonly onProgress?: (bytes: number) => void;
}

/** Writes the tar as a blob and records the layer. Cost: one read per file, one write, one fsync. */
export async function emitLayer(store: Store, draft: LayerDraft, digests: FileDigests, options: EmitOptions): Promise<EmittedLayer> {
  using ingest = store.blobs.ingest();
  const buffer = Buffer.allocUnsafe(flushBytes);
  let used = 0;
  let sizeBytes = 0;
  const write = (bytes: Uint8Array): void => {
    if (used + bytes.length > flushBytes) {
      ingest.write(buffer.subarray(0, used));
      used = 0;
    }
    if (bytes.length >= flushBytes) {
      ingest.write(bytes);
      return;
    }
    buffer.set(bytes, used);
    used += bytes.length;
  };
  const entries: TarEntry[] = [];
  const lines: string[] = [];
  const breath = new Breath(options.signal);
  const breathe = async (bytes: number): Promise<void> => {
    options.onProgress?.(bytes);
    await breath.take();
  };
  for (const [path, node] of draft.sorted()) {
    const entry = entryOf(path, node);
    entries.push(entry);
    write(encodeHeader(entry));
    const content = node === "whiteout" ? undefined : new ContentWriter(node, digests, write);
    for (const written of content?.pieces() ?? []) if (breath.isDue) await breathe(sizeBytes + written);
    lines.push(contentLine(path, node, content?.digest ?? ""));
    sizeBytes += entry.size;
    if (breath.isDue) await breathe(sizeBytes);
  }
  write(endOfArchive);
  ingest.write(buffer.subarray(0, used));
  const blob = ingest.commit();
  store.layers.addTar(blob.digest, sizeBytes);
  return { diffId: blob.digest, contentKey: digestOf(lines.join("\n")), sizeBytes, entries };
}

function entryOf(path: string, draft: DraftNode | "whiteout"): TarEntry {
  if (draft === "whiteout") return createEntry({ type: "file", path: whiteoutPath(path) });
  const { node, linkTo, xattrs } = draft;
  return createEntry({
    type: linkTo === undefined ? node.type : "hardlink",
    path,
    linkname: linkTo ?? node.linkname,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    size: linkTo === undefined && node.type === "file" ? node.size : 0,
    mtimeNs: node.mtimeNs,
    devmajor: node.devmajor,
    devminor: node.devminor,
    xattrs,
  });
}

const zeros = Buffer.alloc(512);

class ContentWriter {
  /** as hex, once all pieces are written; "" for what has no content */
  digest = "";
  readonly #file: DraftNode;
  readonly #digests: FileDigests;
  readonly #write: (bytes: Uint8Array) => void;

  constructor(file: DraftNode, digests: FileDigests, write: (bytes: Uint8Array) => void) {
    this.#file = file;
    this.#digests = digests;
    this.#write = write;
  }

  /** Writes one after the other, each read once; gives the bytes written so far. */
  *pieces(): Generator<number, void> {
    const { node, content, linkTo } = this.#file;
    if (node.type !== "file" || linkTo !== undefined || content === undefined) return;
    const known = content.kind === "disk" ? content.known : undefined;
    const hash = known === undefined ? createHash("sha256") : undefined;
    let written = 0;
    for (const chunk of readFrom(content, node.size)) {
      hash?.update(chunk);
      this.#write(chunk);
      yield (written += chunk.length);
    }
    const padding = (512 - (node.size % 512)) % 512;
    if (padding > 0) this.#write(zeros.subarray(0, padding));
    this.digest = known ?? hash?.digest("hex") ?? "";
    if (hash !== undefined && content.kind === "disk") this.#digests.set({ ...node, diskPath: content.path }, this.digest);
  }
}

function* readFrom(content: Content, size: number): Generator<Uint8Array, void> {
  if (content.kind === "bytes") return yield content.bytes;
  if (content.kind === "disk") return yield* readContent(content.path, size);
  const fd = openSync(content.path, "r");
  try {
    const buffer = Buffer.allocUnsafe(Math.min(flushBytes / 2, Math.max(size, 1)));
    for (let at = 0; at < size;) {
      const read = readSync(fd, buffer, 0, Math.min(buffer.length, size - at), content.offset + at);
      if (read === 0) throw new SlipwayError("data_loss", "FILE_CHANGED", `${content.path} ended early`, { path: content.path });
      yield buffer.subarray(0, read);
      at += read;
    }
  } finally {
    closeSync(fd);
  }
}
