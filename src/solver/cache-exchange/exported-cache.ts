/** The steps of a build as a cache document: records by their names, results by their layers, sorted so that equal builds make equal documents. */
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import type { Chain } from "../../store/index.ts";
import type { KeyNode } from "../buildkit-keys/key-node.ts";
import type { NotedStep } from "./cache-exchange.ts";

/** As BuildKit writes it. */
export interface CacheDocument {
  readonly layers: readonly { readonly blob: Digest; readonly parent?: number }[];
  readonly records: readonly RecordDocument[];
}

export interface RecordDocument {
  readonly layers?: readonly { readonly layer: number; readonly createdAt: string }[];
  readonly digest: Digest;
  readonly inputs?: readonly (readonly { readonly selector?: string; readonly link: number }[])[];
}

interface Link {
  readonly selector: string;
  readonly record: DraftRecord;
}

interface DraftRecord {
  readonly digest: Digest;
  readonly inputs: readonly (readonly Link[])[];
  result: { readonly layer: string; readonly createdMs: number } | undefined;
}

interface DraftLayer {
  readonly key: string;
  readonly blob: Digest;
  readonly parent: string | undefined;
}

/** `blobs`: of every layer that a kept result needs. Steps whose result is not kept are in it by their names. */
export function cacheDocument(steps: readonly NotedStep[], blobs: ReadonlyMap<Digest, Descriptor>): CacheDocument {
  const draft = new Draft();
  for (const { node, chain, createdMs } of steps) {
    const layer = chain === undefined ? undefined : draft.layer(chain, blobs);
    for (const record of draft.records(node)) if (layer !== undefined && node.inputs.length > 0) record.result ??= { layer, createdMs };
  }
  return draft.document();
}

/** Records whose results are layers of one image, counted by their place in it: what an image's config holds. */
export function inlineRecords(steps: readonly NotedStep[], image: Chain): readonly RecordDocument[] {
  const blobs = new Map(image.map((diffId) => [diffId, { mediaType: "", digest: diffId, size: 0 }]));
  const within = steps.map((step) => (isPrefix(step.chain, image) ? step : { ...step, chain: undefined }));
  const { layers, records } = cacheDocument(within, blobs);
  const depth = (index: number | undefined): number => (index === undefined || index < 0 ? 0 : depth(layers[index]?.parent ?? 0) + 1);
  return records.map((record) => ({
    ...record,
    ...(record.layers === undefined ? {} : { layers: record.layers.map((result) => ({ ...result, layer: depth(result.layer) - 1 })) }),
  }));
}

export function isPrefix(chain: Chain | undefined, whole: Chain): boolean {
  return chain !== undefined && chain.length > 0 && chain.every((diffId, index) => whole[index] === diffId);
}

class Draft {
  readonly #records = new Map<KeyNode, readonly DraftRecord[]>();
  /** a name without inputs is one record, whoever uses it */
  readonly #roots = new Map<Digest, DraftRecord>();
  readonly #layers = new Map<string, DraftLayer>();

  records(node: KeyNode): readonly DraftRecord[] {
    let records = this.#records.get(node);
    if (records === undefined) {
      const inputs = node.inputs.map((links) =>
        links.flatMap(({ selector, node: input }) => this.records(input).map((record): Link => ({ selector, record }))),
      );
      records = node.digests.map((digest) => (inputs.length === 0 ? this.#root(digest) : { digest, inputs, result: undefined }));
      this.#records.set(node, records);
    }
    return records;
  }

  #root(digest: Digest): DraftRecord {
    const record = this.#roots.get(digest) ?? { digest, inputs: [], result: undefined };
    this.#roots.set(digest, record);
    return record;
  }

  /** The key of the chain's top; undefined when a blob of it is not there. */
  layer(chain: Chain, blobs: ReadonlyMap<Digest, Descriptor>): string | undefined {
    let key: string | undefined;
    for (const diffId of chain) {
      const blob = blobs.get(diffId)?.digest;
      if (blob === undefined) return undefined;
      const parent = key;
      key = `${blob} ${parent ?? ""}`;
      if (!this.#layers.has(key)) this.#layers.set(key, { key, blob, parent });
    }
    return key;
  }

  document(): CacheDocument {
    const layers = [...this.#layers.values()].toSorted((a, b) => compare(a.key, b.key));
    const layerIndexes = new Map(layers.map(({ key }, index) => [key, index]));
    const records = [...new Set([...this.#records.values()].flat())].toSorted((a, b) => compare(a.digest, b.digest));
    const recordIndexes = new Map(records.map((record, index) => [record, index]));
    return {
      layers: layers.map(({ blob, parent }) => {
        const index = parent === undefined ? -1 : (layerIndexes.get(parent) ?? -1);
        return { blob, ...(index === 0 ? {} : { parent: index }) };
      }),
      records: records.map(({ digest, inputs, result }) => {
        const links = inputs.map((list) =>
          list
            .map(({ selector, record }) => ({ ...(selector === "" ? {} : { selector }), link: recordIndexes.get(record) ?? 0 }))
            .toSorted((a, b) => a.link - b.link),
        );
        const layer = result === undefined ? undefined : layerIndexes.get(result.layer);
        return {
          ...(layer === undefined ? {} : { layers: [{ layer, createdAt: new Date(result?.createdMs ?? 0).toISOString() }] }),
          digest,
          ...(links.length === 0 ? {} : { inputs: links }),
        };
      }),
    };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
