/**
 * The lexer behind word.ts: one pass over a word, quotes and escapes removed, variables replaced, and on the way the
 * blank-separated words collected (a blank splits only outside quotes; blanks out of a variable split too). As in Docker, whose
 * lexer has one buffer for all depths, the operand of `${name-operand}` makes the words forget what stood right before it: `EXPOSE 9${P-80}` is 80.
 */
import { SlipwayError } from "../base/errors.ts";
import { isSpace } from "./go-text.ts";
import { parseShellPattern, replacePattern, reversePattern, trimPrefix, trimSuffix } from "./shell-pattern.ts";

export interface LexerOptions {
  readonly escape: string;
  readonly rawQuotes: boolean;
  readonly rawEscapes: boolean;
  readonly skipUnset: boolean;
  readonly skipQuotes: boolean;
}

export interface LexedWord {
  readonly result: string;
  readonly words: readonly string[];
}

const maximumNesting = 200;
const maximumLength = 1 << 20;
const letter = /^\p{L}$/u;
const digit = /^\p{Nd}$/u;
const specialParameters = "@*#?-$!";
/** how Docker shows "end of text" where it expected a character */
const endOfText = "\ufffd";

export class WordLexer {
  readonly matched = new Set<string>();
  readonly unmatched = new Set<string>();
  readonly #text: string;
  readonly #lookup: (name: string) => string | undefined;
  readonly #options: LexerOptions;
  #position = 0;
  #rawEscapes: boolean;
  #nesting = 0;
  #length = 0;
  readonly #unfinished = { text: "" };

  constructor(text: string, lookup: (name: string) => string | undefined, options: LexerOptions) {
    this.#text = text;
    this.#lookup = lookup;
    this.#options = options;
    this.#rawEscapes = options.rawEscapes;
  }

  lex(): LexedWord {
    return this.#until(undefined, this.#options.rawEscapes);
  }

