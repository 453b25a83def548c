/** Long work as a Task: a promise of the result, and its progress as an AsyncIterable that nobody has to read. */
import type { Task } from "./api.ts";

/** Events kept for a reader that is slower than the work; older log lines wait, nothing is dropped once somebody reads. */
interface Queue<Event> {
  readonly events: Event[];
  wake: (() => void) | undefined;
  reading: boolean;
  ended: boolean;
}

/**
 * Starts `work` at once. Events before the first read are kept, since reading usually begins in the same turn; when the
 * work ends without a reader they are let go.
 */
export function startTask<Result, Event>(work: (emit: (event: Event) => void) => Promise<Result>): Task<Result, Event> {
  const queue: Queue<Event> = { events: [], wake: undefined, reading: false, ended: false };
  const emit = (event: Event): void => {
    queue.events.push(event);
    queue.wake?.();
  };
  const result = (async () => {
    // Not in the caller's own turn: the caller gets the task before anything happens.
    await Promise.resolve();
    try {
      return await work(emit);
    } finally {
      queue.ended = true;
      if (!queue.reading) queue.events.length = 0;
      queue.wake?.();
    }
  })();
  // A caller that only iterates still learns of the failure by awaiting; one that never awaits must not crash the process.
  result.catch(() => {});
  return { result, [Symbol.asyncIterator]: () => read(queue) };
}

async function* read<Event>(queue: Queue<Event>): AsyncGenerator<Event> {
  queue.reading = true;
  for (;;) {
    const batch = queue.events.splice(0);
    yield* batch;
    if (queue.events.length > 0) continue;
    if (queue.ended) return;
    await new Promise<void>((resolve) => (queue.wake = resolve));
    queue.wake = undefined;
  }
}
