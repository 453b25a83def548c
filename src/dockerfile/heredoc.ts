/** Which heredocs an instruction opens. Their words follow shell rules with `\` as escape, whatever the directive says. */
import { expandWords } from "./word.ts";

export interface HeredocOpening {
  readonly name: string;
  readonly expand: boolean;
  readonly chomp: boolean;
  readonly fd: number;
}

const opening = /^([0-9]*)<<(-?)([^<]+)$/;
const noVariables: ReadonlyMap<string, string> = new Map();

/** The heredoc that one word opens: `<<X`, `<<-X`, `3<<"X"`; undefined when it opens none. */
export function parseHeredocWord(word: string): HeredocOpening | undefined {
  const match = opening.exec(word);
  const rest = match?.[3];
  if (match === null || rest === undefined) return undefined;
  const bare = expandWords(rest, noVariables, { skipUnset: true }).words;
  const [name] = bare;
  if (bare.length !== 1 || name === undefined) return undefined;
  const [written] = expandWords(rest, noVariables, { skipUnset: true, rawQuotes: true }).words;
  return {
    name,
    expand: countQuotes(name) === countQuotes(written ?? ""),
    chomp: match[2] === "-",
    fd: Math.min(Number(match[1] ?? 0), Number.MAX_SAFE_INTEGER),
  };
}

/** All heredocs of a joined line, in order. A line with broken quotes opens none. */
export function findHeredocs(joined: string): readonly HeredocOpening[] {
  if (!joined.includes("<<")) return [];
  return wordsOf(joined).flatMap((word) => parseHeredocWord(word) ?? []);
}

function wordsOf(joined: string): readonly string[] {
  try {
    return expandWords(joined, noVariables, { skipUnset: true, rawQuotes: true, rawEscapes: true }).words;
  } catch {
    return [];
  }
}

/** What `<<-` does to the body: leading tabs (not blanks) go. */
export function chompTabs(body: string): string {
  return body.replace(/^\t+/gm, "");
}

function countQuotes(text: string): number {
  return text.replace(/[^'"]/g, "").length;
}
