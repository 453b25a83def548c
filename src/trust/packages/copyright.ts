/** Licences that a Debian package's copyright file names. @see https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ */
import { parseParagraphs } from "./paragraphs.ts";

const commonLicence = /\/usr\/share\/common-licenses\/([0-9A-Za-z][0-9A-Za-z.+-]*[0-9A-Za-z+])/g;

/**
 * The short names of machine-readable files ("GPL-2+ or MIT" stays one expression); of others the files below
 * /usr/share/common-licenses that they point at. Sorted, each once.
 */
export function parseCopyright(text: string): readonly string[] {
  const found = new Set<string>();
  if (/^Format:\s/m.test(text.slice(0, 4096))) {
    for (const paragraph of parseParagraphs(text)) {
      const [name = ""] = (paragraph.get("license") ?? "").split("\n");
      if (name.trim() !== "" && name.length < 200) found.add(name.trim().replace(/\s+/g, " "));
    }
  }
  if (found.size === 0) for (const [, name = ""] of text.matchAll(commonLicence)) found.add(name);
  return [...found].sort();
}
