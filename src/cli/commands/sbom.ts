/** `sbom`: the packages in an image. */
import { resolve } from "node:path";
import { printable } from "../../base/printable.ts";
import type { ImageInventory, LayerOrigin, PackageType } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { alignColumns, ellipsis } from "../table.ts";
import { checkOutputPath, writeOutputFile, writeToStdout } from "./archive-file.ts";
import { withPipedImage } from "./piped-image.ts";
import { platformOption } from "./platform-flag.ts";
import { parseKinds, parseOutputs } from "./sbom-outputs.ts";

/** "Dockerfile:12 RUN apt-get …", or the history's words, or the layer. */
export function shownOrigin(origin: LayerOrigin | undefined, layer: number, width: number): string {
  const line = origin?.place === undefined ? "" : `${origin.place.dockerfile}:${origin.place.start} `;
  // what older builders say of COPY's sources
  const instruction = origin?.instruction?.replace(/\b(dir|file|multi):([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1:$2");
  return ellipsis(`${line}${instruction ?? `layer ${layer + 1}`}`, width);
}

function formatTable({ kind, packages, layers }: ImageInventory): string {
  const rows = packages.map(({ name, version, type, licences = [], layer, owner, bundled, locked, path }) => [
    name,
    version === "" ? "(unknown)" : version,
    withRemark(type, owner ?? (bundled !== undefined ? "bundled" : locked === true ? "locked" : undefined)),
    ellipsis(licences.join(", "), 40),
    kind === "files" ? path : shownOrigin(layers[layer], layer, 60),
  ]);
  const text = [["NAME", "VERSION", "TYPE", "LICENCES", kind === "files" ? "FOUND IN" : "BROUGHT BY"], ...rows];
  const lines = text.map((cells) => `${cells.map((cell) => printable(cell.replace(/[\t\n]/g, " "))).join("\t")}\n`);
  // copies of a package that one line brought are one here: where each lies is in the documents
  return alignColumns([...new Set(lines)].join(""));
}

function withRemark(type: string, remark: string | undefined): string {
  return remark === undefined ? type : `${type} (${remark})`;
}

/** To standard output where no file is named. Others may read what is in the file, as far as the umask lets them. */
export async function writeOutput(cli: Cli, output: string, text: string | AsyncIterable<string>): Promise<void> {
  const chunks = chunksOf(typeof text === "string" ? [text] : text);
  if (output === "" || output === "-") {
    await writeToStdout(cli, chunks);
    return;
  }
  const path = resolve(cli.cwd, output);
  await checkOutputPath(path, "");
  await writeOutputFile(path, chunks, cli.signal, 0o666);
}

/** Not a write for each word of a document. */
async function* chunksOf(pieces: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Buffer> {
  let [held, size]: [string[], number] = [[], 0];
  for await (const piece of pieces) {
    held.push(piece);
    size += piece.length;
    if (size < 2 ** 18) continue;
    yield Buffer.from(held.join(""));
    [held, size] = [[], 0];
  }
  yield Buffer.from(held.join(""));
}

/** Files that were not read are told on standard error: the list lacks what is in them. */
export function warnOfOmissions(cli: Cli, { omissions }: ImageInventory): void {
  const shown = omissions.slice(0, 10);
  for (const { path, reason } of shown) cli.stderr.write(`WARNING: /${printable(path)} was not wholly looked into: ${printable(reason)}\n`);
  if (omissions.length > shown.length) cli.stderr.write(`WARNING: ${omissions.length - shown.length} more files were not wholly looked into\n`);
}

function onlyOf(inventory: ImageInventory, kinds: readonly PackageType[]): ImageInventory {
  return kinds.length === 0 ? inventory : { ...inventory, packages: inventory.packages.filter(({ type }) => kinds.includes(type)) };
}

/** An archive that came through a pipe is called as it was asked for, and not as the file that it lay in meanwhile. */
export function named(image: string, inventory: ImageInventory): ImageInventory {
  return image === "-" && inventory.name.startsWith("/") ? { ...inventory, name: "-" } : inventory;
}

export const runSbom: Handler = async (cli, { flags, args }) => {
  const outputs = parseOutputs(flags.optional("format"), flags.list("output"));
  const kinds = parseKinds(flags.list("only-package-type"));
  const options = { cwd: cli.cwd, env: cli.env, signal: cli.signal, ...platformOption(flags) };
  const engine = await cli.open();
  const image = args[0]!;
  const found = await withPipedImage(cli, image, false, async (place) => await engine.packages.inventory(place, options));
  const inventory = onlyOf(named(image, found), kinds);
  if (!flags.bool("quiet")) warnOfOmissions(cli, inventory);
  for (const { format, file } of outputs) {
    await writeOutput(cli, file, format === "table" ? formatTable(inventory) : engine.packages.sbomPieces(inventory, format, options));
  }
  return 0;
};
