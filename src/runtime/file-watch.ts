/** Waits for a file to change without asking again and again. */
import { watch, type FSWatcher } from "node:fs";
import { dirname } from "node:path";

export interface FileWatch {
  /** Resolves when something happened since the last call, or after `quietMs` at the latest (some file systems tell nothing). */
  changed(): Promise<void>;
  close(): void;
}

const quietMs = 500;

/** The file need not exist yet: its directory is watched. An abort wakes the waiter. */
export function watchFile(path: string, signal?: AbortSignal): FileWatch {
  let pending = false;
  let wake: () => void = () => undefined;
  const notify = (): void => {
    pending = true;
    wake();
  };
  const watcher = openWatcher(dirname(path), notify);
  signal?.addEventListener("abort", notify);
  return {
    changed: async () => {
      if (!pending) await sleepUntil((resolve) => (wake = resolve));
      pending = false;
    },
    close: () => {
      watcher?.close();
      signal?.removeEventListener("abort", notify);
    },
  };
}

function sleepUntil(register: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, quietMs);
    register(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function openWatcher(directory: string, notify: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, notify);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    // out of inotify watches: the quiet time is then the rhythm
    return undefined;
  }
}
