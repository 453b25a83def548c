/** `top`: the processes of a container, in ps's columns. */
import { printable } from "../../base/printable.ts";
import type { Handler } from "../command.ts";
import { alignColumns } from "../table.ts";

export const runTop: Handler = async (cli, { args }) => {
  const [name = "", ...options] = args;
  const { containers } = await cli.open();
  const { titles, rows } = await containers.top(name, options);
  const text = [titles, ...rows].map((row) => `${row.map((cell) => printable(cell).replaceAll("\t", " ")).join("\t")}\n`).join("");
  cli.stdout.write(alignColumns(text, { minWidth: 20, padding: 3 }));
  return 0;
};
