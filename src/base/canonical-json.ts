/** JSON with sorted keys and without undefined members: equal values give equal bytes. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}

/** Go's encoding/json: as JSON.stringify, with `<`, `>`, `&` and the two line separators escaped. `undefined` members vanish. */
export function goJson(value: unknown): string {
  const json = JSON.stringify(value);
  return escapeHtml(/"\d+":/.test(json) ? orderedJson(JSON.parse(json)) : json);
}

/** JavaScript puts keys that are numbers first, Go does not; only a map, whose keys Go sorts, can have such keys. */
function orderedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(orderedJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.some(([key]) => /^\d+$/.test(key))) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${orderedJson(member)}`).join(",")}}`;
}

export function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
