/** A cache from elsewhere, asked for steps: a step is in it when its digest is, on inputs that are. */
import type { Digest } from "../../oci/digest.ts";
import { isDigest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import type { KeyNode } from "../buildkit-keys/key-node.ts";
import type { CacheConfig, CacheConfigRecord, CacheResult } from "./cache-config.ts";

/** Where a blob of the cache can be read. */
export interface BlobSource {
  readonly open: (descriptor: Descriptor, signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>;
}

/** The id of the cache mount that a blob holds. */
export const mountAnnotation = "dev.slipway.cache-mount";

export interface ImportedBlob {
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
}

export interface ImportedLayer {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
}

export interface ImportedResult {
  /** bottom first, base images' layers included */
  readonly layers: readonly ImportedLayer[];
  readonly createdMs: number;
}

const uncompressed = "containerd.io/uncompressed";

export class ImportedCache {
  readonly #config: CacheConfig;
  readonly #layers: readonly (ImportedLayer | undefined)[];
  readonly #byDigest = new Map<Digest, number[]>();
  readonly #mounts: ReadonlyMap<string, ImportedBlob>;
  readonly #matches = new WeakMap<KeyNode, ReadonlySet<number>>();

  /** `descriptors`: the manifest's, which say how large a blob is and what it unpacks to. */
  constructor(config: CacheConfig, descriptors: readonly Descriptor[], source: BlobSource) {
    this.#config = config;
    const byDigest = new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor]));
    this.#mounts = new Map(descriptors.flatMap((descriptor) => mountOf(descriptor, source)));
    this.#layers = config.layers.map(({ blob }) => layerOf(byDigest.get(blob), source));
    for (const [index, { digest }] of config.records.entries()) {
      const known = this.#byDigest.get(digest);
      if (known === undefined) this.#byDigest.set(digest, [index]);
      else known.push(index);
    }
  }

  /** What lay in a cache mount. */
  mount(id: string): ImportedBlob | undefined {
    return this.#mounts.get(id);
  }

  /** Its results, the newest first. */
  find(node: KeyNode): readonly ImportedResult[] {
    const results = [...this.#match(node)].flatMap((index) => this.#config.records[index]?.results ?? []);
    return results.toSorted((a, b) => b.createdMs - a.createdMs).flatMap((result) => this.#resultOf(result) ?? []);
  }

  #match(node: KeyNode): ReadonlySet<number> {
    let matches = this.#matches.get(node);
    if (matches === undefined) {
      const candidates = node.digests.flatMap((digest) => this.#byDigest.get(digest) ?? []);
      matches = new Set(candidates.filter((index) => this.#fits(node, this.#config.records[index])));
      this.#matches.set(node, matches);
    }
    return matches;
  }

  #fits(node: KeyNode, record: CacheConfigRecord | undefined): boolean {
    if (record?.inputs.length !== node.inputs.length) return false;
    return node.inputs.every((links, at) =>
      links.some(({ selector, node: input }) => {
        const matches = this.#match(input);
        return matches.size > 0 && record.inputs[at]?.some((known) => known.selector === selector && matches.has(known.link));
      }),
    );
  }

  #resultOf({ layers, createdMs }: CacheResult): ImportedResult | undefined {
    const chain = layers.flatMap((index) => this.#layers[index] ?? []);
    return chain.length === layers.length && chain.length > 0 ? { layers: chain, createdMs } : undefined;
  }
}

function mountOf(descriptor: Descriptor, source: BlobSource): readonly (readonly [string, ImportedBlob])[] {
  const id = descriptor.annotations?.[mountAnnotation];
  return id === undefined ? [] : [[id, { descriptor, source }]];
}

/** undefined: nobody can tell what the blob unpacks to. */
function layerOf(descriptor: Descriptor | undefined, source: BlobSource): ImportedLayer | undefined {
  const diffId = descriptor?.annotations?.[uncompressed];
  return descriptor === undefined || diffId === undefined || !isDigest(diffId) ? undefined : { diffId, descriptor, source };
}
