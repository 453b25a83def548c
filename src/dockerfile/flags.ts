/** The `--flags` of one instruction against the flags that its kind has. */
import { syntaxReason } from "./parse-error.ts";
import { findSuggestion, withSuggestion } from "./suggest.ts";

/** boolean: may stand alone; string: once, with a value; strings: any number of times. */
export type FlagKind = "boolean" | "string" | "strings";

export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** undefined when the flag is not there or empty: Docker does not tell these apart */
  text(name: string): string | undefined {
    return this.#values.get(name)?.[0] || undefined;
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  boolean(name: string): boolean | undefined {
    const value = this.#values.get(name)?.[0];
    return value === undefined ? undefined : value === "true";
  }
}

/** Throws in Docker's words for unknown, repeated and incomplete flags. */
export function parseFlags(written: readonly string[], kinds: Readonly<Record<string, FlagKind>>): Flags {
  const values = new Map<string, string[]>();
  for (const flag of written) {
    const equals = flag.indexOf("=");
    const name = flag.slice(2, equals < 0 ? undefined : equals);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) throw syntaxReason(withSuggestion(`unknown flag: --${name}`, findSuggestion(name, Object.keys(kinds))), `--${name}`);
    const before = values.get(name) ?? [];
    if (before.length > 0 && kind !== "strings") throw syntaxReason(`duplicate flag specified: --${name}`, flag);
    const value = equals < 0 ? undefined : flag.slice(equals + 1);
    values.set(name, [...before, kind === "boolean" ? booleanValue(name, value) : requiredValue(name, value)]);
  }
  return new Flags(values);
}

function requiredValue(name: string, value: string | undefined): string {
  if (value === undefined) throw syntaxReason(`missing a value on flag: --${name}`, `--${name}`);
  return value;
}

function booleanValue(name: string, value: string | undefined): string {
  if (value === undefined) return "true";
  if (value === "") throw syntaxReason(`missing a value on flag: --${name}`, `--${name}`);
  const lower = value.toLowerCase();
  if (lower !== "true" && lower !== "false") throw syntaxReason(`expecting boolean value for flag --${name}, not: ${value}`, `--${name}=${value}`);
  return lower;
}
