/** `info`: the store and the machine, as Docker's fields and the engine's own. */
import { printable } from "../../base/printable.ts";
import type { Handler } from "../command.ts";
import { renderOne } from "../render.ts";
import { packageVersion } from "../standard-streams.ts";

/** "ServerVersion" → "Server Version"; words that are one stay one. */
function titleOf(key: string): string {
  return key.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");
}

function formatValue(value: unknown, indent: string): string {
  if (Array.isArray(value))
    return value.every((entry) => typeof entry !== "object")
      ? ` ${value.map((entry) => printable(String(entry))).join(" ")}\n`
      : `\n${value.map((entry) => `${indent} -${formatValue(entry, `${indent}  `)}`).join("")}`;
  if (typeof value === "object" && value !== null) return `\n${formatFields(value, `${indent} `)}`;
  return ` ${printable(String(value))}\n`;
}

function formatFields(fields: object, indent: string): string {
  return Object.entries(fields)
    .map(([key, value]) => `${indent}${titleOf(key)}:${formatValue(value, indent)}`)
    .join("");
}

export const runInfo: Handler = async (cli, { flags }) => {
  const engine = await cli.open();
  const info = await engine.system.info();
  const format = flags.string("format");
  if (format !== "") {
    cli.stdout.write(`${renderOne(format, info, { name: "", typeName: "system.dockerInfo" })}\n`);
    return 0;
  }
  cli.stdout.write(`Client:\n Version:    ${packageVersion()}\n Context:    default\n Debug Mode: ${cli.debug}\n\nServer:\n${formatFields(info, " ")}`);
  return 0;
};
