/** The machine's processes, read from /proc: small systems have no ps and no pgrep. */
import { readdirSync, readFileSync } from "node:fs";

export interface Process {
  readonly pid: number;
  /** the command line with blanks between its words */
  readonly words: string;
  readonly uid: number;
}

/** All but this one. */
export function listProcesses(): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({
      pid: Number(name),
      words: readText(`/proc/${name}/cmdline`).replaceAll("\0", " ").trimEnd(),
      uid: Number(/^Uid:\t(\d+)/m.exec(readText(`/proc/${name}/status`))?.[1] ?? Number.NaN),
    }));
}

/** "" for what is gone already. */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
