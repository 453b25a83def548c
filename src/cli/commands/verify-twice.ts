/** `verify --twice`: each file and field that a second build made differently, with the line that brought it. */
import { printable } from "../../base/printable.ts";
import type { FieldDifference, LayerDifference, TwiceResult } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Invocation } from "../command.ts";
import { formatJsonLine } from "../json.ts";
import { chooseMode } from "../progress/create-renderer.ts";
import { samenessFrom, stepOptionsFrom } from "./build-options.ts";
import { showTask } from "./show-task.ts";

function fieldText({ field, first, second }: FieldDifference): string {
  return `${field} ${first} → ${second}`;
}

function layerText({ layer, lines, instruction, files, more }: LayerDifference): string {
  const place = lines === undefined ? "of the base" : `Dockerfile:${lines.start} ${instruction ?? ""}`;
  const paths = files.map(({ path, fields }) => `  ${path}\n${fields.map((field) => `    ${fieldText(field)}\n`).join("")}`);
  return `layer ${layer}, ${place}\n${paths.join("")}${more === 0 ? "" : `  and ${more} more files\n`}`;
}

/** What `--reproducible` would have settled. */
function isSettled({ field }: FieldDifference): boolean {
  return field === "mtime" || field === "mode" || /(?:^|\.)created$/.test(field);
}

function textOf({ first, second, isSame, layers, config }: TwiceResult, reproducible: boolean): string {
  if (isSame) return `${first}: the same image twice\n`;
  const fields = config.map((field) => `  ${fieldText(field)}\n`);
  const configText = fields.length === 0 ? "" : `config\n${fields.join("")}`;
  const all = [...layers.flatMap(({ files }) => files.flatMap((file) => file.fields)), ...config];
  const hint =
    !reproducible && all.some(isSettled)
      ? "Files that are not as a commit has them bring their times and modes along: --reproducible gives all of them the commit's.\n"
      : "";
  return `${layers.map(layerText).join("")}${configText}${hint}two images: ${first} and ${second}\n`;
}

/** 0 where both builds made one image, 1 where they made two. */
export async function runVerifyTwice(cli: Cli, invocation: Invocation, form: "text" | "json"): Promise<number> {
  const { flags } = invocation;
  const quiet = flags.bool("quiet");
  const options = { ...(await stepOptionsFrom(cli, invocation)), ...samenessFrom(cli, flags) };
  const mode = chooseMode(flags.string("progress"), quiet, cli);
  const engine = await cli.open();
  const result = await showTask(cli, engine.buildTwice(options), { mode, expandWarnings: false });
  if (form === "json") cli.stdout.write(`${formatJsonLine(result)}\n`);
  else if (!quiet) cli.stdout.write(printable(textOf(result, options.reproducible === true)));
  return result.isSame ? 0 : 1;
}
