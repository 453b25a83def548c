/** `diff`: what a container changed, or which files differ between two images, in the lines of `docker diff`. */
import { printable } from "../../base/printable.ts";
import { isSlipwayError } from "../../base/errors.ts";
import type { FileChange, SlipwayApi } from "../../engine/api.ts";
import type { Handler } from "../command.ts";
import { formatJsonLine } from "../json.ts";
import { formatSize } from "../units.ts";
import { refuseContainer } from "./image-path.ts";
import { platformOption } from "./platform-flag.ts";
import { jsonAsked } from "./tags.ts";

const letters: Readonly<Record<FileChange["kind"], string>> = { added: "A", changed: "C", removed: "D" };

function signed(bytes: number): string {
  return `${bytes < 0 ? "-" : "+"}${formatSize(Math.abs(bytes), 3)}`;
}

function withSizes(changes: readonly FileChange[]): string {
  const deltas = changes.map(({ sizeBytes, beforeBytes }) => sizeBytes - beforeBytes);
  const width = Math.max(0, ...deltas.map((delta) => signed(delta).length));
  const lines = changes.map(({ kind, path }, at) => `${letters[kind]} ${signed(deltas[at]!).padStart(width)} ${printable(path)}\n`);
  const count = (kind: FileChange["kind"]): number => changes.filter((change) => change.kind === kind).length;
  const total = deltas.reduce((sum, delta) => sum + delta, 0);
  return `${lines.join("")}${count("added")} added, ${count("changed")} changed, ${count("removed")} removed, ${signed(total)}\n`;
}

/** Undefined when no container has the name. */
async function changesOfContainer(engine: SlipwayApi, name: string): Promise<readonly FileChange[] | undefined> {
  try {
    return await engine.containers.changes(name);
  } catch (error) {
    if (isSlipwayError(error) && (error.kind === "not_found" || error.kind === "invalid_argument")) return undefined;
    throw error;
  }
}

export const runDiff: Handler = async (cli, { flags, args }) => {
  const json = jsonAsked(flags.string("format"));
  const platform = platformOption(flags);
  const engine = await cli.open();
  const own = args.length === 1 ? await changesOfContainer(engine, args[0]!) : undefined;
  if (args.length > 1) for (const name of args) await refuseContainer(engine, name, "name the image with store:NAME or docker://NAME");
  const [before, after] = args.length === 1 ? [undefined, args[0]!] : [args[0]!, args[1]!];
  const changes = own ?? (await engine.transfer.diff(before, after, { cwd: cli.cwd, env: cli.env, signal: cli.signal, ...platform }));
  if (json) cli.stdout.write(changes.map((change) => `${formatJsonLine(change)}\n`).join(""));
  else if (flags.bool("stat")) cli.stdout.write(withSizes(changes));
  else cli.stdout.write(changes.map(({ kind, path }) => `${letters[kind]} ${printable(path)}\n`).join(""));
  return 0;
};
