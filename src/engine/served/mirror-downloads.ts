/** Blobs that come from another registry: kept while the first reader gets them, once for everybody who asks meanwhile. */
import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { ByteRange, DistributionStorage } from "../../distribution/index.ts";
import { SlipwayError } from "../../base/errors.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import type { Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";

export interface MirroredBlob {
  readonly repository: string;
  readonly reference: Reference;
  readonly descriptor: Descriptor;
}

export interface MirrorDownloads {
  /** The first reader gets the bytes as they come, others when all are here. Who leaves early ends nothing. */
  readonly read: (blob: MirroredBlob, range?: ByteRange) => AsyncIterable<Uint8Array>;
  readonly settled: () => Promise<void>;
}

export function createMirrorDownloads(storage: DistributionStorage, client: Pick<RegistryClient, "openBlob">): MirrorDownloads {
  const running = new Map<string, Promise<void>>();

  async function fetchBlob({ repository, reference, descriptor }: MirroredBlob, listener: PassThrough | undefined): Promise<void> {
    const id = await storage.createUpload(repository);
    try {
      await storage.appendUpload(repository, id, told(client.openBlob(reference, descriptor), listener));
    } catch (error) {
      await storage.cancelUpload(repository, id);
      throw error;
    }
    if (await storage.commitUpload(repository, id, descriptor.digest)) return;
    throw new SlipwayError("data_loss", "DIGEST_MISMATCH", `blob ${descriptor.digest} is damaged`, { digest: descriptor.digest });
  }

  function start(key: string, blob: MirroredBlob, listener?: PassThrough): Promise<void> {
    const work = fetchBlob(blob, listener).finally(() => running.delete(key));
    running.set(key, work);
    return work;
  }

  async function* read(blob: MirroredBlob, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const { repository, descriptor } = blob;
    const key = `${repository}@${descriptor.digest}`;
    const before = running.get(key);
    if (before !== undefined || range !== undefined) {
      await (before ?? start(key, blob));
      yield* storage.readBlob(repository, descriptor.digest, range);
      return;
    }
    const listener = new PassThrough({ highWaterMark: 1 << 20 });
    start(key, blob, listener).then(
      () => listener.end(),
      (error: unknown) => listener.destroy(error instanceof Error ? error : undefined),
    );
    yield* listener as AsyncIterable<Buffer>;
  }

  return { read, settled: async () => void (await Promise.allSettled(running.values())) };
}

/** The same bytes, and to the listener as well while there is one: it sets the pace. */
async function* told(bytes: AsyncIterable<Uint8Array>, listener: PassThrough | undefined): AsyncGenerator<Uint8Array> {
  // its reader hears of failures; without one nobody needs to
  listener?.on("error", () => undefined);
  for await (const chunk of bytes) {
    if (listener !== undefined && !listener.destroyed && !listener.write(chunk)) await roomOrEnd(listener);
    yield chunk;
  }
}

async function roomOrEnd(listener: PassThrough): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([once(listener, "drain", { signal: over.signal }), once(listener, "close", { signal: over.signal })]);
  } finally {
    over.abort();
  }
}
