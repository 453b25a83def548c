/**
 * One writer of a file at a time, by a file beside it that names its holder: process, start and where the number means it. A holder
 * that is gone holds nothing; one that another machine or container has is believed for half a minute.
 */
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { SlipwayError, errnoOf } from "../base/errors.ts";

const foreignStaleMs = 30_000;

function textOr(read: () => string, otherwise: string): string {
  try {
    return read().trim();
  } catch {
    return otherwise;
  }
}

/** In clock ticks since the machine started; "" where there is no such process. */
function startOf(pid: string): string {
  const stat = textOr(() => readFileSync(`/proc/${pid}/stat`, "latin1"), "");
  // behind the program's name, which may hold blanks and parentheses
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

/** Where a process number means a process: this boot of this machine, this namespace. */
function world(): string {
  const boot = textOr(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"), "unknown");
  return `${boot}/${textOr(() => readlinkSync("/proc/self/ns/pid"), "unknown")}`;
}

function isGone(lock: string, holder: string): boolean {
  const [pid = "", start, where] = holder.split(" ");
  if (/^\d+$/.test(pid) && where === world()) return startOf(pid) !== start;
  const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  return age > foreignStaleMs;
}

/** Takes the lock away from a holder that is gone; who came between gets it back. */
function removeStale(lock: string, holder: string): void {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (textOr(() => readFileSync(aside, "utf8"), "") !== holder) linkSync(aside, lock);
  } catch {
    // somebody else was first
  }
  rmSync(aside, { force: true });
}

/** Errors of file systems that know no hard links. */
const withoutLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** The lock appears with its holder's name in it; on a file system without hard links the name follows at once. */
function create(lock: string, holder: string): void {
  const draft = `${lock}.${process.pid}.new`;
  writeFileSync(draft, holder, { mode: 0o600 });
  try {
    linkSync(draft, lock);
  } catch (error) {
    if (!withoutLinks.has(errnoOf(error) ?? "")) throw error;
    writeFileSync(lock, holder, { mode: 0o600, flag: "wx" });
  } finally {
    rmSync(draft, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    create(lock, `${process.pid} ${startOf(String(process.pid))} ${world()}\n`);
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    return false;
  }
}

/** Runs `body`, which must not wait, while this process alone may write the file. Fails with CREDENTIAL_FILE (unavailable) after `waitMs`. */
export function withFileLock<T>(path: string, waitMs: number, body: () => T): T {
  const lock = `${path}.lock`;
  const end = Date.now() + waitMs;
  while (!take(lock)) {
    const holder = textOr(() => readFileSync(lock, "utf8"), "");
    if (isGone(lock, holder)) removeStale(lock, holder);
    else if (Date.now() > end) throw new SlipwayError("unavailable", "CREDENTIAL_FILE", `${lock} is held by process ${holder.split(" ")[0]}`, { path: lock });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  try {
    return body();
  } finally {
    rmSync(lock, { force: true });
  }
}
