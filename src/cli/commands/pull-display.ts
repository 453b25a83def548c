/** A pull's lines: each status once on a pipe, one line a layer with a bar on a terminal. */
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { Task } from "../../engine/api.ts";
import type { PullEvent } from "../../engine/registry-api.ts";
import type { Output } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { formatSize } from "../units.ts";

export type TransferMode = "tty" | "plain" | "json" | "quiet";

/** `--quiet` and `--progress`; "rawjson" is what a build calls it. Fails with USAGE. */
export function transferMode(flags: ParsedFlags, output: Output): TransferMode {
  const word = flags.string("progress");
  if (flags.bool("quiet") || word === "quiet" || word === "none") return "quiet";
  if (word === "auto") return output.isTTY ? "tty" : "plain";
  if (word === "tty" || word === "plain") return word;
  if (word === "json" || word === "rawjson") return "json";
  throw cliError(`invalid progress mode ${word}`, "USAGE", { bare: true, exitCode: 1 });
}

export interface PullDisplay {
  push(event: PullEvent): void;
}

/** `[=====>     ]  1.2MB/3MB` as wide as the terminal lets it. */
export function formatBar(current: number, total: number, columns: number): string {
  const amounts = `${formatSize(current)}/${formatSize(total)}`;
  const width = columns > 110 ? 50 : Math.max(0, Math.min(50, columns - 60));
  if (width === 0) return amounts;
  const share = Math.min(1, total === 0 ? 1 : current / total);
  const done = Math.max(1, Math.floor(share * width));
  const bar = share >= 1 ? "=".repeat(width) : `${"=".repeat(done - 1)}>${" ".repeat(width - done)}`;
  return `[${bar}]  ${amounts}`;
}

function createLines(output: Output): PullDisplay {
  const seen = new Set<string>();
  return {
    push: ({ id, status, current }) => {
      const line = printable(id === undefined ? status : `${id}: ${status}`);
      if (current !== undefined && seen.has(line)) return;
      // the moving states (Downloading, Extracting, Pushing) are for terminals
      if (current !== undefined && /^(?:Downloading|Extracting|Compressing|Pushing)/.test(status)) return;
      seen.add(line);
      output.write(`${line}\n`);
    },
  };
}

function createBars(output: Output): PullDisplay {
  const rows = new Map<string, number>();
  let below = 0;
  return {
    push: ({ id, status, current, total }) => {
      if (id === undefined) {
        output.write(`${printable(status)}\n`);
        below++;
        return;
      }
      const bar = current !== undefined && total !== undefined && total > 0 ? formatBar(current, total, output.columns) : "";
      const line = `${printable(`${id}: ${status}`)} ${bar}`;
      const row = rows.get(id);
      if (row === undefined) {
        rows.set(id, below++);
        output.write(`${line}\n`);
        return;
      }
      const up = below - row;
      output.write(`\u001b[${up}A\u001b[2K\r${line}\u001b[${up}B\r`);
    },
  };
}

/** The objects of the Docker Engine API's streams, one a line. */
function createObjects(output: Output): PullDisplay {
  return {
    push: ({ id, status, current, total }) => {
      const detail = current === undefined || total === undefined || total === 0 ? {} : { current, total };
      output.write(`${JSON.stringify({ status, ...(id === undefined ? {} : { progressDetail: detail, id }) })}\n`);
    },
  };
}

export function createPullDisplay(output: Output, mode: TransferMode = output.isTTY ? "tty" : "plain"): PullDisplay {
  switch (mode) {
    case "tty":
      return createBars(output);
    case "plain":
      return createLines(output);
    case "json":
      return createObjects(output);
    case "quiet":
      return { push: () => undefined };
  }
}

/** Shows a task's events and answers its result; with "json" a failure is an object too, before it is thrown. */
export async function showTransfer<Result>(
  output: Output,
  mode: TransferMode,
  task: Task<Result, PullEvent>,
  onEvent?: (event: PullEvent) => void,
): Promise<Result> {
  // a failure is thrown by the result, after the lines before it are shown
  task.result.catch(() => undefined);
  const display = createPullDisplay(output, mode);
  if (mode !== "quiet") {
    for await (const event of task) {
      onEvent?.(event);
      display.push(event);
    }
  }
  try {
    return await task.result;
  } catch (error) {
    if (mode === "json" && error instanceof SlipwayError) {
      const { code, message } = error;
      output.write(`${JSON.stringify({ errorDetail: { message, code }, error: message })}\n`);
    }
    throw error;
  }
}
