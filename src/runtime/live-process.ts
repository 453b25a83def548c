/** A process by its id and start time: ids are given again, and again to others. */
import { readFileSync } from "node:fs";
import { startTimeTicks } from "./death-watch.ts";

export interface ProcessName {
  readonly pid: number;
  /** field 22 of /proc/PID/stat */
  readonly startTimeTicks: string;
}

/** Names no process. */
export const noProcess: ProcessName = { pid: 0, startTimeTicks: "" };

export function thisProcess(): ProcessName {
  return { pid: process.pid, startTimeTicks: startTimeTicks(process.pid) ?? "" };
}

/**
 * Whether the process was told to write its id into this file. A file that is left of another boot, or of one that was killed, may name a process
 * that came later, even one of the same program. A zombie has no words any more.
 */
export function wroteItself(pid: number, pidFile: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(pidFile);
  } catch {
    return false;
  }
}

/** Whether the very process that was meant still runs (a zombie does not). */
export function isAlive({ pid, startTimeTicks: ticks }: ProcessName): boolean {
  if (pid === 0 || startTimeTicks(pid) !== ticks) return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
