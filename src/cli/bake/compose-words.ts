/** Variables in compose files' texts, and the `.env` file that stands beside them. @see compose-spec, "Interpolation" */
import { cliError } from "../failure.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

const reference = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\})/g;

/** `$$` is a dollar sign; `:-`, `-`, `:?`, `?`, `:+` and `+` as in a shell. Fails with BAKE_DEFINITION (invalid_argument). */
export function interpolate(text: string, variables: Variables): string {
  return text.replace(reference, (_, dollar?: string, bare?: string, name = "", operator = "", word = "") => {
    if (dollar !== undefined) return "$";
    if (bare !== undefined) return variables[bare] ?? "";
    const value = variables[name];
    const isMissing = operator.startsWith(":") ? (value ?? "") === "" : value === undefined;
    if (operator.endsWith("+")) return isMissing ? "" : interpolate(word, variables);
    if (!isMissing || operator === "") return value ?? "";
    if (operator.endsWith("-")) return interpolate(word, variables);
    throw cliError(`required variable ${name} is missing a value: ${word}`, "BAKE_DEFINITION", { plain: true });
  });
}

/** Lines of `NAME=value`; in single quotes a value is itself, elsewhere it may name earlier ones. */
export function parseDotEnv(text: string, outer: Variables): Variables {
  const found: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, raw = ""] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    const [, quote, quoted = ""] = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(raw) ?? [];
    const value = quote === undefined ? raw.replace(/\s+#.*$/, "") : quoted;
    found[name] = quote === "'" ? value : interpolate(value, { ...found, ...outer });
  }
  return found;
}
