/** Names and passwords in addresses, which the builder needs and nobody else. */

/** A greedy end: a password may hold an "@" that somebody forgot to escape. */
const withUser = /(https?:\/\/)([^\s/?#"'`\\]+)@/gi;
const variables = /^\$\{?\w+\}?(?::\$\{?\w+\}?)?$/;

/** The text with all addresses of http in it as BuildKit shows them: "https://xxxxx:xxxxx@host/". What a variable stands for is not there to be hidden. */
export function withoutUrlCredentials(text: string): string {
  if (!text.includes("@")) return text;
  return text.replace(withUser, (whole, scheme: string, user: string) =>
    variables.test(user) ? whole : `${scheme}${user.includes(":") ? "xxxxx:xxxxx" : "xxxxx"}@`,
  );
}

/** The same of every string in a value as JSON has it. */
export function valueWithoutUrlCredentials<T>(value: T): T {
  return deep(value) as T;
}

function deep(value: unknown): unknown {
  if (typeof value === "string") return withoutUrlCredentials(value);
  if (Array.isArray(value)) return value.map(deep);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, deep(each)]));
}
