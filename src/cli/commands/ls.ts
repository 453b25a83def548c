/** `ls`: the files of an image. */
import { printable } from "../../base/printable.ts";
import type { FileEntry } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { formatJsonLine } from "../json.ts";
import { imagePath } from "./image-path.ts";
import { platformOption } from "./platform-flag.ts";
import { jsonAsked } from "./tags.ts";

const typeLetters: Readonly<Record<FileEntry["type"], string>> = { file: "-", directory: "d", symlink: "l", char: "c", block: "b", fifo: "p" };

/** `drwxr-sr-t`, as ls has it. */
export function formatMode({ type, mode }: Pick<FileEntry, "type" | "mode">): string {
  const letters = [..."rwxrwxrwx"].map((letter, at) => ((mode >> (8 - at)) & 1 ? letter : "-"));
  const special: readonly (readonly [bit: number, at: number, letter: string])[] = [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ];
  for (const [bit, at, letter] of special) if (mode & bit) letters[at] = letters[at] === "x" ? letter : letter.toUpperCase();
  return typeLetters[type] + letters.join("");
}

function longLine(entry: FileEntry, name: string): readonly string[] {
  const { type, device } = entry;
  const size = type === "char" || type === "block" ? `${device.major}, ${device.minor}` : String(entry.sizeBytes);
  const time = new Date(entry.modifiedSeconds * 1000);
  const shownTime = Number.isNaN(time.getTime()) ? "?" : time.toISOString().slice(0, 16).replace("T", " ");
  const target = type === "symlink" ? ` -> ${printable(entry.linkname)}` : "";
  return [formatMode(entry), String(entry.uid), String(entry.gid), size, shownTime, name + target];
}

/** Numbers are set to the right, as ls does. */
function alignLines(lines: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...lines.map((line) => line[column]!.length)));
  return lines.map((line) => `${line.map((cell, at) => (at === 5 ? cell : cell.padStart(widths[at]!))).join(" ")}\n`).join("");
}

export const runLs: Handler = async (cli, { flags, args }) => {
  const json = jsonAsked(flags.string("format"));
  const { image, path } = imagePath(args[0]!, "/");
  const recursive = flags.bool("recursive");
  const platform = platformOption(flags);
  const engine = await cli.open();
  const entries = await engine.transfer.listFiles(image, path, { recursive, cwd: cli.cwd, env: cli.env, signal: cli.signal, ...platform });
  if (json) {
    cli.stdout.write(entries.map((entry) => `${formatJsonLine({ ...entry, mode: entry.mode.toString(8).padStart(4, "0") })}\n`).join(""));
    return 0;
  }
  const nameOf = (entry: FileEntry): string => printable(recursive ? entry.path : (entry.path.split("/").at(-1) ?? ""));
  cli.stdout.write(
    flags.bool("long") ? alignLines(entries.map((entry) => longLine(entry, nameOf(entry)))) : entries.map((entry) => `${nameOf(entry)}\n`).join(""),
  );
  return 0;
};
