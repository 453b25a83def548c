/** Packages in bundles, by their source maps: files of their own, and those within the bundle. @see https://tc39.es/ecma426/ */
import { posix } from "node:path";
import type { FileFacts, PackageReader } from "../package-reader.ts";
import { BundlePackages } from "./bundle-packages.ts";
import { mebibyte } from "./json-file.ts";
import { JsonScan } from "./json-scan.ts";

const marker = "node_modules";

interface MapParts {
  root: string;
  sources: number | undefined;
  contents: number | undefined;
  sections: number | undefined;
}

function partsOf(scan: JsonScan, at: number): MapParts {
  const parts: MapParts = { root: "", sources: undefined, contents: undefined, sections: undefined };
  for (const [key, value] of scan.members(at)) {
    if (key === "sourceRoot") parts.root = scan.string(value) ?? "";
    else if (key === "sources") parts.sources = value;
    else if (key === "sourcesContent") parts.contents = value;
    else if (key === "sections") parts.sections = value;
  }
  return parts;
}

/** Texts of sources are looked at only where they are a package.json: each at its place in the list. */
function addSources(scan: JsonScan, { root, sources, contents }: MapParts, packages: BundlePackages): void {
  if (sources === undefined) return;
  const texts = contents === undefined ? undefined : scan.items(contents);
  for (const at of scan.items(sources)) {
    const { value: text } = texts?.next() ?? {};
    const source = scan.string(at);
    if (source === undefined) continue;
    const path = root === "" || /^(?:\/|[a-z][\w.+-]*:)/i.test(source) ? source : `${root.replace(/\/$/, "")}/${source}`;
    packages.add(path, () => (typeof text === "number" ? scan.string(text, mebibyte) : undefined));
  }
}

function readMap(bytes: Buffer, path: string): FileFacts {
  if (!bytes.includes(marker)) return {};
  const scan = new JsonScan(bytes, "source map");
  const packages = new BundlePackages(posix.dirname(path));
  const whole = partsOf(scan, scan.start);
  addSources(scan, whole, packages);
  // a map of maps: each section has its own, and no further sections
  for (const section of whole.sections === undefined ? [] : scan.items(whole.sections)) {
    for (const [key, value] of scan.members(section)) if (key === "map") addSources(scan, partsOf(scan, value), packages);
  }
  return packages.packages.length === 0 ? {} : { packages: packages.packages };
}

const inline = /^sourceMappingURL=data:application\/json(?:;charset[=:][\w-]+)?(;base64)?,/i;

/** `//# sourceMappingURL=data:application/json;base64,…` at the end of a script or style sheet: the last one counts. */
function readInlineMap(bytes: Buffer, path: string): FileFacts {
  const at = bytes.lastIndexOf("sourceMappingURL=data:");
  if (at < 0) return {};
  const [head, base64] = inline.exec(bytes.toString("latin1", at, at + 100)) ?? [];
  if (head === undefined) return {};
  const rest = bytes.subarray(at + head.length);
  const ends = [0x0a, 0x0d, 0x20, 0x2a].map((byte) => rest.indexOf(byte)).filter((end) => end >= 0);
  const text = rest.toString("latin1", 0, Math.min(...ends, rest.length));
  return readMap(base64 === undefined ? Buffer.from(decodeURIComponent(text)) : Buffer.from(text, "base64"), path);
}

/** Installed packages come in thousands of files, most of them small: those that are bundles of others, with a map of them within, are not. */
const isInstalled = /(?:^|\/)node_modules\/|^usr\/(?:share|lib)\/nodejs\//;
const scripts = { suffixes: [".js", ".mjs", ".cjs", ".css"], maxBytes: 64 * mebibyte, read: readInlineMap } as const;

export const sourceMapReaders: readonly PackageReader[] = [
  { suffixes: [".map"], maxBytes: 128 * mebibyte, read: readMap },
  { ...scripts, wants: (path) => !isInstalled.test(path) },
  { ...scripts, wants: (path) => isInstalled.test(path), minBytes: 4096 },
];
