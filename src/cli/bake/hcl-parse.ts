/** HCL's native syntax: bodies of attributes and blocks, expressions with their templates. @see hcl/hclsyntax/spec.md */
import {
  binaryExpression,
  callExpression,
  conditionExpression,
  forExpression,
  indexExpression,
  splatExpression,
  templateExpression,
  unaryExpression,
  variableExpression,
  type HclExpression,
} from "./hcl-expression.ts";
import { HclTemplates } from "./hcl-template.ts";
import type { HclPlace, HclSource } from "./hcl-source.ts";
import { hclText, type HclValue } from "./hcl-value.ts";

export interface HclAttribute {
  readonly expression: HclExpression;
  readonly place: HclPlace;
}

export interface HclBlock {
  readonly type: string;
  readonly labels: readonly string[];
  readonly body: HclBody;
  readonly place: HclPlace;
}

export interface HclBody {
  readonly attributes: ReadonlyMap<string, HclAttribute>;
  readonly blocks: readonly HclBlock[];
}

const identifier = /[\p{L}_][\p{L}\p{N}_-]*/uy;
const number = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const levels: readonly (readonly string[])[] = [["||"], ["&&"], ["==", "!="], ["<=", ">=", "<", ">"], ["+", "-"], ["*", "/", "%"]];
const maxDepth = 200;

/** Fails with BAKE_DEFINITION (invalid_argument). */
export function parseHcl(source: HclSource): HclBody {
  return new HclParser(source).file();
}

/** The text of a JSON file's string. */
export function parseHclTemplate(text: string, file: string): HclExpression {
  return new HclParser({ file, text }).wholeTemplate();
}

class HclParser extends HclTemplates {
  #depth = 0;

  file(): HclBody {
    const body = this.#body();
    if (this.at < this.end) throw this.fail("Argument or block definition required", "An argument or block definition is required here.");
    return body;
  }

  wholeTemplate(): HclExpression {
    const start = this.at;
    return templateExpression(this.templateParts({ isEnd: () => this.at >= this.end, quoted: false }), this.place(start));
  }

  #body(): HclBody {
    const attributes = new Map<string, HclAttribute>();
    const blocks: HclBlock[] = [];
    for (;;) {
      this.skip(true);
      if (this.at >= this.end || this.peek("}")) return { attributes, blocks };
      const start = this.at;
      const name = this.match(identifier);
      if (name === undefined) throw this.fail("Argument or block definition required", "An argument or block definition is required here.");
      this.skip();
      if (this.peek("=") && !this.peek("==")) {
        this.at++;
        const expression = this.expression();
        if (attributes.has(name)) throw this.fail("Attribute redefined", `The argument ${JSON.stringify(name)} was already set.`, start, start + name.length);
        attributes.set(name, { expression, place: this.place(start) });
      } else blocks.push(this.#block(name, start));
      this.skip();
      if (this.at < this.end && !this.peek("\n") && !this.peek("}"))
        throw this.fail("Missing newline after argument", "An argument definition must end with a newline.");
    }
  }

  #block(type: string, start: number): HclBlock {
    const labels: string[] = [];
    for (;;) {
      this.skip();
      if (this.take("{")) break;
      const label = this.peek('"') ? hclText(this.#string()({ variable: () => undefined, call: () => undefined })) : this.match(identifier);
      if (label === undefined) throw this.fail("Invalid block definition", 'Either a quoted string block label or an opening brace ("{") is expected here.');
      labels.push(label);
    }
    const brackets = this.brackets;
    this.brackets = 0;
    const place = this.place(start);
    const body = this.#body();
    this.brackets = brackets;
    if (!this.take("}"))
      throw this.fail("Unclosed configuration block", "There is no closing brace for this block before the end of the file.", start, start + type.length);
    return { type, labels, body, place };
  }

