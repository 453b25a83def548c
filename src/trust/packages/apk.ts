/** Alpine's database of installed packages: one letter, a colon, the value. @see https://wiki.alpinelinux.org/wiki/Apk_spec */
import type { FoundPackage } from "./package.ts";

export interface InstalledApk {
  readonly found: FoundPackage;
  /** from the root */
  readonly paths: readonly string[];
}

export function parseApkInstalled(text: string): readonly InstalledApk[] {
  return text.split("\n\n").flatMap((block) => {
    const installed = parseBlock(block);
    return installed === undefined ? [] : [installed];
  });
}

function parseBlock(block: string): InstalledApk | undefined {
  const fields = new Map<string, string>();
  const paths: string[] = [];
  let directory = "";
  for (const line of block.split("\n")) {
    const value = line.slice(2);
    if (line.charCodeAt(1) !== 0x3a) continue;
    if (line.startsWith("F:")) directory = value;
    else if (line.startsWith("R:")) paths.push(directory === "" ? value : `${directory}/${value}`);
    else if (!fields.has(line.slice(0, 1))) fields.set(line.slice(0, 1), value);
  }
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
