/** An ordered environment. */
export type Variables = ReadonlyMap<string, string>;

/** What commands see: a name that is set again goes to the end, as in Docker. (In an image's config it keeps its place.) */
export function setLast(variables: Map<string, string>, key: string, value: string): void {
  variables.delete(key);
  variables.set(key, value);
}

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
