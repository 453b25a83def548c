/** What a terminal sends for keys → their names. Pure. */

const sequences: Readonly<Record<string, string>> = {
  "\x1b[A": "up",
  "\x1bOA": "up",
  "\x1b[B": "down",
  "\x1bOB": "down",
  "\x1b[C": "right",
  "\x1bOC": "right",
  "\x1b[D": "left",
  "\x1bOD": "left",
  "\x1b[5~": "page-up",
  "\x1b[6~": "page-down",
  "\x1b[H": "home",
  "\x1bOH": "home",
  "\x1b[1~": "home",
  "\x1b[F": "end",
  "\x1bOF": "end",
  "\x1b[4~": "end",
  "\x1b[Z": "tab",
  "\x1b": "escape",
  "\t": "tab",
  "\r": "enter",
  "\n": "enter",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x03": "quit",
  "\x04": "quit",
};

/** A character is its own name; what is unknown has none. A sequence arrives in one piece, as terminals send it. */
export function parseKeys(bytes: Uint8Array): readonly string[] {
  // eslint-disable-next-line no-control-regex
  const pieces =
    Buffer.from(bytes)
      .toString()
      .match(/\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])?|[^\x1b]/gu) ?? [];
  return pieces.flatMap((piece) => sequences[piece] ?? (piece >= " " && !piece.startsWith("\x1b") ? [piece] : []));
}