  protected expression(): HclExpression {
    if (++this.#depth > maxDepth) throw this.fail("Expression nested too deeply", `Expressions may be nested ${maxDepth} deep.`);
    const start = (this.skip(), this.at);
    const condition = this.#binary(0);
    this.skip();
    let result = condition;
    if (this.take("?")) {
      const yes = this.expression();
      this.expect(":", "Missing false expression in conditional", "The conditional operator (...?...:...) requires a false expression, delimited by a colon.");
      result = conditionExpression(condition, yes, this.expression(), this.place(start));
    }
    this.#depth--;
    return result;
  }

  #binary(level: number): HclExpression {
    const operators = levels[level];
    if (operators === undefined) return this.#unary();
    const start = (this.skip(), this.at);
    let left = this.#binary(level + 1);
    for (;;) {
      this.skip();
      const operator = operators.find((each) => this.peek(each));
      if (operator === undefined) return left;
      this.at += operator.length;
      left = binaryExpression(operator, left, this.#binary(level + 1), this.place(start));
    }
  }

  #unary(): HclExpression {
    this.skip();
    const start = this.at;
    for (const operator of ["!", "-"] as const) {
      if (this.peek(operator) && !this.peek("!=")) {
        this.at++;
        return unaryExpression(operator, this.#unary(), this.place(start));
      }
    }
    return this.#postfix(this.#primary(), start);
  }

  #postfix(base: HclExpression, start: number): HclExpression {
    let value = base;
    for (;;) {
      if (this.take("[*]") || this.take(".*")) return this.#splat(value, start);
      if (this.peek("...")) return value;
      const next = this.#step(value, start);
      if (next === undefined) return value;
      value = next;
    }
  }

