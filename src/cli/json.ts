/** JSON as Go's encoder writes it: HTML characters escaped where Docker leaves that on, 4 blanks of indent in `inspect`. */

/** `<`, `>` and `&`, and the two line separators that JavaScript once tripped over. */
export function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** One line, HTML characters escaped: `--format json`, `{{json .}}` of a row. */
export function formatJsonLine(value: unknown): string {
  return escapeHtml(JSON.stringify(value) ?? "null");
}

/** As `inspect` prints: indented by four, HTML characters escaped as Docker's daemon does. */
export function formatJsonIndented(value: unknown): string {
  return escapeHtml(JSON.stringify(value, null, 4) ?? "null");
}
