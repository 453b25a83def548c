/** Makes the form of a layer that somebody needs from one that is here. */
import { rmSync } from "node:fs";
import { createHash } from "node:crypto";
import { SlipwayError } from "../base/errors.ts";
import { digestFromHex, type Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { decompressDetected } from "../tar/compression.ts";
import type { TarEntry } from "../tar/entry.ts";
import { TarReader } from "../tar/reader.ts";
import type { Blobs } from "./blobs.ts";
import { DirectoryLayer, IndexLayer } from "./layer-tree.ts";
import { readIndex, writeIndex } from "./layer-index.ts";
import { chainId, missingLayer, type Chain, type Layers } from "./layers.ts";
import type { StoreLayout } from "./layout.ts";
import type { Lease } from "./lease.ts";
import { MergedView, type LayerTree } from "./merged-view.ts";
import type { Ownership } from "./ownership.ts";
import { packInTurns } from "./pack.ts";
import { createUnpacker, sanitizeEntryPath, type LowerParent } from "./unpack.ts";

/** A tar of one layer may hold this much content at most: decompression bombs end here. */
const maxLayerBytes = 2 ** 40;

/** An unpacker, or whatever else reads a tar in pieces. */
interface TarSink<Result> {
  push(chunk: Uint8Array): void;
  finish(): Result;
}

export class Materializer {
  readonly #layout: StoreLayout;
  readonly #blobs: Blobs;
  readonly #layers: Layers;
  readonly #lease: () => Lease;
  readonly #ownership: Ownership;
  readonly #running = new Map<string, Promise<string>>();

  constructor(layout: StoreLayout, blobs: Blobs, layers: Layers, lease: () => Lease, ownership: Ownership) {
    this.#layout = layout;
    this.#blobs = blobs;
    this.#layers = layers;
    this.#lease = lease;
    this.#ownership = ownership;
  }

  /** Overlay-ready directories of the whole chain, bottom first. Layers are unpacked when they are not yet. */
  async directories(chain: Chain, signal?: AbortSignal): Promise<readonly string[]> {
    this.#layers.hold(chain);
    const paths: string[] = [];
    for (let index = 0; index < chain.length; index++) paths.push(await this.directory(chain, index, signal));
    return paths;
  }

  /** Fails with LAYER_MISSING (not_found) when no form is here, DIFF_ID_MISMATCH (data_loss) when the bytes are others. */
  directory(chain: Chain, index: number, signal?: AbortSignal): Promise<string> {
    const here = this.#layers.directory(chain, index);
    if (here !== undefined) return Promise.resolve(here);
    const key = chain.slice(0, index + 1).join();
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#unpack(chain, index, signal).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #unpack(chain: Chain, index: number, signal: AbortSignal | undefined): Promise<string> {
    const diffId = at(chain, index);
    const below = await this.view(chain.slice(0, index), signal);
    const target = this.#layers.workDirectory("unpack");
    let dependent = false;
    const unpacker = createUnpacker({
      directory: target,
      whiteouts: "overlay",
      owners: this.#ownership.owners,
      opaqueXattr: this.#ownership.opaqueXattr,
      limits: { maxBytes: maxLayerBytes },
      missingParent: (path) => {
        const parent = lowerParent(below, path);
        if (parent !== undefined) dependent = true;
        return parent;
      },
      resolveHardlink: (path) => {
        dependent = true;
        return below.lookup(path)?.diskPath;
      },
    });
    try {
      const result = await this.#feed(diffId, unpacker, signal);
      writeIndex(this.#layout, diffId, result.index, this.#lease().temporaryPath("index"));
      return this.#layers.adoptDirectory(diffId, target, result.bytes, dependent ? chainId(chain.slice(0, index)) : "");
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  }

  /** Runs the layer's plain tar through an unpacker or another sink, verifying the diffID. What turns out damaged goes, so that a pull repairs it. */
  async #feed<Result>(diffId: Digest, sink: TarSink<Result>, signal: AbortSignal | undefined): Promise<Result> {
    try {
      return await this.#feedBytes(diffId, sink, signal);
    } catch (error) {
      if (signal?.aborted === true || !(await this.#dropDamaged(diffId))) throw error;
      throw missingLayer(diffId, error);
    }
  }

  async #dropDamaged(diffId: Digest): Promise<boolean> {
    let dropped = false;
    for (const { digest } of this.#layers.blobForms(diffId)) if (await this.#blobs.dropDamaged(digest)) dropped = true;
    return dropped;
  }

  async #feedBytes<Result>(diffId: Digest, sink: TarSink<Result>, signal: AbortSignal | undefined): Promise<Result> {
    const hash = createHash("sha256");
    for await (const chunk of this.tar(diffId)) {
      signal?.throwIfAborted();
      hash.update(chunk);
      sink.push(chunk);
    }
    const got = digestFromHex(hash.digest("hex"));
    if (got !== diffId)
      throw new SlipwayError("data_loss", "DIFF_ID_MISMATCH", `layer ${diffId}: its archive unpacks to ${got}`, { expected: diffId, actual: got });
    return sink.finish();
  }

  /**
   * The layer as a plain tar stream, from whatever form is here: the tar itself, a compressed blob, or its directory.
   * The bytes are those of the diffID; a directory that no longer gives them fails at the end with DIFF_ID_MISMATCH.
   */
  async *tar(diffId: Digest): AsyncGenerator<Uint8Array> {
    if (this.#blobs.has(diffId)) {
      yield* this.#blobs.stream(diffId);
      return;
    }
    const blob = this.#layers.blobForms(diffId)[0];
    if (blob !== undefined) {
      yield* this.#decompressed(blob);
      return;
    }
    const directory = this.#layers.directory([diffId], 0);
    if (directory === undefined) throw missingLayer(diffId);
    yield* this.#packed(diffId, directory);
  }

  async *#packed(diffId: Digest, directory: string): AsyncGenerator<Uint8Array> {
    // The result goes through a file so that a slow reader costs disk and not memory.
    using ingest = this.#blobs.ingest();
    const options = { directory, overlay: true, wholeSeconds: true, owners: this.#ownership.owners };
    await packInTurns({ ...options, onChunk: (bytes) => ingest.write(bytes) }, undefined);
    const blob = ingest.commit({ digest: diffId });
    yield* this.#blobs.stream(blob.digest);
  }

  async *#decompressed(blob: Descriptor): AsyncGenerator<Uint8Array> {
    const { bytes } = await decompressDetected(this.#blobs.stream(blob.digest), { maxBytes: maxLayerBytes });
    yield* bytes;
  }

  /** The entries of a layer; made and kept on first need by reading the archive once. */
  async #entries(diffId: Digest, signal: AbortSignal | undefined): Promise<readonly TarEntry[]> {
    const kept = readIndex(this.#layout, diffId);
    if (kept !== undefined) return kept;
    const entries: TarEntry[] = [];
    const reader = new TarReader({
      entry: (entry) => {
        const path = sanitizeEntryPath(entry.path);
        entries.push({ ...entry, path, linkname: entry.type === "hardlink" ? sanitizeEntryPath(entry.linkname) : entry.linkname });
      },
      data: () => {},
      hole: () => {},
      entryEnd: () => {},
    });
    await this.#feed(diffId, reader, signal);
    writeIndex(this.#layout, diffId, entries, this.#lease().temporaryPath("index"));
    return entries;
  }

  /** A merged look at a chain for questions about paths: layers that are not unpacked stay so. Contents may be out of reach. */
  async view(chain: Chain, signal?: AbortSignal): Promise<MergedView> {
    return new MergedView(await this.trees(chain, signal));
  }

  /** The layers of a chain one by one, each from the form that is here. */
  async trees(chain: Chain, signal?: AbortSignal): Promise<readonly LayerTree[]> {
    const trees: LayerTree[] = [];
    for (const [index, diffId] of chain.entries()) {
      const directory = this.#layers.directory(chain, index);
      trees.push(directory === undefined ? new IndexLayer(await this.#entries(diffId, signal)) : new DirectoryLayer(directory));
    }
    return trees;
  }

  /** A merged look at a chain in which every file's content can be read. */
  async readableView(chain: Chain, signal?: AbortSignal): Promise<MergedView> {
    const directories = await this.directories(chain, signal);
    return new MergedView(directories.map((directory) => new DirectoryLayer(directory)));
  }
}

function at(chain: Chain, index: number): Digest {
  const diffId = chain[index];
  if (diffId === undefined) throw new SlipwayError("internal", "INTERNAL", `no layer ${index} in a chain of ${chain.length}`);
  return diffId;
}

function lowerParent(below: MergedView, path: string): LowerParent | undefined {
  const node = below.lookup(path);
  if (node?.type === "symlink") return { type: "symlink", target: node.linkname };
  if (node?.type !== "directory") return undefined;
  return { type: "directory", mode: node.mode, uid: node.uid, gid: node.gid, mtimeNs: node.mtimeNs, xattrs: below.xattrs(path) };
}
