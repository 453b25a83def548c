/** A pull's lines: each status once on a pipe, one line a layer with a bar on a terminal. */
import { printable } from "../../base/printable.ts";
import type { PullEvent } from "../../engine/registry-api.ts";
import type { Output } from "../cli.ts";
import { formatSize } from "../units.ts";

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
      if (current !== undefined && /^(?:Downloading|Extracting|Waiting|Compressing|Pushing)/.test(status)) return;
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

export function createPullDisplay(output: Output): PullDisplay {
  return output.isTTY ? createBars(output) : createLines(output);
}
