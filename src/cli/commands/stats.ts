/** `stats`: what containers use, as a table that is written anew each second, or once. */
import type { ContainerStats } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { renderRows, type RowType } from "../render.ts";
import { formatBinarySize, formatSize } from "../units.ts";
import { shownId } from "./image-rows.ts";

interface Row extends ContainerStats {
  /** as it was asked for */
  readonly asked: string;
}

function rowType(noTrunc: boolean): RowType<Row> {
  const percent = (value: number): string => `${value.toFixed(2)}%`;
  const pair = (first: number, second: number): string => `${formatSize(first, 3)} / ${formatSize(second, 3)}`;
  return {
    typeName: "*container.statsContext",
    errorPrefix: "failed to execute template: ",
    fields: {
      BlockIO: (row) => pair(row.readBytes, row.writtenBytes),
      CPUPerc: (row) => percent(row.cpuPercent),
      Container: (row) => row.asked,
      ID: (row) => shownId(row.id, noTrunc),
      MemPerc: (row) => percent(row.memoryLimitBytes === 0 ? 0 : (row.memoryBytes / row.memoryLimitBytes) * 100),
      MemUsage: (row) => `${formatBinarySize(row.memoryBytes)} / ${formatBinarySize(row.memoryLimitBytes)}`,
      Name: (row) => row.name,
      NetIO: (row) => pair(row.receivedBytes, row.sentBytes),
      PIDs: (row) => String(row.processes),
    },
    headings: {
      ID: "CONTAINER ID",
      CPUPerc: "CPU %",
      MemUsage: "MEM USAGE / LIMIT",
      MemPerc: "MEM %",
      NetIO: "NET I/O",
      BlockIO: "BLOCK I/O",
    },
  };
}

const table = "{{.ID}}\\t{{.Name}}\\t{{.CPUPerc}}\\t{{.MemUsage}}\\t{{.MemPerc}}\\t{{.NetIO}}\\t{{.BlockIO}}\\t{{.PIDs}}";

export const runStats: Handler = async (cli, { flags, args }) => {
  const { containers } = await cli.open();
  const once = flags.bool("no-stream");
  for await (const looks of containers.stats(args, { all: flags.bool("all"), once, signal: cli.signal })) {
    const rows = looks.map((look, index): Row => ({ ...look, asked: args[index] ?? look.id.slice(0, 12) }));
    const text = renderRows(rows, rowType(flags.bool("no-trunc")), { format: flags.string("format"), table });
    // home, each line with what was behind it erased, and what was below
    cli.stdout.write(once ? text : `\u001B[H${text.replaceAll("\n", "\u001B[K\n")}\u001B[J`);
  }
  return 0;
};
