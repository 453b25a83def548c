/**
 * Docker's shell-word language: quotes, escapes and `${…}` forms, as used in ENV, COPY, FROM and the others.
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
import { goQuote } from "../base/go-text.ts";
import { SlipwayError } from "../base/errors.ts";
import { WordLexer } from "./word-lexer.ts";

export type VariableLookup = ReadonlyMap<string, string> | ((name: string) => string | undefined);

export interface WordOptions {
  /** the Dockerfile's escape directive; default `\` */
  readonly escape?: "\\" | "`" | undefined;
  /** keep the quotes in the result */
  readonly rawQuotes?: boolean | undefined;
  /** keep the escape characters in the result */
  readonly rawEscapes?: boolean | undefined;
  /** leave variables that have no value as they are written */
  readonly skipUnset?: boolean | undefined;
  /** quotes are ordinary characters (heredoc bodies) */
  readonly skipQuotes?: boolean | undefined;
}

export interface ExpandedWord {
  readonly result: string;
  /** names that were used and have a value, in order of first use */
  readonly matched: readonly string[];
  /** names that were used but have no value, in order of first use */
  readonly unmatched: readonly string[];
}

export interface ExpandedWords extends ExpandedWord {
  /** the result split at the blanks that no quote protects; empty words vanish */
  readonly words: readonly string[];
}

/**
 * Expands a word as one string, inner blanks kept. Fails with WORD_SYNTAX in Docker's words ("failed to process
 * "${x": …"), also for `${name?message}` without a value; results are limited to 1 MiB of variable text.
 */
export function expandWord(word: string, variables: VariableLookup, options: WordOptions = {}): ExpandedWord {
  return expandWords(word, variables, options);
}

/** Like expandWord, and splits the result into words after expansion. */
export function expandWords(word: string, variables: VariableLookup, options: WordOptions = {}): ExpandedWords {
  const lookup = typeof variables === "function" ? variables : (name: string) => variables.get(name);
  const lexer = new WordLexer(word, lookup, {
    escape: options.escape ?? "\\",
    rawQuotes: options.rawQuotes ?? false,
    rawEscapes: options.rawEscapes ?? false,
    skipUnset: options.skipUnset ?? false,
    skipQuotes: options.skipQuotes ?? false,
  });
  try {
    const { result, words } = lexer.lex();
    return { result, words, matched: [...lexer.matched], unmatched: [...lexer.unmatched] };
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    const message = `failed to process ${goQuote(word)}: ${error.message}`;
    throw new SlipwayError(error.kind, error.code, message, { ...error.details, word, unmatched: [...lexer.unmatched] });
  }
}
