/**
 * JSON that people write and that decides something: every value knows its line, a key that stands twice is refused, and so is one that nobody
 * reads. `//` begins a comment.
 */
import type { SlipwayError } from "../base/errors.ts";

export type LocatedNode =
  | { readonly kind: "object"; readonly line: number; readonly members: ReadonlyMap<string, LocatedNode> }
  | { readonly kind: "list"; readonly line: number; readonly items: readonly LocatedNode[] }
  | { readonly kind: "value"; readonly line: number; readonly value: string | number | boolean | null };

/** Makes the error of a line, in the words and with the code of the document. */
export type FailAt = (line: number, reason: string) => SlipwayError;

const maxDepth = 40;
const token =
  /\s+|\/\/[^\n]*|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]/y;

interface Token {
  readonly text: string;
  readonly line: number;
}

function tokensOf(text: string, fail: FailAt): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text)?.[0];
    if (found === undefined) throw fail(line, `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}`);
    if (/^\s/.test(found)) line += found.split("\n").length - 1;
    else if (!found.startsWith("//")) tokens.push({ text: found, line });
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly Token[];
  readonly #fail: FailAt;
  #at = 0;

  constructor(tokens: readonly Token[], fail: FailAt) {
    this.#tokens = tokens;
    this.#fail = fail;
  }

  #next(): Token {
    const found = this.#tokens[this.#at++];
    if (found === undefined) throw this.#fail(this.#tokens.at(-1)?.line ?? 1, "it ends too early");
    return found;
  }

  #takes(text: string): boolean {
    if (this.#tokens[this.#at]?.text !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    const found = this.#next();
    if (found.text !== text) throw this.#fail(found.line, `want ${JSON.stringify(text)} before ${found.text}`);
  }

  document(): LocatedNode {
    const node = this.#value(0);
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw this.#fail(rest.line, `unexpected ${rest.text} behind the end`);
    return node;
  }

  #value(depth: number): LocatedNode {
    const { text, line } = this.#next();
    if (depth > maxDepth) throw this.#fail(line, `nested deeper than ${maxDepth} levels`);
    if (text === "{") return { kind: "object", line, members: this.#members(depth) };
    if (text === "[") return { kind: "list", line, items: this.#items(depth) };
    if ("}],:".includes(text)) throw this.#fail(line, `unexpected ${text}`);
    return { kind: "value", line, value: JSON.parse(text) as string | number | boolean | null };
  }

  #members(depth: number): ReadonlyMap<string, LocatedNode> {
    const members = new Map<string, LocatedNode>();
    if (this.#takes("}")) return members;
    do {
      const { text, line } = this.#next();
      if (!text.startsWith('"')) throw this.#fail(line, `want a key before ${text}`);
      const key = JSON.parse(text) as string;
      if (members.has(key)) throw this.#fail(line, `the key ${text} stands twice`);
      this.#expect(":");
      members.set(key, this.#value(depth + 1));
    } while (this.#takes(","));
    this.#expect("}");
    return members;
  }

  #items(depth: number): readonly LocatedNode[] {
    const items: LocatedNode[] = [];
    if (this.#takes("]")) return items;
    do items.push(this.#value(depth + 1));
    while (this.#takes(","));
    this.#expect("]");
    return items;
  }
}

/** The root is an object. Fails with what `fail` makes. */
export function parseLocated(text: string, fail: FailAt): LocatedFields {
  return new LocatedFields(new Reader(tokensOf(text, fail), fail).document(), fail, "");
}

/** Reads the fields of one object; whoever has read all that he knows calls `only`. */
export class LocatedFields {
  readonly line: number;
  readonly path: string;
  readonly #members: ReadonlyMap<string, LocatedNode>;
  readonly #failAt: FailAt;

  constructor(node: LocatedNode, fail: FailAt, path: string) {
    if (node.kind !== "object") throw fail(node.line, `${path === "" ? "it" : path} has to be an object`);
    this.line = node.line;
    this.path = path;
    this.#members = node.members;
    this.#failAt = fail;
  }

  keys(): readonly string[] {
    return [...this.#members.keys()];
  }

  has(key: string): boolean {
    return this.#members.has(key);
  }

  /** The line of a field, or of the object where it has none. */
  lineOf(key: string): number {
    return this.#members.get(key)?.line ?? this.line;
  }

  fail(key: string, reason: string): SlipwayError {
    return this.#failAt(this.lineOf(key), reason);
  }

  /** Refuses what is none of these keys. */
  only(...known: readonly string[]): void {
    for (const [key, { line }] of this.#members) {
      if (!known.includes(key)) throw this.#failAt(line, `unknown key ${JSON.stringify(this.#pathOf(key))}: known are ${known.join(", ")}`);
    }
  }

  #pathOf(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`;
  }

  #wants(key: string, want: string): SlipwayError {
    return this.fail(key, `${this.#pathOf(key)} has to be ${want}`);
  }

  value(key: string): string | number | boolean | null | undefined {
    const node = this.#members.get(key);
    if (node !== undefined && node.kind !== "value") throw this.#wants(key, "a plain value");
    return node?.value;
  }

  string(key: string): string | undefined {
    const value = this.value(key);
    if (value !== undefined && typeof value !== "string") throw this.#wants(key, "a string");
    return value;
  }

  requiredString(key: string): string {
    const value = this.string(key);
    if (value === undefined || value === "") throw this.fail(key, `${this.#pathOf(key)} is missing: a string`);
    return value;
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.string(key);
    const word = words.find((each) => each === value);
    if (value !== undefined && word === undefined) throw this.#wants(key, `one of ${words.join(", ")}, not ${JSON.stringify(value)}`);
    return word;
  }

  boolean(key: string): boolean | undefined {
    const value = this.value(key);
    if (value !== undefined && typeof value !== "boolean") throw this.#wants(key, "true or false");
    return value;
  }

  /** A whole number that is not negative. */
  count(key: string): number | undefined {
    const value = this.value(key);
    if (value !== undefined && (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)) throw this.#wants(key, "a whole number");
    return value;
  }

  /** A string counts as a list of one. */
  strings(key: string): readonly string[] | undefined {
    const node = this.#members.get(key);
    if (node === undefined) return undefined;
    return (node.kind === "list" ? node.items : [node]).map((item) => {
      if (item.kind !== "value" || typeof item.value !== "string") throw this.#failAt(item.line, `${this.#pathOf(key)} has to be a list of strings`);
      return item.value;
    });
  }

  child(key: string): LocatedFields | undefined {
    const node = this.#members.get(key);
    return node === undefined ? undefined : new LocatedFields(node, this.#failAt, this.#pathOf(key));
  }

  children(key: string): readonly LocatedFields[] | undefined {
    const node = this.#members.get(key);
    if (node === undefined) return undefined;
    if (node.kind !== "list") throw this.#wants(key, "a list");
    return node.items.map((item, at) => new LocatedFields(item, this.#failAt, `${this.#pathOf(key)}[${at}]`));
  }

  /** The objects by their keys. */
  entries(key: string): readonly (readonly [name: string, fields: LocatedFields])[] {
    const fields = this.child(key);
    return fields === undefined ? [] : fields.keys().map((name) => [name, fields.child(name) as LocatedFields] as const);
  }
}
