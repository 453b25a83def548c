/** Paragraphs of `Field: value` lines, as Debian's control files have them. @see deb822(5) */
import { linesOf } from "./text-lines.ts";

export type Paragraph = ReadonlyMap<string, string>;

/** Field names in lower case; continuation lines joined by line ends, a lone dot is an empty line. */
export function* parseParagraphs(text: string): Generator<Paragraph> {
  let fields = new Map<string, string>();
  let last = "";
  for (const line of linesOf(text)) {
    if (line === "") {
      if (fields.size > 0) yield fields;
      fields = new Map();
      last = "";
      continue;
    }
    const first = line.charCodeAt(0);
    if (first === 0x20 || first === 0x09) {
      const rest = line.trim();
      if (last !== "") fields.set(last, `${fields.get(last) ?? ""}\n${rest === "." ? "" : rest}`);
      continue;
    }
    if (first === 0x23) continue;
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    last = line.slice(0, colon).toLowerCase();
    fields.set(last, line.slice(colon + 1).trim());
  }
  if (fields.size > 0) yield fields;
}