  /** What stands behind it is of each element. */
  #splat(base: HclExpression, start: number): HclExpression {
    let element: HclValue = null;
    const each = this.#postfix(() => element, start);
    return splatExpression(base, (value, scope) => {
      const before = element;
      element = value;
      try {
        return each(scope);
      } finally {
        element = before;
      }
    });
  }

  #step(value: HclExpression, start: number): HclExpression | undefined {
    if (this.peek(".")) {
      this.at++;
      const name = this.match(identifier) ?? this.match(/\d+/y);
      if (name === undefined) throw this.fail("Invalid attribute name", "An attribute name is required after a dot.");
      return indexExpression(value, () => name, this.place(start));
    }
    if (!this.take("[")) return undefined;
    const key = this.bracketed("]", () => this.expression());
    return indexExpression(value, key, this.place(start));
  }

  #primary(): HclExpression {
    const start = this.at;
    if (this.peek('"')) return this.#string();
    if (this.peek("<<")) return this.#heredoc();
    if (this.take("(")) return this.bracketed(")", () => this.expression());
    if (this.take("[")) return this.bracketed("]", () => this.#tuple());
    if (this.take("{")) return this.bracketed("}", () => this.#object());
    const digits = this.match(number);
    if (digits !== undefined) return () => Number(digits);
    const name = this.match(identifier);
    if (name === undefined) throw this.fail("Invalid expression", "Expected the start of an expression, but found an invalid expression token.");
    if (name === "true" || name === "false") return () => name === "true";
    if (name === "null") return () => null;
    if (this.take("(")) {
      const { args, isSpread } = this.bracketed(")", () => this.#arguments());
      return callExpression(name, args, isSpread, this.place(start));
    }
    return variableExpression(name, this.place(start));
  }

  #arguments(): { readonly args: readonly HclExpression[]; readonly isSpread: boolean } {
    const args: HclExpression[] = [];
    let isSpread = false;
    for (this.skip(); !this.peek(")"); this.skip()) {
      args.push(this.expression());
      this.skip();
      isSpread = this.take("...");
      this.skip();
      if (!this.take(",")) break;
    }
    return { args, isSpread };
  }

  #tuple(): HclExpression {
    this.skip();
    if (this.#isFor()) return this.#for(false);
    const elements: HclExpression[] = [];
    for (; !this.peek("]"); this.skip()) {
      elements.push(this.expression());
      this.skip();
      if (!this.take(",")) break;
      this.skip();
    }
    return (scope) => elements.map((element) => element(scope));
  }

  #object(): HclExpression {
    this.skip();
    if (this.#isFor()) return this.#for(true);
    const fields: (readonly [HclExpression, HclExpression])[] = [];
    for (; !this.peek("}"); this.skip()) {
      const key = this.#objectKey();
      this.skip();
      if (!this.take("=") && !this.take(":")) throw this.fail("Missing attribute value", 'Expected an attribute value, introduced by an equals sign ("=").');
      fields.push([key, this.expression()]);
      // a comma or a line's end; within brackets both were passed over
      this.skip();
      this.take(",");
    }
    return (scope) => Object.fromEntries(fields.map(([key, value]) => [hclText(key(scope)) ?? "", value(scope)])) as HclValue;
  }

  /** A bare word is itself, not a variable. */
  #objectKey(): HclExpression {
    this.skip();
    const start = this.at;
    const name = this.match(identifier);
    this.skip();
    if (name !== undefined && (this.peek("=") || this.peek(":"))) return () => name;
    this.at = start;
    return this.expression();
  }

  #isFor(): boolean {
    return /^for\s/.test(this.text.slice(this.at, this.at + 4));
  }

  #for(isObject: boolean): HclExpression {
    const start = this.at;
    this.at += "for".length;
    const names: string[] = [];
    do {
      this.skip();
      names.push(this.match(identifier) ?? "");
      this.skip();
    } while (this.take(","));
    const [first = "", second] = names;
    this.expect("in", "Invalid 'for' expression", "For expression requires the 'in' keyword after its name declarations.");
    const collection = this.expression();
    this.expect(":", "Invalid 'for' expression", "For expression requires a colon after the collection expression.");
    const left = this.expression();
    this.skip();
    if (isObject) this.expect("=>", "Invalid 'for' expression", "An object requires a key expression, delimited by =>.");
    const result = isObject ? this.expression() : left;
    this.skip();
    const isGrouped = this.take("...");
    this.skip();
    const condition = /^if\s/.test(this.text.slice(this.at, this.at + 3)) ? ((this.at += 2), this.expression()) : undefined;
    const value = second ?? first;
    const key = second === undefined ? undefined : first;
    return forExpression({ key, value, collection, resultKey: isObject ? left : undefined, result, condition, isGrouped }, this.place(start));
  }

  #string(): HclExpression {
    const start = this.at++;
    const parts = this.templateParts({ isEnd: () => this.peek('"'), quoted: true });
    if (!this.take('"')) throw this.fail("Unterminated template string", "No closing marker was found for the string.", start);
    return templateExpression(parts, this.place(start));
  }

  #heredoc(): HclExpression {
    const start = this.at;
    const [, dash = "", word = ""] = /^<<(-?)([\p{L}_][\p{L}\p{N}_-]*)\r?\n/u.exec(this.text.slice(this.at, this.at + 300)) ?? [];
    if (word === "") throw this.fail("Invalid expression", "Expected the start of an expression, but found an invalid expression token.");
    const first = this.text.indexOf("\n", this.at) + 1;
    const closing = new RegExp(`^[ \\t]*${word}[ \\t\\r]*$`, "m");
    const found = closing.exec(this.text.slice(first));
    if (found === null) throw this.fail("Unterminated template string", "No closing marker was found for the string.", start, first);
    const lines = this.text.slice(first, first + found.index);
    this.at = first + found.index + found[0].length;
    const indent = dash === "" ? 0 : Math.min(...lines.split("\n").flatMap((line) => (line.trim() === "" ? [] : [/^[ \t]*/.exec(line)?.[0].length ?? 0])));
    const text = indent === 0 || !Number.isFinite(indent) ? lines : lines.replace(new RegExp(`^[ \\t]{0,${indent}}`, "gm"), "");
    return parseHclTemplate(text, this.source.file);
  }
}
