/** Brings an image into the store: manifest and config verified, layers as the blobs they come in, unpacked when somebody needs them. */
import { createHash } from "node:crypto";
import { SlipwayError } from "../base/errors.ts";
import { digestFromHex, type Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import { formatReference, repositoryName, type Reference } from "../oci/reference.ts";
import type { RegistryClient, SourceImage } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import { decompressDetected } from "../tar/compression.ts";
import { LayerMeter } from "./layer-meter.ts";

export interface PulledImage {
  readonly id: Digest;
  /** what the reference named: index or manifest */
  readonly rootDigest: Digest;
  /** the image was here already, unchanged */
  readonly upToDate: boolean;
}

export interface LayerProgress {
  readonly layer: Descriptor;
  readonly phase: "exists" | "waiting" | "downloading" | "verifying" | "done";
  readonly current: number;
  readonly total: number;
}

export interface PullOptions {
  readonly store: Store;
  readonly client: RegistryClient;
  readonly reference: Reference;
  readonly platform: Platform;
  readonly signal?: AbortSignal;
  readonly onManifest?: (source: SourceImage) => void;
  readonly onLayer?: (progress: LayerProgress) => void;
  /** also give the image the reference's name */
  readonly tag: boolean;
}

/** Failures are the registry client's, plus DIFF_ID_MISMATCH (data_loss). What was downloaded before a failure stays for the next try. */
export async function pullImage(options: PullOptions): Promise<PulledImage> {
  const { store, client, reference, platform, signal } = options;
  const { resolveImage } = await import("../registry/index.ts");
  const source = await resolveImage(client, reference, platform, signal === undefined ? {} : { signal });
  options.onManifest?.(source);
  const chain = source.config.rootfs.diff_ids ?? [];
  const layers = source.manifest.layers;
  if (chain.length !== layers.length) {
    throw new SlipwayError("data_loss", "INVALID_MANIFEST", `the manifest has ${layers.length} layers, its config ${chain.length}`, {
      layers: layers.length,
      diffIds: chain.length,
    });
  }
  await Promise.all(layers.map((layer, index) => fetchLayer(options, layer, chain[index] as Digest)));
  return store.transaction(() => {
    const documents = [...source.indexes.map(({ bytes }) => bytes), source.manifestBytes].map((bytes) => store.blobs.put(bytes).digest);
    const known = store.images.get(source.manifest.config.digest) !== undefined;
    const name = formatReference(reference);
    const before = reference.tag === undefined ? undefined : store.images.byName(name);
    const id = store.images.commit(
      { config: source.configBytes, chain, manifest: source.manifestDescriptor.digest, blobs: documents },
      options.tag && reference.tag !== undefined && reference.digest === undefined ? [name] : [],
    );
    store.images.addRepoDigest(repositoryName(reference), source.root.descriptor.digest, id);
    return { id, rootDigest: source.root.descriptor.digest, upToDate: known && (before === undefined ? reference.tag === undefined : before === id) };
  });
}

async function fetchLayer(options: PullOptions, layer: Descriptor, diffId: Digest): Promise<void> {
  const { store, onLayer } = options;
  const report = (phase: LayerProgress["phase"], current: number): void => onLayer?.({ layer, phase, current, total: layer.size });
  if (store.layers.has(diffId)) {
    store.layers.hold([diffId]);
    report("exists", layer.size);
    return;
  }
  if (!store.blobs.has(layer.digest)) {
    report("waiting", 0);
    using ingest = store.blobs.ingest(layer.digest);
    for await (const chunk of options.client.openBlob(options.reference, layer, options.signal === undefined ? {} : { signal: options.signal })) {
      ingest.write(chunk);
      report("downloading", ingest.size);
    }
    ingest.commit({ digest: layer.digest, size: layer.size });
  }
  report("verifying", layer.size);
  const sizeBytes = await verifyLayer(store, layer, diffId, options.signal);
  store.layers.addBlob(diffId, layer, sizeBytes);
  report("done", layer.size);
}

/**
 * One pass over the layer's archive: its digest is the config's diffID and its names are harmless. Answers the bytes of its files.
 */
export async function verifyLayer(store: Store, layer: Pick<Descriptor, "digest">, diffId: Digest, signal?: AbortSignal): Promise<number> {
  const hash = createHash("sha256");
  const meter = new LayerMeter();
  const { bytes } = await decompressDetected(store.blobs.stream(layer.digest), { maxBytes: 2 ** 40, ...(signal === undefined ? {} : { signal }) });
  for await (const chunk of bytes) {
    hash.update(chunk);
    meter.push(chunk);
  }
  const got = digestFromHex(hash.digest("hex"));
  if (got !== diffId)
    throw new SlipwayError("data_loss", "DIFF_ID_MISMATCH", `layer ${layer.digest}: unpacks to ${got}, the config says ${diffId}`, {
      expected: diffId,
      actual: got,
    });
  return meter.finish();
}
