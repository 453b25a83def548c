/**
 * Who may touch a container's run: launching, clearing away and removing exclude each other, in all processes. And who still reads what a
 * container left: a monitor that removes (--rm) lets them finish. Both are locks of files, which the kernel takes from the dead.
 */
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { flock } from "../store/syscalls.ts";

/** Poll intervals: a launch takes about 100 ms, most waits are shorter. */
const firstWaitMs = 2;
const longestWaitMs = 50;

/** Longer than a launch ever takes, its own deadlines included. */
const patienceMs = 120_000;

/** `directory`: the container's own. A directory that is gone holds nothing to protect. CONTAINER_BUSY (unavailable) after two minutes. */
export async function withContainerLock<Result>(directory: string, act: () => Promise<Result>): Promise<Result> {
  const fd = openLock(`${directory}/lock`);
  if (fd === undefined) return await act();
  try {
    if (!(await obtain(fd, patienceMs))) {
      throw new SlipwayError("unavailable", "CONTAINER_BUSY", `another process has been changing the container for ${patienceMs / 1000} s`, { directory });
    }
    heldHere.add(directory);
    return await act().finally(() => heldHere.delete(directory));
  } finally {
    closeSync(fd);
  }
}

/** Directories whose lock this process has. */
const heldHere = new Set<string>();

/** For what is done at once. Undefined when another process has the lock; also got when this process has it already. */
export function tryContainerLock(directory: string): Disposable | undefined {
  if (heldHere.has(directory)) return { [Symbol.dispose]: () => undefined };
  const fd = openLock(`${directory}/lock`);
  const close = (): void => (fd === undefined ? undefined : closeSync(fd));
  if (fd === undefined || tryLock(fd, "exclusive")) return { [Symbol.dispose]: close };
  close();
  return undefined;
}

/** The same for a caller that says when it ends. CONTAINER_BUSY (unavailable) after two minutes. */
export async function holdContainer(directory: string): Promise<Disposable> {
  closeSync(openSync(`${directory}/lock`, "a", 0o600));
  return await holdFile(`${directory}/lock`, "exclusive", patienceMs);
}

/** A lock on a file or directory that is there, shared or not. CONTAINER_BUSY (unavailable) after the time. */
export async function holdFile(path: string, kind: "exclusive" | "shared", timeoutMs: number): Promise<Disposable> {
  const fd = openSync(path, "r");
  if (await obtain(fd, timeoutMs, kind)) return { [Symbol.dispose]: () => closeSync(fd) };
  closeSync(fd);
  throw new SlipwayError("unavailable", "CONTAINER_BUSY", `another process has held ${path} for ${timeoutMs / 1000} s`, { path });
}

/** As long as it is held, waitForReaders() of other processes waits. */
export function holdAsReader(directory: string): Disposable {
  const fd = openLock(readersFile(directory));
  if (fd !== undefined) tryLock(fd, "shared");
  return { [Symbol.dispose]: () => (fd === undefined ? undefined : closeSync(fd)) };
}

/** Resolves when nobody reads any more (true), or after the time (false): a reader may be stopped. */
export async function waitForReaders(directory: string, timeoutMs: number): Promise<boolean> {
  const fd = openLock(readersFile(directory));
  if (fd === undefined) return true;
  try {
    return await obtain(fd, timeoutMs);
  } finally {
    closeSync(fd);
  }
}

function readersFile(directory: string): string {
  return `${directory}/readers`;
}

function openLock(path: string): number | undefined {
  try {
    return openSync(path, "a", 0o600);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function obtain(fd: number, timeoutMs: number, kind: "exclusive" | "shared" = "exclusive"): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  for (let waitMs = firstWaitMs; !tryLock(fd, kind); waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    if (performance.now() > deadlineMs) return false;
    await sleep(waitMs);
  }
  return true;
}

function tryLock(fd: number, kind: "exclusive" | "shared"): boolean {
  try {
    flock(fd, kind, { nonBlocking: true });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EAGAIN") return false;
    throw error;
  }
}
