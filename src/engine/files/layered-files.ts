/**
 * Layers that lie elsewhere as archives: each is read when a question first needs it, from the top down, and once more for the contents
 * of files that it has. A question that meets an unread layer is put again when the layer is there.
 */
import { SlipwayError } from "../../base/errors.ts";
import { IndexLayer } from "../../store/layer-tree.ts";
import { MergedView, type FileNode, type LayerTree } from "../../store/index.ts";
import { sanitizeEntryPath } from "../../store/unpack.ts";
import { decompressDetected, readTarMembers, type TarEntry } from "../../tar/index.ts";
import { LayerEntries } from "./layer-entries.ts";
import type { FileContent, ImageFiles } from "./image-files.ts";

const maxLayerBytes = 2 ** 40;
const maxEntries = 5_000_000;

/** One layer's archive, compressed or not, verified; each call reads it anew. */
export type OpenLayer = () => AsyncIterable<Uint8Array>;

class LayerNeeded extends Error {
  readonly layer: UnreadLayer;
  constructor(layer: UnreadLayer) {
    super("a layer has to be read first");
    this.layer = layer;
  }
}

class UnreadLayer implements LayerTree {
  readonly open: OpenLayer;
  #read: { readonly tree: LayerTree; readonly entries: LayerEntries } | undefined;

  constructor(open: OpenLayer) {
    this.open = open;
  }

  #now(): { readonly tree: LayerTree; readonly entries: LayerEntries } {
    if (this.#read === undefined) throw new LayerNeeded(this);
    return this.#read;
  }

  get isRead(): boolean {
    return this.#read !== undefined;
  }

  get entries(): LayerEntries {
    return this.#now().entries;
  }

  async read(signal: AbortSignal | undefined): Promise<void> {
    const entries: TarEntry[] = [];
    for await (const { entry } of membersOf(this.open, signal)) {
      if (entries.length >= maxEntries) {
        throw new SlipwayError("resource_exhausted", "UNPACK_LIMIT", `archive exceeds the limit of ${maxEntries} entries`, { limit: maxEntries });
      }
      const linkname = entry.type === "hardlink" ? sanitizeEntryPath(entry.linkname) : entry.linkname;
      entries.push({ ...entry, path: sanitizeEntryPath(entry.path), linkname });
    }
    this.#read = { tree: new IndexLayer(entries), entries: new LayerEntries(entries) };
  }

  get(path: string): FileNode | "whiteout" | undefined {
    return this.#now().tree.get(path);
  }
  isOpaque(path: string): boolean {
    return this.#now().tree.isOpaque(path);
  }
  names(path: string): readonly string[] {
    return this.#now().tree.names(path);
  }
  xattrs(path: string): ReadonlyMap<string, Uint8Array> {
    return this.#now().tree.xattrs(path);
  }
}

async function* membersOf(open: OpenLayer, signal: AbortSignal | undefined): ReturnType<typeof readTarMembers> {
  const options = { maxBytes: maxLayerBytes, ...(signal === undefined ? {} : { signal }) };
  const { bytes } = await decompressDetected(open(), options);
  yield* readTarMembers(bytes);
}

/** Each layer by itself, all read; bottom first. */
export async function readLayers(layers: readonly OpenLayer[], signal?: AbortSignal): Promise<readonly LayerTree[]> {
  const trees = layers.map((open) => new UnreadLayer(open));
  for (const tree of trees) await tree.read(signal);
  return trees;
}

/** `layers` bottom first. */
export function layeredFiles(layers: readonly OpenLayer[], signal?: AbortSignal): ImageFiles {
  const trees = layers.map((open) => new UnreadLayer(open));
  const view = new MergedView(trees);
  const ask: ImageFiles["ask"] = async (question) => {
    for (;;) {
      try {
        return question(view);
      } catch (error) {
        if (!(error instanceof LayerNeeded)) throw error;
        await error.layer.read(signal);
      }
    }
  };
  return {
    ask,
    whole: async () => {
      for (const tree of trees) if (!tree.isRead) await tree.read(signal);
      return view;
    },
    async *contents(paths) {
      const places = await ask(() => placesOf(view, paths));
      for (const tree of trees) {
        const wanted = places.get(tree);
        if (wanted !== undefined) yield* contentsIn(tree, wanted, signal);
      }
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** By layer: which entry's content belongs to which paths. */
function placesOf(view: MergedView, paths: ReadonlyMap<string, FileNode>): ReadonlyMap<LayerTree, ReadonlyMap<number, readonly string[]>> {
  const places = new Map<LayerTree, Map<number, string[]>>();
  for (const path of paths.keys()) {
    const { layer, position } = placeOf(view, path, path);
    const inLayer = places.get(layer) ?? new Map<number, string[]>();
    places.set(layer, inLayer.set(position, [...(inLayer.get(position) ?? []), path]));
  }
  return places;
}

/** A hardlink's target may lie in a layer below. */
function placeOf(view: MergedView, path: string, asked: string, hops = 0): { readonly layer: UnreadLayer; readonly position: number } {
  const layer = view.layerOf(path);
  const found = layer instanceof UnreadLayer ? layer.entries.contentOf(path) : undefined;
  if (layer instanceof UnreadLayer && typeof found === "number") return { layer, position: found };
  if (typeof found === "string" && hops < 16 && found !== path) return placeOf(view, found, asked, hops + 1);
  throw new SlipwayError("data_loss", "CONTENT_MISSING", `/${asked}: its content is in no layer of the image`, { path: asked });
}

async function* contentsIn(tree: UnreadLayer, wanted: ReadonlyMap<number, readonly string[]>, signal: AbortSignal | undefined): AsyncGenerator<FileContent> {
  let position = 0;
  let left = wanted.size;
  for await (const { content } of membersOf(tree.open, signal)) {
    const paths = wanted.get(position++);
    if (paths === undefined) continue;
    yield { paths, bytes: content };
    if (--left === 0) return;
  }
}
