/** Debian's database of installed packages: `status`, and `status.d/*` of images that are made without dpkg. */
import type { FoundPackage } from "./package.ts";
import { bounded } from "./package-reader.ts";
import { parseParagraphs, type Paragraph } from "./paragraphs.ts";
import { linesOf } from "./text-lines.ts";

/** `Source: glibc (2.36-9)`: the version only where it is another. */
function sourceOf(paragraph: Paragraph, name: string, version: string): FoundPackage["source"] {
  const [, source, own] = /^(\S+)(?:\s+\(([^)]*)\))?/.exec(paragraph.get("source") ?? "") ?? [];
  if (source === undefined) return undefined;
  // a binary rebuild (+b1) is of the same source version
  const sourceVersion = own ?? version.replace(/\+b\d+$/, "");
  return source === name && sourceVersion === version ? undefined : { name: source, version: sourceVersion };
}

function ownSource(name: string, version: string): FoundPackage["source"] {
  const plain = version.replace(/\+b\d+$/, "");
  return plain === version ? undefined : { name, version: plain };
}

/** Packages whose files are there; those that left only their configuration are none. `status.d` has no Status field. */
export function parseDpkgStatus(text: string): readonly FoundPackage[] {
  const packages = parseParagraphs(text).flatMap((paragraph): readonly FoundPackage[] => {
    const [name, version] = [paragraph.get("package"), paragraph.get("version")];
    const state = paragraph.get("status")?.split(/\s+/)[2] ?? "installed";
    if (name === undefined || version === undefined || state === "config-files" || state === "not-installed") return [];
    const [architecture, supplier, homepage] = [paragraph.get("architecture"), paragraph.get("maintainer"), paragraph.get("homepage")];
    const source = paragraph.has("source") ? sourceOf(paragraph, name, version) : ownSource(name, version);
    return [
      {
        type: "deb",
        name,
        version,
        ...(architecture === undefined ? {} : { architecture }),
        ...(source === undefined ? {} : { source }),
        ...(supplier === undefined ? {} : { supplier }),
        ...(homepage === undefined ? {} : { homepage }),
      },
    ];
  });
  return bounded(packages);
}

/** `info/libc6:amd64.list` → "libc6" and the paths in it, from the root. */
export function parseDpkgList(fileName: string, text: string): { readonly owner: string; readonly paths: readonly string[] } {
  const owner = fileName.replace(/\.list$/, "").replace(/:[a-z0-9-]+$/, "");
  const paths = linesOf(text).flatMap((row) => (row.startsWith("/") && row.length > 2 ? [row.slice(1)] : []));
  return { owner, paths: paths.toArray() };
}
