/** An ordered environment: setting an existing name keeps its place, as Docker does. Values, never changed in place. */
export interface Variable {
  readonly key: string;
  readonly value: string;
}

export type Variables = readonly Variable[];

export function setVariable(variables: Variables, key: string, value: string): Variables {
  const index = variables.findIndex((variable) => variable.key === key);
  if (index < 0) return [...variables, { key, value }];
  return variables.with(index, { key, value });
}

export function getVariable(variables: Variables, key: string): string | undefined {
  return variables.find((variable) => variable.key === key)?.value;
}

export function variableMap(variables: Variables): ReadonlyMap<string, string> {
  return new Map(variables.map(({ key, value }) => [key, value]));
}

/** `K=V` strings as in image configs; an entry without `=` has an empty value. */
export function parseVariables(env: readonly string[]): Variables {
  const values = new Map<string, string>();
  for (const entry of env) {
    const equals = entry.indexOf("=");
    if (equals < 0) values.set(entry, "");
    else values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return [...values].map(([key, value]) => ({ key, value }));
}

export function formatVariables(variables: Variables): readonly string[] {
  return variables.map(({ key, value }) => `${key}=${value}`);
}
