/** Archives from asynchronous sources, entry by entry. */
import type { TarEntry } from "./entry.ts";
import { TarReader, type TarLimits, type TarSink } from "./reader.ts";

export interface TarMember {
  readonly entry: TarEntry;
  /** Read it before the next member is asked for, or not at all: what is left is skipped. Slices are valid until the next one. */
  readonly content: AsyncIterable<Buffer>;
}

type Event = { readonly type: "entry"; readonly entry: TarEntry } | { readonly type: "data"; readonly bytes: Buffer } | { readonly type: "end" };

const zeros = Buffer.alloc(65_536);

/**
 * Members in the archive's order, one at a time; the source is read as far as they are. Holes of sparse files come as zeros.
 * Fails with TAR_CORRUPT, TAR_TRUNCATED (data_loss) or TAR_UNSUPPORTED_TYPE (unsupported).
 */
export async function* readTarMembers(source: AsyncIterable<Uint8Array>, limits?: Partial<TarLimits>): AsyncGenerator<TarMember> {
  const events = readEvents(source, limits);
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) return;
      if (next.value.type !== "entry") continue;
      yield { entry: next.value.entry, content: contentOf(events) };
    }
  } finally {
    await events.return(undefined);
  }
}

async function* contentOf(events: AsyncGenerator<Event, undefined>): AsyncGenerator<Buffer> {
  for (;;) {
    const next = await events.next();
    if (next.done || next.value.type !== "data") return;
    yield next.value.bytes;
  }
}

async function* readEvents(source: AsyncIterable<Uint8Array>, limits?: Partial<TarLimits>): AsyncGenerator<Event, undefined> {
  let queue: (Event | { readonly type: "hole"; readonly length: number })[] = [];
  const sink: TarSink = {
    entry: (entry) => queue.push({ type: "entry", entry }),
    data: (bytes) => queue.push({ type: "data", bytes }),
    hole: (length) => queue.push({ type: "hole", length }),
    entryEnd: () => queue.push({ type: "end" }),
  };
  const reader = new TarReader(sink, limits);
  for await (const chunk of source) {
    reader.push(chunk);
    const ready = queue;
    queue = [];
    for (const event of ready) {
      if (event.type === "hole") yield* zerosOf(event.length);
      else yield event;
    }
  }
  reader.finish();
  return undefined;
}

function* zerosOf(length: number): Generator<Event> {
  for (let rest = length; rest > 0; rest -= zeros.length) yield { type: "data", bytes: zeros.subarray(0, rest) };
}
