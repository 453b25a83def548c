/** `top`: what ps says about a container's processes. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { notRunning, requireContainer } from "./container-errors.ts";
import { tellContainer } from "./container-events.ts";
import type { ContainerHost } from "./container-host.ts";
import { containerPids } from "./container-processes.ts";
import { containerState } from "./container-state.ts";
import { isUp } from "./container-status.ts";
import { requireProgram } from "./programs.ts";
import { runProgram } from "./run-program.ts";

export interface ProcessTable {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** `options`: of ps, -ef when there are none. CONTAINER_NOT_RUNNING, INVALID_PS_OPTIONS (invalid_argument), PROGRAM_MISSING. */
export async function topContainer(host: ContainerHost, nameOrId: string, options: readonly string[]): Promise<ProcessTable> {
  const record = requireContainer(host.records, nameOrId);
  if (!isUp(containerState(host, record))) throw notRunning(record);
  const ps = requireProgram("ps", "the list of a container's processes");
  const table = parsePs(await output(ps, options.length === 0 ? ["-ef"] : options), new Set(containerPids(record)));
  tellContainer(host, record, "top");
  return table;
}

async function output(ps: string, options: readonly string[]): Promise<string> {
  try {
    return await runProgram(ps, options);
  } catch (error) {
    const line = (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
    throw new SlipwayError("invalid_argument", "INVALID_PS_OPTIONS", printable(`ps: ${line}`), {}, error);
  }
}

/** Rows of these processes alone; what stands behind the last title's place is one cell. Fails with INVALID_PS_OPTIONS. Pure. */
export function parsePs(text: string, pids: ReadonlySet<number>): ProcessTable {
  const [first = "", ...lines] = text.split("\n");
  const titles = words(first);
  const at = titles.indexOf("PID");
  if (at < 0) throw new SlipwayError("invalid_argument", "INVALID_PS_OPTIONS", "Couldn't find PID field in ps output");
  const rows = lines.map(words).filter((row) => pids.has(Number(row[at])));
  return { titles, rows: rows.map((row) => [...row.slice(0, titles.length - 1), row.slice(titles.length - 1).join(" ")]) };
}

function words(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== "");
}