  #peek(): string {
    const code = this.#text.codePointAt(this.#position);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  #next(): string {
    const character = this.#peek();
    this.#position += character.length;
    return character;
  }

  get #ended(): boolean {
    return this.#position >= this.#text.length;
  }

  #until(stop: string | undefined, rawEscapes: boolean): LexedWord {
    if (++this.#nesting > maximumNesting) throw failure("substitutions are nested too deeply");
    const outerRawEscapes = this.#rawEscapes;
    this.#rawEscapes = rawEscapes;
    try {
      return this.#plain(stop);
    } finally {
      this.#rawEscapes = outerRawEscapes;
      this.#nesting--;
    }
  }

  #plain(stop: string | undefined): LexedWord {
    let result = "";
    this.#unfinished.text = "";
    const words = new WordCollector(this.#unfinished);
    while (!this.#ended) {
      const character = this.#peek();
      if (character === stop) {
        this.#next();
        return { result, words: words.finish() };
      }
      if (character === "$") {
        const value = this.#dollar();
        result += value;
        words.addText(value);
      } else if (!this.#options.skipQuotes && (character === "'" || character === '"')) {
        const value = character === "'" ? this.#singleQuoted() : this.#doubleQuoted();
        result += value;
        words.addQuoted(value);
      } else if (character === this.#options.escape) {
        const value = this.#escaped();
        result += value;
        words.addQuoted(value);
      } else {
        this.#next();
        result += character;
        words.addText(character);
      }
    }
    if (stop !== undefined) throw failure(`unexpected end of statement while looking for matching ${stop}`);
    return { result, words: words.finish() };
  }

  /** The escape and what follows it; an escape at the end of the text vanishes. */
  #escaped(): string {
    const escape = this.#next();
    const kept = this.#rawEscapes ? escape : "";
    return kept + this.#next();
  }

  #singleQuoted(): string {
    const start = this.#position;
    const end = this.#text.indexOf("'", start + 1);
    if (end < 0) {
      this.#position = this.#text.length;
      throw failure("unexpected end of statement while looking for matching single-quote");
    }
    this.#position = end + 1;
    return this.#options.rawQuotes ? this.#text.slice(start, end + 1) : this.#text.slice(start + 1, end);
  }

  #doubleQuoted(): string {
    const quote = this.#options.rawQuotes ? '"' : "";
    let result = quote;
    this.#next();
    while (!this.#ended) {
      const character = this.#peek();
      if (character === '"') {
        this.#next();
        return result + quote;
      }
      result += character === "$" ? this.#dollar() : this.#insideDoubleQuotes();
    }
    throw failure("unexpected end of statement while looking for matching double-quote");
  }

  /** Inside double quotes the escape only acts before `"`, `$` and itself. */
  #insideDoubleQuotes(): string {
    const character = this.#next();
    if (character !== this.#options.escape) return character;
    const kept = this.#rawEscapes ? character : "";
    if (this.#ended) return kept;
    const following = this.#peek();
    if (following === '"' || following === "$" || following === this.#options.escape) return kept + this.#next();
    return kept + character;
  }

  #dollar(): string {
    this.#next();
    const value = this.#peek() === "{" ? this.#braced() : this.#bare();
    this.#length += value.length;
    if (this.#length > maximumLength) throw failure(`expansion is longer than ${maximumLength} characters`);
    return value;
  }

  #bare(): string {
    const name = this.#name();
    if (name === "") return "$";
    const value = this.#get(name);
    return value ?? (this.#options.skipUnset ? `$${name}` : "");
  }

  #braced(): string {
    this.#next();
    if (this.#ended) throw failure("syntax error: missing '}'");
    if ("{}:".includes(this.#peek())) throw failure("syntax error: bad substitution");
    const name = this.#name();
    const operator = this.#next();
    if (operator === "}") return this.#get(name) ?? (this.#options.skipUnset ? `\${${name}}` : "");
    if (operator === "/") return this.#replaced(name);
    if (operator === ":") return this.#modified(name, this.#next(), true);
    if (operator !== "" && "+-?#%".includes(operator)) return this.#modified(name, operator, false);
    throw failure(`unsupported modifier (${operator || endOfText}) in substitution`);
  }

  #modified(name: string, operator: string, nullIsUnset: boolean): string {
    const word = this.#operand("}", operator === "#" || operator === "%", "syntax error: missing '}'");
    const written = (nullIsUnset ? ":" : "") + (operator || endOfText);
    const value = this.#get(name);
    if (value === undefined && this.#options.skipUnset) return `\${${name}${written}${word}}`;
    const missing = value === undefined || (nullIsUnset && value === "");
    switch (operator) {
      case "-":
        return missing ? word : (value ?? "");
      case "+":
        return missing ? "" : word;
      case "?":
        if (value === undefined) throw failure(`${name}: ${word || "is not allowed to be unset"}`);
        if (missing) throw failure(`${name}: ${word || "is not allowed to be empty"}`);
        return value;
      case "#":
      case "%":
        return trimmed(operator, word, value ?? "");
      default:
        throw failure(`unsupported modifier (${written}) in substitution`);
    }
  }

  #replaced(name: string): string {
    const all = this.#peek() === "/";
    if (all) this.#next();
    const pattern = this.#operand("/", true, "syntax error: missing '/' in ${}");
    const replacement = this.#operand("}", true, "syntax error: missing '}'");
    const value = this.#get(name);
    if (value === undefined && this.#options.skipUnset) return `\${${name}/${pattern}/${replacement}}`;
    return withPattern(pattern, (parsed) => replacePattern(parsed, value ?? "", replacement, all));
  }

  #operand(stop: string, rawEscapes: boolean, endMessage: string): string {
    try {
      return this.#until(stop, rawEscapes).result;
    } catch (error) {
      if (this.#ended) throw failure(endMessage);
      throw error;
    }
  }

  /** A name, a run of digits, or one special parameter; "" when none is there. */
  #name(): string {
    let name = "";
    const first = this.#peek();
    if (digit.test(first)) {
      while (digit.test(this.#peek())) name += this.#next();
      return name;
    }
    if (first !== "" && specialParameters.includes(first)) return this.#next();
    for (;;) {
      const character = this.#peek();
      if (character !== "_" && !letter.test(character) && !digit.test(character)) return name;
      name += this.#next();
    }
  }

  #get(name: string): string | undefined {
    const value = this.#lookup(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    return value;
  }
}

function trimmed(operator: "#" | "%", word: string, value: string): string {
  const longest = word.startsWith(operator);
  const pattern = longest ? word.slice(1) : word;
  if (operator === "#") return withPattern(pattern, (parsed) => trimPrefix(parsed, value, longest));
  return withPattern(reversePattern(pattern), (parsed) => trimSuffix(parsed, value, longest));
}

function withPattern(pattern: string, use: (parsed: ReturnType<typeof parseShellPattern>) => string): string {
  let parsed: ReturnType<typeof parseShellPattern>;
  try {
    parsed = parseShellPattern(pattern);
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    throw failure(`invalid pattern (${pattern}) in substitution: ${error.message}`);
  }
  return use(parsed);
}

/** The reason alone: word.ts puts the whole word in front. */
function failure(reason: string): SlipwayError {
  return new SlipwayError("invalid_argument", "WORD_SYNTAX", reason);
}

class WordCollector {
  readonly #words: string[] = [];
  readonly #unfinished: { text: string };

  constructor(unfinished: { text: string }) {
    this.#unfinished = unfinished;
  }

  addText(text: string): void {
    for (const character of text) {
      if (!isSpace(character)) this.#unfinished.text += character;
      else this.#end();
    }
  }

  addQuoted(text: string): void {
    this.#unfinished.text += text;
  }

  finish(): readonly string[] {
    this.#end();
    return this.#words;
  }

  #end(): void {
    if (this.#unfinished.text !== "") this.#words.push(this.#unfinished.text);
    this.#unfinished.text = "";
  }
}
