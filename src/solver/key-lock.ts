/** One step is done by one process at a time: whoever comes second waits and then finds it in the cache. */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "../base/errors.ts";
import { flock } from "../store/syscalls.ts";

/** Few files for many keys: two steps that share one only wait for each other without need. */
const lockFiles = 4096;

/** Poll intervals in milliseconds: short first, because most waits are for a step that is nearly done. */
const firstWaitMs = 5;
const longestWaitMs = 100;

export type KeyLock = Disposable;

/** `key` ends in hex digits. Aborting ends the wait. */
export async function lockKey(locks: string, key: string, signal: AbortSignal | undefined): Promise<KeyLock> {
  const bucket = Number.parseInt(key.slice(-6), 16) % lockFiles;
  const fd = openSync(join(locks, `key-${bucket.toString(16).padStart(3, "0")}`), "a", 0o600);
  try {
    for (let wait = firstWaitMs; !tryLock(fd); wait = Math.min(wait * 2, longestWaitMs)) {
      await sleep(wait, undefined, signal === undefined ? {} : { signal });
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}

function tryLock(fd: number): boolean {
  try {
    flock(fd, "exclusive", { nonBlocking: true });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EAGAIN") return false;
    throw error;
  }
}
