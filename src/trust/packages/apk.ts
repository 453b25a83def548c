/** Alpine's database of installed packages: one letter, a colon, the value. @see https://wiki.alpinelinux.org/wiki/Apk_spec */
import type { FoundPackage } from "./package.ts";
import { bounded } from "./package-reader.ts";
import { linesOf } from "./text-lines.ts";

export interface InstalledApk {
  readonly found: FoundPackage;
  /** from the root */
  readonly paths: readonly string[];
}

export function parseApkInstalled(text: string): readonly InstalledApk[] {
  const found = blocksOf(text).flatMap((block) => {
    const installed = installedOf(block);
    return installed === undefined ? [] : [installed];
  });
  return bounded(found);
}

function* blocksOf(text: string): Generator<Block> {
  let block = emptyBlock();
  for (const line of linesOf(text)) {
    if (line !== "") {
      addLine(block, line);
      continue;
    }
    yield block;
    block = emptyBlock();
  }
  yield block;
}

interface Block {
  readonly fields: Map<string, string>;
  readonly paths: string[];
  directory: string;
}

function emptyBlock(): Block {
  return { fields: new Map(), paths: [], directory: "" };
}

function addLine(block: Block, line: string): void {
  const value = line.slice(2);
  if (line.charCodeAt(1) !== 0x3a) return;
  if (line.startsWith("F:")) block.directory = value;
  else if (line.startsWith("R:")) block.paths.push(block.directory === "" ? value : `${block.directory}/${value}`);
  else if (!block.fields.has(line.slice(0, 1))) block.fields.set(line.slice(0, 1), value);
}

function installedOf({ fields, paths }: Block): InstalledApk | undefined {
  const [name, version] = [fields.get("P"), fields.get("V")];
  if (name === undefined || version === undefined) return undefined;
  const [architecture, licence, origin, supplier, homepage] = ["A", "L", "o", "m", "U"].map((letter) => fields.get(letter));
  const found: FoundPackage = {
    type: "apk",
    name,
    version,
    ...(architecture === undefined ? {} : { architecture }),
    ...(licence === undefined || licence === "" ? {} : { licences: [licence] }),
    ...(origin === undefined || origin === name ? {} : { source: { name: origin, version } }),
    ...(supplier === undefined ? {} : { supplier }),
    ...(homepage === undefined ? {} : { homepage }),
  };
  return { found, paths };
}
