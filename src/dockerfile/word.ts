/** Docker's shell-word language: quotes, escapes and `${…}` forms, as used in ENV, COPY, FROM and the others. */
export type VariableLookup = ReadonlyMap<string, string> | ((name: string) => string | undefined);

export interface WordOptions {
  /** the Dockerfile's escape directive; default `\` */
  readonly escape?: "\\" | "`";
  /** keep the quotes in the result */
  readonly rawQuotes?: boolean;
  /** keep the escape characters in the result */
  readonly rawEscapes?: boolean;
  /** leave variables that have no value as they are written */
  readonly skipUnset?: boolean;
}

export interface ExpandedWord {
  readonly result: string;
  /** names that were used but have no value, in order of use */
  readonly unmatched: readonly string[];
}

export interface ExpandedWords {
  readonly words: readonly string[];
  readonly unmatched: readonly string[];
}

export function expandWord(word: string, variables: VariableLookup, options?: WordOptions): ExpandedWord {
  throw new Error(`not written yet ${word} ${typeof variables} ${options?.escape}`);
}
export function expandWords(word: string, variables: VariableLookup, options?: WordOptions): ExpandedWords {
  throw new Error(`not written yet ${word} ${typeof variables} ${options?.escape}`);
}
