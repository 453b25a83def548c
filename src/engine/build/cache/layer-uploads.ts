/**
 * Layers on their way to a cache: compressed and sent when the step that made them has ended, beside the steps that still run. What
 * waits for its turn waits here: nobody waits for it before the build's own result is there.
 */
import type { Digest } from "../../../oci/digest.ts";
import type { Descriptor } from "../../../oci/manifest.ts";
import { Gate } from "../../../solver/gate.ts";
import type { Chain, Store } from "../../../store/index.ts";
import { layerForPush } from "../../push/layer-for-push.ts";
import type { CacheExportSettings } from "./cache-api.ts";
import type { CacheWriter } from "./cache-place.ts";

/** How many layers all caches of a build compress at once: steps want the processors too. */
const parallelCompressions = 2;
/** How many layers one cache sends at once. */
const parallelWrites = 4;

export function createCompressionGate(): Gate {
  return new Gate(parallelCompressions);
}

export interface LayerUploadsOptions {
  readonly store: Store;
  readonly settings: Pick<CacheExportSettings, "compression" | "compressionLevel" | "forceCompression">;
  readonly writer: Pick<CacheWriter, "layer">;
  /** shared by the build's caches */
  readonly compressing: Gate;
  readonly signal: AbortSignal;
}

export class LayerUploads {
  readonly #options: LayerUploadsOptions;
  readonly #compressed = new Map<Digest, Promise<Descriptor>>();
  readonly #written = new Map<Digest, Promise<void>>();
  readonly #writing = new Gate(parallelWrites);

  constructor(options: LayerUploadsOptions) {
    this.#options = options;
  }

  /** Begins with the layers that are here; failures are told to those who ask for the layers afterwards. */
  start(chain: Chain): void {
    for (const diffId of chain) {
      if (!this.#options.store.layers.has(diffId)) continue;
      this.compressed(diffId).catch(() => {});
      this.written(diffId).catch(() => {});
    }
  }

  /** The layer as the cache has it. Fails with LAYER_MISSING (not_found). */
  compressed(diffId: Digest): Promise<Descriptor> {
    return once(this.#compressed, diffId, async () => {
      const { store, settings, compressing, signal } = this.#options;
      using _turn = await compressing.enter(signal);
      const { compression: type, compressionLevel: level, forceCompression: force } = settings;
      return await layerForPush(store, diffId, { type, force, ...(level === undefined ? {} : { level }) }, signal);
    });
  }

  /** Resolves when the place has the layer. Fails with `compressed`'s codes and the writer's. */
  written(diffId: Digest): Promise<void> {
    return once(this.#written, diffId, async () => {
      const { writer, signal } = this.#options;
      const layer = await this.compressed(diffId);
      using _turn = await this.#writing.enter(signal);
      await writer.layer(layer, signal);
    });
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#compressed.values(), ...this.#written.values()]);
  }
}

/** What failed is tried anew by whoever asks next. */
function once<T>(known: Map<Digest, Promise<T>>, diffId: Digest, work: () => Promise<T>): Promise<T> {
  let running = known.get(diffId);
  if (running === undefined) {
    running = work();
    running.catch(() => known.delete(diffId));
    known.set(diffId, running);
  }
  return running;
}
