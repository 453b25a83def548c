/** An ordered environment: setting an existing name keeps its place, as Docker does. */
export type Variables = ReadonlyMap<string, string>;

/** `K=V` strings as in image configs; an entry without `=` has an empty value. */
export function parseVariables(env: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const entry of env) {
    const equals = entry.indexOf("=");
    if (equals < 0) values.set(entry, "");
    else values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return values;
}

export function formatVariables(variables: Variables): readonly string[] {
  return Array.from(variables, ([key, value]) => `${key}=${value}`);
}
