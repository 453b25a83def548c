/**
 * Command line flags with the rules of Go's pflag, which are Docker's: `-it`, `-p8080:80`, `-p=80:80`, `--rm=false`,
 * `--flag value`, `--flag=value`, `--` ends the flags; `run` and `exec` stop at the first argument.
 */
import { SlipwayError } from "../base/errors.ts";
import { checkFlagValue, listTypes, parseBool } from "./flag-value.ts";
import { parseByteSize } from "./units.ts";

export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  /** a name of flag-value.ts; "bool" takes no argument, a list collects */
  readonly type: string;
  /** the line of `--help` */
  readonly usage: string;
  /** as `--help` shows it behind "default", quotes included; what the flag holds when it is not given, where it is a value */
  readonly default?: string;
  /** the value of the flag given without "=value", for types other than bool */
  readonly bare?: string;
  /** with `bare`: a next word like this is the flag's value all the same, where Docker's flag always takes one */
  readonly values?: RegExp;
  readonly hidden?: boolean;
  /** what is said on standard error when the flag is given: it is accepted but does nothing here */
  readonly noEffect?: string;
  /** what completion offers as its value */
  readonly complete?: "file" | "directory" | "image" | "container" | "volume" | readonly string[];
}

export interface ParsedFlags {
  /** was it given? */
  changed(name: string): boolean;
  bool(name: string): boolean;
  /** "" when neither given nor defaulted */
  string(name: string): string;
  optional(name: string): string | undefined;
  number(name: string): number | undefined;
  bytes(name: string): number | undefined;
  list(name: string): readonly string[];
}

export interface ParsedLine {
  readonly flags: ParsedFlags;
  readonly args: readonly string[];
  /** `--help` was met; what follows it was not read */
  readonly help: boolean;
  /** `-h` where no flag has that letter */
  readonly deprecatedHelp: boolean;
}

export interface ParseOptions {
  /** flags may follow arguments (default true) */
  readonly interspersed?: boolean;
}

function usage(message: string, unknown?: string): SlipwayError {
  return new SlipwayError("invalid_argument", "UNKNOWN_FLAG", message, unknown === undefined ? {} : { unknown });
}

export function flagLabel(flag: FlagSpec): string {
  return flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
}

/** A stop in reading, not a failure. */
type Step = "next" | "help" | "short-help";

class Reader {
  readonly values = new Map<string, string[]>();
  readonly args: string[] = [];
  readonly #specs: readonly FlagSpec[];
  readonly #rest: string[];

  constructor(specs: readonly FlagSpec[], argv: readonly string[]) {
    this.#specs = specs;
    this.#rest = [...argv];
  }

  read(interspersed: boolean): Step {
    for (let word = this.#rest.shift(); word !== undefined; word = this.#rest.shift()) {
      if (word === "--") break;
      if (word === "-" || !word.startsWith("-")) {
        this.args.push(word);
        if (!interspersed) break;
        continue;
      }
      const step = word.startsWith("--") ? this.#long(word) : this.#shorts(word.slice(1));
      if (step !== "next") return step;
    }
    this.args.push(...this.#rest);
    return "next";
  }

  #long(word: string): Step {
    const body = word.slice(2);
    if (body.startsWith("-") || body.startsWith("=")) throw usage(`bad flag syntax: ${word}`);
    const equals = body.indexOf("=");
    const name = equals < 0 ? body : body.slice(0, equals);
    const spec = this.#specs.find((flag) => flag.name === name);
    if (spec === undefined) {
      if (name === "help") return "help";
      throw usage(`unknown flag: --${name}`, name);
    }
    if (equals >= 0) this.#set(spec, body.slice(equals + 1));
    else if (bareValue(spec) !== undefined && spec.values?.test(this.#rest[0] ?? "") !== true) this.#set(spec, bareValue(spec)!);
    else this.#set(spec, this.#nextWord(`flag needs an argument: ${word}`));
    return "next";
  }

  #shorts(letters: string): Step {
    for (let rest = letters; rest !== "";) {
      const letter = [...rest][0]!;
      const after = rest.slice(letter.length);
      const spec = this.#specs.find((flag) => flag.short === letter);
      if (spec === undefined) {
        if (letter === "h") return "short-help";
        throw usage(`unknown shorthand flag: '${letter}' in -${rest}`, letter);
      }
      if (after.startsWith("=")) {
        this.#set(spec, after.slice(1));
        return "next";
      }
      const bare = bareValue(spec);
      if (bare !== undefined) this.#set(spec, bare);
      else {
        this.#set(spec, after === "" ? this.#nextWord(`flag needs an argument: '${letter}' in -${rest}`) : after);
        return "next";
      }
      rest = after;
    }
    return "next";
  }

  #nextWord(complaint: string): string {
    const word = this.#rest.shift();
    if (word === undefined) throw usage(complaint);
    return word;
  }

  #set(spec: FlagSpec, text: string): void {
    try {
      checkFlagValue(spec.type, text);
    } catch (error) {
      throw usage(`invalid argument ${JSON.stringify(text)} for "${flagLabel(spec)}" flag: ${error instanceof Error ? error.message : String(error)}`);
    }
    const values = spec.type === "strings" ? text.split(",") : [text];
    if (listTypes.has(spec.type)) this.values.set(spec.name, [...(this.values.get(spec.name) ?? []), ...values]);
    else this.values.set(spec.name, [text]);
  }
}

function bareValue(spec: FlagSpec): string | undefined {
  return spec.type === "bool" ? "true" : spec.bare;
}

/** Fails with UNKNOWN_FLAG (invalid_argument) in pflag's words. */
export function parseFlags(specs: readonly FlagSpec[], argv: readonly string[], options: ParseOptions = {}): ParsedLine {
  const reader = new Reader(specs, argv);
  const step = reader.read(options.interspersed ?? true);
  return {
    flags: flagsFrom(specs, reader.values),
    args: reader.args,
    help: step !== "next",
    deprecatedHelp: step === "short-help",
  };
}

function defaultOf(spec: FlagSpec): string | undefined {
  return spec.default?.startsWith('"') === true ? (JSON.parse(spec.default) as string) : spec.default;
}

function flagsFrom(specs: readonly FlagSpec[], values: ReadonlyMap<string, readonly string[]>): ParsedFlags {
  const specOf = (name: string): FlagSpec => {
    const spec = specs.find((flag) => flag.name === name);
    if (spec === undefined) throw new SlipwayError("internal", "INTERNAL", `the command has no flag --${name}`);
    return spec;
  };
  const last = (name: string): string | undefined => values.get(name)?.at(-1) ?? defaultOf(specOf(name));
  return {
    changed: (name) => specOf(name) !== undefined && values.has(name),
    bool: (name) => parseBool(last(name) ?? "false"),
    string: (name) => last(name) ?? "",
    optional: (name) => (specOf(name), values.get(name)?.at(-1)),
    number: (name) => numberFrom(last(name)),
    bytes: (name) => bytesFrom(last(name)),
    list: (name) => (specOf(name), values.get(name) ?? []),
  };
}

function numberFrom(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function bytesFrom(text: string | undefined): number | undefined {
  return text === undefined || text === "-1" ? undefined : parseByteSize(text);
}
