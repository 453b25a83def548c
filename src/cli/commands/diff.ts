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

/** Of the container, the step or else the image; where there is none of that name, what Docker says of a container. */
async function changesOf(engine: SlipwayApi, name: string, image: () => Promise<readonly FileChange[]>): Promise<readonly FileChange[]> {
  try {
    return await engine.containers.changes(name);
  } catch (missing) {
    if (!isSlipwayError(missing) || (missing.kind !== "not_found" && missing.kind !== "invalid_argument")) throw missing;
    return await image().catch((error: unknown) => {
      const isPlain = /^[\w.-]+$/.test(name);
      throw isPlain && isSlipwayError(error) && (error.kind === "not_found" || error.kind === "unavailable") ? missing : error;
    });
  }
}

export const runDiff: Handler = async (cli, { flags, args }) => {
  const json = jsonAsked(flags.string("format"));
  const platform = platformOption(flags);
  const engine = await cli.open();
  if (args.length > 1) for (const name of args) await refuseContainer(engine, name, "name the image with store:NAME or docker://NAME");
  const [before, after] = args.length === 1 ? [undefined, args[0]!] : [args[0]!, args[1]!];
  const images = async (): Promise<readonly FileChange[]> =>
    await engine.transfer.diff(before, after, { cwd: cli.cwd, env: cli.env, signal: cli.signal, ...platform });
  const changes = before === undefined ? await changesOf(engine, after, images) : await images();
  if (json) cli.stdout.write(changes.map((change) => `${formatJsonLine(change)}\n`).join(""));
  else if (flags.bool("stat")) cli.stdout.write(withSizes(changes));
  else cli.stdout.write(changes.map(({ kind, path }) => `${letters[kind]} ${printable(path)}\n`).join(""));
  return 0;
};
