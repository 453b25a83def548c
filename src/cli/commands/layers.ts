/** `layers`: what each layer of an image does, and what is wasted. */
import { printable } from "../../base/printable.ts";
import type { LayerChange, LayerReport, LayersReport } from "../../engine/api.ts";
import { cliError } from "../failure.ts";
import { canBrowse, runBrowser } from "../browser/run-browser.ts";
import type { Cli } from "../cli.ts";
import type { Handler, Invocation } from "../command.ts";
import { formatJsonLine } from "../json.ts";
import { alignColumns } from "../table.ts";
import { filterReport, parseLayerFilter } from "./layers-filter.ts";
import { layerSize as size, layerTitle, percent, summaryLine } from "./layers-text.ts";
import { platformOption } from "./platform-flag.ts";

const instructionWidth = 60;
const letters: Readonly<Record<LayerChange["kind"], string>> = { added: "A", changed: "C", removed: "D" };

function layerTable(layers: readonly LayerReport[]): string {
  const rows = layers.map((layer) => {
    const { index, sizeBytes, added, changed, removed, wastedBytes } = layer;
    return `${index + 1}\t${size(sizeBytes)}\t${added}\t${changed}\t${removed}\t${size(wastedBytes)}\t${layerTitle(layer, instructionWidth)}\n`;
  });
  return alignColumns(`LAYER\tSIZE\tADDED\tCHANGED\tREMOVED\tWASTED\tMADE BY\n${rows.join("")}`, { minWidth: 0, padding: 3 });
}

function fileList({ index, changes }: LayerReport): string {
  const sizes = changes.map(({ kind, sizeBytes, beforeBytes }) => (kind === "removed" ? `-${size(beforeBytes)}` : size(sizeBytes)));
  const width = Math.max(0, ...sizes.map((text) => text.length));
  const lines = changes.map(
    ({ kind, path, type }, at) => `${letters[kind]} ${sizes[at]!.padStart(width)} ${printable(path)}${type === "directory" ? "/" : ""}\n`,
  );
  return `\nLayer ${index + 1}:\n${lines.join("")}`;
}

function wastedTables(report: LayersReport, all: readonly LayerReport[], limit: number): string {
  const { wasted, wastedBetween } = report;
  if (wasted.length === 0) return "";
  const files = wasted.slice(0, limit).map(({ path, wastedBytes, copies }) => {
    const last = copies.at(-1)!;
    return `${size(wastedBytes)}\t${copies.length}\t${last.how} by layer ${last.hiddenBy + 1}\t${printable(path)}\n`;
  });
  const more = wasted.length > limit ? `… and ${wasted.length - limit} more\n` : "";
  const between = wastedBetween.map(({ layer, hiddenBy, files: count, wastedBytes }) => {
    const title = (index: number): string => layerTitle(all[index]!, instructionWidth / 2);
    return `${size(wastedBytes)}\t${count}\t${layer + 1}  ${title(layer)}\t${hiddenBy + 1}  ${title(hiddenBy)}\n`;
  });
  const narrow = { minWidth: 0, padding: 3 };
  return (
    `\n${alignColumns(`WASTED\tCOPIES\tHOW\tFILE\n${files.join("")}`, narrow)}${more}` +
    `\n${alignColumns(`WASTED\tFILES\tIN LAYER\tHIDDEN BY LAYER\n${between.join("")}`, narrow)}`
  );
}

interface Bounds {
  readonly efficiency: number;
  readonly wastedBytes: number;
}

function boundsFrom({ flags }: Invocation): Bounds {
  const text = flags.string("lowest-efficiency");
  const efficiency = text === "" ? 0 : Number(text);
  if (!(efficiency >= 0 && efficiency <= 1)) throw cliError(`--lowest-efficiency is a number from 0 to 1, and not ${JSON.stringify(text)}`);
  return { efficiency, wastedBytes: flags.bytes("highest-wasted") ?? Infinity };
}

/** Answers the exit code. */
function judge(cli: Cli, { efficiency, wastedBytes }: LayersReport, bounds: Bounds): number {
  const complaints = [
    ...(efficiency < bounds.efficiency ? [`efficiency ${percent(efficiency)} is below ${percent(bounds.efficiency)}`] : []),
    ...(wastedBytes > bounds.wastedBytes ? [`${size(wastedBytes)} are wasted, more than ${size(bounds.wastedBytes)}`] : []),
  ];
  for (const complaint of complaints) cli.stderr.write(`${complaint}\n`);
  return complaints.length === 0 ? 0 : 1;
}

export const runLayers: Handler = async (cli, invocation) => {
  const { flags, args } = invocation;
  const format = flags.string("format");
  if (!["", "table", "json"].includes(format)) throw cliError(`invalid --format ${JSON.stringify(format)}: want table or json`);
  const filter = parseLayerFilter(flags.list("filter"));
  const bounds = boundsFrom(invocation);
  const given = flags.number("limit") ?? 10;
  const engine = await cli.open();
  const whole = await engine.transfer.layers(args[0]!, { cwd: cli.cwd, env: cli.env, signal: cli.signal, ...platformOption(flags) });
  const report = filterReport(whole, filter);
  const browses = format === "" && !flags.bool("files") && canBrowse(cli);
  if (browses) await runBrowser(cli, report);
  else if (format === "json") cli.stdout.write(`${formatJsonLine(report)}\n`);
  else {
    const files = flags.bool("files") ? report.layers.map(fileList).join("") : "";
    cli.stdout.write(layerTable(report.layers) + files + wastedTables(report, whole.layers, given === 0 ? Infinity : given) + `\n${summaryLine(whole)}`);
  }
  return judge(cli, whole, bounds);
};
