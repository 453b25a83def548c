/** HCL's templates: text with `${ }` for values and `%{ }` for conditions and loops. @see hcl/hclsyntax/spec.md, "Templates" */
import { hclBoolean, hclEntries, hclText, isHclList, isHclObject, type HclValue } from "./hcl-value.ts";
import { HclCursor } from "./hcl-cursor.ts";
import { templateExpression, type HclExpression } from "./hcl-expression.ts";
import { innerScope } from "./hcl-scope.ts";
import { hclFailure, type HclPlace } from "./hcl-source.ts";

type Part = string | HclExpression;

/** Where a template is: `quoted` has backslash escapes and is on one line, the other forms go over lines. */
export interface TemplateForm {
  readonly isEnd: () => boolean;
  readonly quoted: boolean;
}

const closing: readonly string[] = ["else", "endif", "endfor"];
const identifier = /[\p{L}_][\p{L}\p{N}_-]*/uy;

export abstract class HclTemplates extends HclCursor {
  #trimsNext = false;

  protected abstract expression(): HclExpression;

  protected templateParts(form: TemplateForm): readonly Part[] {
    this.#trimsNext = false;
    const { parts, word } = this.#until(form);
    if (word !== undefined) throw this.#unexpected(word);
    return parts;
  }

  /** Up to the form's end, or past a directive that ends a part of another. */
  #until(form: TemplateForm): { readonly parts: readonly Part[]; readonly word: string | undefined } {
    const parts: Part[] = [];
    let literal = "";
    const flush = (trims = false): void => {
      const begun = this.#trimsNext ? trimmedStart(literal, form.quoted) : literal;
      const text = trims ? trimmedEnd(begun, form.quoted) : begun;
      if (text !== "") parts.push(text);
      this.#trimsNext = false;
      literal = "";
    };
    while (this.at < this.end && !form.isEnd()) {
      if (this.take("$${")) literal += "${";
      else if (this.take("%%{")) literal += "%{";
      else if (this.take("${")) {
        flush(this.take("~"));
        parts.push(this.#interpolation());
      } else if (this.take("%{")) {
        flush(this.take("~"));
        const start = this.at;
        this.skip();
        const word = this.match(identifier) ?? "";
        if (closing.includes(word)) return (this.#close(), { parts, word });
        parts.push(this.#directive(word, start, form));
      } else if (form.quoted && this.peek("\\")) literal += this.#escape();
      else if (form.quoted && this.peek("\n")) break;
      else literal += this.text[this.at++] ?? "";
    }
    flush();
    return { parts, word: undefined };
  }

  #unexpected(word: string): Error {
    return this.fail(`Unexpected ${word} directive`, "The control directives within this template are unbalanced.");
  }

  #interpolation(): HclExpression {
    const brackets = this.brackets++;
    const value = this.expression();
    this.#close("Extra characters after interpolation expression", "Expected a closing brace to end the interpolation expression.");
    this.brackets = brackets;
    return value;
  }

  /** The brace behind an expression or a directive, with the mark that takes white space from what follows. */
  #close(summary = "Extra characters in template directive", detail = "Expected a closing brace to end the directive."): void {
    this.skip();
    const trims = this.take("~");
    if (!this.take("}")) throw this.fail(summary, detail);
    this.#trimsNext = trims;
  }

  #within<T>(read: () => T): T {
    const brackets = this.brackets++;
    const value = read();
    this.#close();
    this.brackets = brackets;
    return value;
  }

  #directive(word: string, start: number, form: TemplateForm): HclExpression {
    if (word === "if") return this.#if(start, form);
    if (word === "for") return this.#for(start, form);
    throw this.fail("Invalid template control keyword", `${JSON.stringify(word)} is not a valid template control keyword.`, start);
  }

  #if(start: number, form: TemplateForm): HclExpression {
    const condition = this.#within(() => this.expression());
    const yes = this.#until(form);
    const no = yes.word === "else" ? this.#until(form) : { parts: [], word: yes.word };
    if (no.word === undefined) throw this.#unclosed("if", start);
    if (no.word !== "endif") throw this.#unexpected(no.word);
    const place = this.place(start);
    return (scope) => {
      const chosen = hclBoolean(condition(scope));
      if (chosen === undefined) throw hclFailure(place, "Incorrect condition type", "The condition expression must be of type bool.");
      return textOf(chosen ? yes.parts : no.parts, place)(scope);
    };
  }

  #for(start: number, form: TemplateForm): HclExpression {
    const { names, collection } = this.#within(() => {
      const found: string[] = [];
      do {
        this.skip();
        found.push(this.match(identifier) ?? "");
        this.skip();
      } while (this.take(","));
      this.expect("in", "Invalid 'for' directive", "For directive requires 'in' keyword after names.");
      return { names: found, collection: this.expression() };
    });
    const body = this.#until(form);
    if (body.word === undefined) throw this.#unclosed("for", start);
    if (body.word !== "endfor") throw this.#unexpected(body.word);
    const place = this.place(start);
    const [first = "", second] = names;
    return (scope) => {
      const found = collection(scope);
      if (!isHclList(found) && !isHclObject(found))
        throw hclFailure(place, "Iteration over non-iterable value", "A value of this type cannot be used as the collection in a 'for' expression.");
      const text = hclEntries(found).map(([at, element]) => {
        const named: (readonly [string, HclValue])[] =
          second === undefined
            ? [[first, element]]
            : [
                [first, at],
                [second, element],
              ];
        return hclText(textOf(body.parts, place)(innerScope(scope, new Map(named))));
      });
      return text.join("");
    };
  }

  #unclosed(word: string, start: number): Error {
    return this.fail("Unexpected end of template", `The ${word} directive that begins here has no end${word}.`, start, start + word.length);
  }

  #escape(): string {
    const start = this.at;
    const found = this.match(/\\(?:[nrt"\\]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/y);
    if (found === undefined) throw this.fail("Invalid escape sequence", "The symbol is not a valid escape sequence selector.", start, start + 2);
    const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };
    const selector = found[1] ?? "";
    return escapes[selector] ?? String.fromCodePoint(Number.parseInt(found.slice(2), 16));
  }
}

/** Text always, also of a lone interpolation. */
function textOf(parts: readonly Part[], place: HclPlace): HclExpression {
  return templateExpression(["", ...parts], place);
}

/** Over lines a mark reaches to the end of its line, and no further. */
function trimmedStart(text: string, quoted: boolean): string {
  return quoted ? text.trimStart() : text.replace(/^[^\S\n]*\n?/, "");
}

function trimmedEnd(text: string, quoted: boolean): string {
  if (quoted) return text.trimEnd();
  const line = text.lastIndexOf("\n", text.length - 2) + 1;
  return text.slice(0, line) + text.slice(line).trimEnd();
}
