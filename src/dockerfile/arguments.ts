/** An instruction's line split into keyword, flags and arguments, by the rules of its kind. */
import { goQuote } from "../base/go-text.ts";
import { isSpace, trimLeft, trimSpace } from "./go-text.ts";
import { syntaxReason } from "./parse-error.ts";
import type { ArgumentPair, Arguments, SplitInstruction } from "./syntax-tree.ts";

type ArgumentParser = (rest: string, escape: string) => Arguments;

const blanks = /[\t\v\f\r ]+/;
const maximumNesting = 20;

const parsers: Readonly<Record<string, ArgumentParser>> = {
  add: jsonOrWords,
  arg: (rest, escape) => ({ form: "words", words: splitQuoted(rest, escape) }),
  cmd: jsonOrText,
  copy: jsonOrWords,
  entrypoint: jsonOrText,
  env: (rest, escape) => parsePairs("ENV", rest, escape),
  expose: blankSeparated,
  from: blankSeparated,
  healthcheck: parseHealthcheck,
  label: (rest, escape) => parsePairs("LABEL", rest, escape),
  maintainer: wholeText,
  run: jsonOrText,
  shell: jsonOrText,
  stopsignal: wholeText,
  user: wholeText,
  volume: jsonOrWords,
  workdir: wholeText,
};

/** Throws without place and in Docker's words when the arguments cannot be split. */
export function splitInstruction(joined: string, escape: string, nesting = 0): SplitInstruction {
  const line = trimSpace(joined);
  const blank = blanks.exec(line);
  const keyword = blank === null ? line : line.slice(0, blank.index);
  const { flags, rest } = takeFlags(trimSpace(line.slice(keyword.length)));
  if (keyword.toLowerCase() === "onbuild") return { keyword, flags, arguments: parseNested(rest, escape, nesting) };
  const parse = parsers[keyword.toLowerCase()] ?? noArguments;
  return { keyword, flags, arguments: parse(rest, escape) };
}

function noArguments(): Arguments {
  return { form: "words", words: [] };
}

function parseNested(rest: string, escape: string, nesting: number): Arguments {
  if (rest === "") return noArguments();
  if (nesting >= maximumNesting) throw syntaxReason("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  return { form: "nested", instruction: splitInstruction(rest, escape, nesting + 1) };
}

/** Leading `--flag` words; quotes and backslashes are resolved in them. A lone `--` ends them. */
function takeFlags(line: string): { readonly flags: readonly string[]; readonly rest: string } {
  const flags: string[] = [];
  let position = 0;
  while (position < line.length) {
    if (isSpace(line.charAt(position))) {
      position++;
      continue;
    }
    if (!line.startsWith("--", position)) return { flags, rest: trimSpace(line.slice(position)) };
    const { word, end } = takeFlag(line, position);
    position = end;
    if (word === "--") break;
    flags.push(word);
  }
  return { flags, rest: trimSpace(line.slice(position)) };
}

function takeFlag(line: string, start: number): { readonly word: string; readonly end: number } {
  let word = "";
  let quote = "";
  let position = start;
  for (; position < line.length; position++) {
    let character = line.charAt(position);
    if (quote === "" && isSpace(character)) break;
    if (character === quote) {
      quote = "";
      continue;
    }
    if (quote === "" && (character === "'" || character === '"')) {
      quote = character;
      continue;
    }
    if (character === "\\") {
      position++;
      character = line.charAt(position);
    }
    word += character;
  }
  return { word, end: position };
}

function wholeText(rest: string): Arguments {
  return { form: "words", words: rest === "" ? [] : [rest] };
}

function blankSeparated(rest: string): Arguments {
  return { form: "words", words: rest === "" ? [] : rest.split(blanks) };
}

function jsonOrText(rest: string): Arguments {
  return parseJsonWords(rest) ?? wholeText(rest);
}

function jsonOrWords(rest: string): Arguments {
  return parseJsonWords(rest) ?? blankSeparated(rest);
}

/** A JSON array of strings. Anything that is not JSON is the other form; JSON with other things inside is an error. */
function parseJsonWords(rest: string): Arguments | undefined {
  if (!trimLeft(rest).startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(rest);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const words = value.map((word: unknown) => {
    if (typeof word === "string") return word.toWellFormed();
    throw syntaxReason("when using JSON array syntax, arrays must be comprised of strings only");
  });
  return { form: "json", words };
}

function parseHealthcheck(rest: string): Arguments {
  if (rest === "") return noArguments();
  let end = 0;
  while (end < rest.length && !isSpace(rest.charAt(end))) end++;
  return { form: "healthcheck", type: rest.slice(0, end), command: jsonOrText(trimLeft(rest.slice(end))) };
}

/** `key=value …`, or the old `key value` where everything behind the key is the value. */
function parsePairs(keyword: string, rest: string, escape: string): Arguments {
  const words = splitQuoted(rest, escape);
  const [first] = words;
  if (first === undefined) return { form: "pairs", pairs: [] };
  if (!first.includes("=")) return { form: "pairs", pairs: [legacyPair(keyword, rest)] };
  return { form: "pairs", pairs: words.map(pairFromWord) };
}

function legacyPair(keyword: string, rest: string): ArgumentPair {
  const blank = blanks.exec(rest);
  if (blank === null) throw syntaxReason(`${keyword} must have two arguments`);
  return { key: rest.slice(0, blank.index), value: rest.slice(blank.index + blank[0].length), legacy: true };
}

function pairFromWord(word: string): ArgumentPair {
  const at = word.indexOf("=");
  if (at < 0) throw syntaxReason(`Syntax error - can't find = in ${goQuote(word)}. Must be of the form: name=value`, word);
  return { key: word.slice(0, at), value: word.slice(at + 1), legacy: false };
}

/** Words separated by blanks outside quotes; quotes and escapes stay, an escape at the very end goes. */
export function splitQuoted(rest: string, escape: string): readonly string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  let present = false;
  for (let position = 0; position < rest.length; position++) {
    const character = rest.charAt(position);
    if (quote === "" && isSpace(character)) {
      if (present) words.push(word);
      word = "";
      present = false;
      continue;
    }
    if (character === escape && quote !== "'") {
      if (position + 1 === rest.length) break;
      position++;
      word += character + rest.charAt(position);
      present = true;
      continue;
    }
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    word += character;
    present = true;
  }
  if (present) words.push(word);
  return words;
}
