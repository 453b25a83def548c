/**
 * What lies in `RUN --mount=type=cache`, as blobs beside a cache's layers: other builders do not look at them. Written when asked for,
 * unpacked where a mount is empty when a step begins.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { asSlipwayError, SlipwayError } from "../../../base/errors.ts";
import { mediaTypes, type Descriptor } from "../../../oci/manifest.ts";
import { cacheMountKey } from "../../../solver/exec-mounts.ts";
import type { NotedStep } from "../../../solver/cache-exchange/cache-exchange.ts";
import { mountAnnotation, type ImportedBlob } from "../../../solver/cache-exchange/imported-cache.ts";
import { lockKey } from "../../../solver/key-lock.ts";
import { treeSize, type Store } from "../../../store/index.ts";
import { packInTurns } from "../../../store/pack.ts";
import { createUnpacker } from "../../../store/unpack.ts";
import { decompressDetected } from "../../../tar/compression.ts";
import type { CacheMountChoice } from "./cache-api.ts";

/** Larger ones stay where they are: to carry them would cost more than it saves. */
const maxMountBytes = 2 ** 31;
const maxMountEntries = 1_000_000;

export interface MountExport {
  readonly store: Store;
  readonly steps: readonly NotedStep[];
  readonly signal: AbortSignal;
  /** what the caches that were read have of a mount */
  readonly imported: (id: string) => ImportedBlob | undefined;
  readonly onSkip: (message: string) => void;
}

interface UsedMount {
  readonly id: string;
  readonly key: string;
  readonly isShared: boolean;
}

/** One blob for each mount of the build's steps that is chosen and has something in it. */
export async function mountBlobs(input: MountExport, choice: CacheMountChoice): Promise<readonly Descriptor[]> {
  const descriptors: Descriptor[] = [];
  for (const mount of usedMounts(input.steps, choice)) {
    try {
      const blob = await mountBlob(input, mount);
      if (blob !== undefined) descriptors.push({ ...blob, annotations: { [mountAnnotation]: mount.id } });
    } catch (error) {
      input.signal.throwIfAborted();
      input.onSkip(`cache mount ${mount.id} is left out: ${asSlipwayError(error).message}`);
    }
  }
  return descriptors;
}

/** Mounts that begin with another step's files are that step's affair. */
function usedMounts(steps: readonly NotedStep[], choice: CacheMountChoice): readonly UsedMount[] {
  const used = new Map<string, UsedMount>();
  for (const { op } of steps.map(({ vertex }) => vertex)) {
    for (const mount of op.type === "exec" ? op.mounts : []) {
      if (mount.type !== "cache" || mount.input !== undefined) continue;
      if (choice !== "all" && !choice.includes(mount.id)) continue;
      used.set(mount.id, { id: mount.id, key: cacheMountKey(mount.id, undefined, mount.source), isShared: mount.sharing === "shared" });
    }
  }
  return [...used.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

async function mountBlob(input: MountExport, { id, key, isShared }: UsedMount): Promise<Descriptor | undefined> {
  const { store, signal } = input;
  using _lock = isShared ? undefined : await lockKey(store.layout.locks, key, signal);
  const directory = store.cacheMounts.all().find((record) => record.id === key)?.path;
  if (directory !== undefined && readdirSync(directory).length > 0) return await packMount(store, directory, signal);
  // Every step was a hit: what the cache had of the mount stays in it.
  const before = input.imported(id);
  return before === undefined ? undefined : await fetchBlob(store, before, signal);
}

async function packMount(store: Store, directory: string, signal: AbortSignal): Promise<Descriptor> {
  const sizeBytes = treeSize(directory);
  if (sizeBytes > maxMountBytes) throw new SlipwayError("resource_exhausted", "CACHE_MOUNT", `it has ${sizeBytes} bytes, more than ${maxMountBytes}`);
  // The tar goes through a file so that compressing costs disk and not memory.
  using tar = store.blobs.ingest();
  await packInTurns({ directory, overlay: false, owners: store.ownership.owners, onChunk: (bytes) => tar.write(bytes) }, signal);
  const { digest: plain } = tar.commit();
  using ingest = store.blobs.ingest();
  const write = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of chunks) ingest.write(chunk);
  };
  await pipeline(store.blobs.stream(plain), createGzip(), write, { signal });
  const { digest, size } = ingest.commit();
  return { mediaType: mediaTypes.ociLayerGzip, digest, size };
}

/** The bytes under their digest. Fails with DIGEST_MISMATCH, SIZE_MISMATCH (data_loss). */
export async function fetchBlob(store: Store, { descriptor, source }: ImportedBlob, signal: AbortSignal | undefined): Promise<Descriptor> {
  const { mediaType, digest, size } = descriptor;
  if (!store.blobs.has(digest)) {
    using ingest = store.blobs.ingest(digest);
    for await (const chunk of source.open(descriptor, signal)) {
      signal?.throwIfAborted();
      ingest.write(chunk);
      if (ingest.size > size) break;
    }
    ingest.commit({ digest, size });
  }
  return { mediaType, digest, size };
}

/** Fills the mount's directory, which is empty; what cannot be unpacked leaves it so. */
export async function restoreMount(store: Store, blob: ImportedBlob, directory: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    const { digest } = await fetchBlob(store, blob, signal);
    const { bytes } = await decompressDetected(store.blobs.stream(digest), { maxBytes: maxMountBytes * 2, ...(signal === undefined ? {} : { signal }) });
    const limits = { maxBytes: maxMountBytes, maxEntries: maxMountEntries };
    const unpacker = createUnpacker({ directory, whiteouts: "literal", owners: store.ownership.owners, limits });
    for await (const chunk of bytes) unpacker.push(chunk);
    unpacker.finish();
  } catch (error) {
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
    throw error;
  }
}
