/** Go's text/template syntax to a tree: actions, pipelines, if, range, with, define, template, break, continue. */
import { parseFailure, splitTemplate } from "./go-template-lex.ts";
import type { Piece, TemplateSource, Token } from "./go-template-lex.ts";

/** `at` is the offset that an error names, `text` what it quotes. */
export type Operand =
  | { readonly kind: "constant"; readonly value: string | number | boolean; readonly at: number; readonly text: string }
  | { readonly kind: "nil"; readonly at: number; readonly text: string }
  | { readonly kind: "dot"; readonly at: number; readonly text: string }
  | { readonly kind: "variable"; readonly name: string; readonly at: number; readonly text: string }
  | { readonly kind: "function"; readonly name: string; readonly at: number; readonly text: string }
  | { readonly kind: "fields"; readonly base: Operand; readonly names: readonly string[]; readonly at: number; readonly text: string }
  | { readonly kind: "pipeline"; readonly pipeline: Pipeline; readonly at: number; readonly text: string };

export interface CommandNode {
  readonly operands: readonly Operand[];
  readonly text: string;
}

export interface Pipeline {
  readonly commands: readonly CommandNode[];
  /** `$x :=` or `$i, $x :=` */
  readonly variables: readonly string[];
  /** `$x =` sets a variable that exists */
  readonly assigns: boolean;
  readonly at: number;
}

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipeline: Pipeline }
  | { readonly kind: "if" | "range" | "with"; readonly pipeline: Pipeline; readonly body: readonly Node[]; readonly otherwise: readonly Node[] }
  | { readonly kind: "template"; readonly name: string; readonly pipeline: Pipeline | undefined; readonly at: number }
  | { readonly kind: "break" | "continue" };

export interface Template {
  readonly source: TemplateSource;
  readonly root: readonly Node[];
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}

type Ended = "end" | "else" | "else if" | "else with" | "EOF";

class TreeBuilder {
  readonly defined = new Map<string, readonly Node[]>();
  readonly #source: TemplateSource;
  readonly #functions: ReadonlySet<string>;
  readonly #pieces: readonly Piece[];
  readonly #variables: string[] = ["$"];
  #next = 0;
  #tokens: readonly Token[] = [];
  #at = 0;
  #loops = 0;

  constructor(source: TemplateSource, functions: ReadonlySet<string>) {
    this.#source = source;
    this.#functions = functions;
    this.#pieces = splitTemplate(source);
  }

  root(): readonly Node[] {
    const { nodes, ended } = this.#list();
    if (ended !== "EOF") throw this.#fail(`unexpected {{${ended}}}`);
    return nodes;
  }

  #fail(message: string, token: Token | undefined = this.#tokens[this.#at]): Error {
    const piece = this.#pieces[this.#next - 1];
    return parseFailure(this.#source, token?.at ?? (piece?.kind === "action" ? piece.at : this.#source.text.length), message);
  }

  #list(): { nodes: readonly Node[]; ended: Ended } {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#next++];
      if (piece === undefined) return { nodes, ended: "EOF" };
      if (piece.kind === "text") {
        nodes.push(piece);
        continue;
      }
      this.#tokens = piece.tokens;
      this.#at = 0;
      const word = piece.tokens[0];
      const keyword = word?.kind === "identifier" ? word.text : "";
      if (keyword === "end" || keyword === "else") return { nodes, ended: this.#closing(keyword) };
      const node = this.#action(keyword);
      if (node !== undefined) nodes.push(node);
    }
  }

  #closing(keyword: "end" | "else"): Ended {
    this.#at = 1;
    const word = this.#tokens[1];
    if (keyword === "else" && word?.kind === "identifier" && (word.text === "if" || word.text === "with")) return `else ${word.text}`;
    this.#expectEnd(keyword);
    return keyword;
  }

  #expectEnd(context: string): void {
    const token = this.#tokens[this.#at];
    if (token !== undefined) throw this.#fail(`unexpected <${token.text}> in ${context}`);
  }

  #action(keyword: string): Node | undefined {
    switch (keyword) {
      case "if":
      case "range":
      case "with":
        this.#at = 1;
        return this.#control(keyword);
      case "define":
      case "block":
        return this.#define(keyword);
      case "template": {
        const name = this.#nameOf("template clause");
        const at = this.#tokens[0]!.at;
        return { kind: "template", name, pipeline: this.#at < this.#tokens.length ? this.#pipeline("template clause") : undefined, at };
      }
      case "break":
      case "continue":
        if (this.#loops === 0) throw this.#fail(`{{${keyword}}} outside {{range}}`);
        return { kind: keyword };
      default: {
        const pipeline = this.#pipeline("command");
        return { kind: "print", pipeline };
      }
    }
  }

  #nameOf(context: string): string {
    const token = this.#tokens[1];
    if (token?.kind !== "string") throw this.#fail(`unexpected ${token === undefined ? "}}" : `<${token.text}>`} in ${context}`);
    this.#at = 2;
    return token.value;
  }

  #define(keyword: string): Node | undefined {
    const name = this.#nameOf(`${keyword} clause`);
    const at = this.#tokens[0]!.at;
    const pipeline = keyword === "block" ? this.#pipeline("block clause") : undefined;
    const { nodes, ended } = this.#list();
    if (ended !== "end") throw this.#fail(ended === "EOF" ? "unexpected EOF" : `unexpected {{${ended}}} in define clause`);
    this.defined.set(name, nodes);
    return pipeline === undefined ? undefined : { kind: "template", name, pipeline, at };
  }

  #control(kind: "if" | "range" | "with"): Node {
    const depth = this.#variables.length;
    const pipeline = this.#pipeline(kind);
    if (kind === "range") this.#loops++;
    const { nodes: body, ended } = this.#list();
    if (kind === "range") this.#loops--;
    let otherwise: readonly Node[] = [];
    if (ended === "EOF") throw this.#fail("unexpected EOF");
    if (ended === "else if" || ended === "else with") {
      this.#at = 2;
      otherwise = [this.#control(ended === "else if" ? "if" : "with")];
    } else if (ended === "else") {
      const rest = this.#list();
      if (rest.ended === "EOF") throw this.#fail("unexpected EOF");
      if (rest.ended !== "end") throw this.#fail("expected end; found {{else}}");
      otherwise = rest.nodes;
    }
    this.#variables.length = depth;
    return { kind, pipeline, body, otherwise };
  }

  #pipeline(context: string, closing?: ")"): Pipeline {
    const at = this.#tokens[this.#at]?.at ?? this.#source.text.length;
    const { variables, assigns } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined || (closing !== undefined && token.text === closing)) break;
      if (token.text === "|" && token.kind === "operator") {
        if (commands.length === 0 || this.#tokens[this.#at + 1] === undefined)
          throw this.#fail(commands.length === 0 ? 'unexpected "|" in command' : `missing value for ${context}`);
        this.#at++;
      }
      commands.push(this.#command(context));
    }
    if (commands.length === 0) throw this.#fail(`missing value for ${context}`);
    this.#variables.push(...(assigns ? [] : variables));
    return { commands, variables, assigns, at };
  }

  #declarations(context: string): { variables: readonly string[]; assigns: boolean } {
    const [first, second, third, fourth] = this.#tokens.slice(this.#at, this.#at + 4);
    if (first?.kind !== "variable") return { variables: [], assigns: false };
    if (second?.text === ":=" || second?.text === "=") {
      this.#at += 2;
      return { variables: [first.text], assigns: second.text === "=" };
    }
    if (context === "range" && second?.text === "," && third?.kind === "variable" && (fourth?.text === ":=" || fourth?.text === "=")) {
      this.#at += 4;
      return { variables: [first.text, third.text], assigns: fourth.text === "=" };
    }
    return { variables: [], assigns: false };
  }

  #command(context: string): CommandNode {
    const operands: Operand[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined || (token.kind === "operator" && (token.text === "|" || token.text === ")"))) break;
      if (operands.length > 0 && !token.spaced) throw this.#fail(`unexpected <${token.text}> in operand`);
      operands.push(this.#operand(context));
    }
    if (operands.length === 0) throw this.#fail(`unexpected ${JSON.stringify(this.#tokens[this.#at]?.text ?? "}}")} in ${context}`);
    return { operands, text: operands.map((operand) => operand.text).join(" ") };
  }

  #operand(context: string): Operand {
    const base = this.#term(context);
    const names: string[] = [];
    let at = base.at;
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token?.kind === "field" && !token.spaced) {
        at = token.at;
        names.push(token.text.slice(1));
        this.#at++;
        if (names.length === 1) at = token.at;
        continue;
      }
      break;
    }
    if (names.length === 0) return base;
    const own = base.kind === "fields" ? base : undefined;
    const all = own === undefined ? names : [...own.names, ...names];
    const first = this.#positionOfChain(base, at, names.length);
    return { kind: "fields", base: own?.base ?? base, names: all, at: first, text: `${base.text}${names.map((name) => `.${name}`).join("")}` };
  }

  /** Go names a chain of fields by where its second field begins. */
  #positionOfChain(base: Operand, at: number, count: number): number {
    return count <= 1 ? at : base.at + base.text.length;
  }

  #term(context: string): Operand {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.#fail(`missing value for ${context}`);
    this.#at++;
    const { at, text } = token;
    switch (token.kind) {
      case "string":
      case "number":
        return { kind: "constant", value: token.value, at, text };
      case "field":
        return { kind: "fields", base: { kind: "dot", at, text: "" }, names: [text.slice(1)], at, text };
      case "variable":
        if (!this.#variables.includes(text)) throw this.#fail(`undefined variable ${JSON.stringify(text)}`, token);
        return { kind: "variable", name: text, at, text };
      case "identifier":
        return this.#word(token);
      default:
        if (text === ".") return { kind: "dot", at, text };
        if (text === "(") return this.#parenthesized(at);
        throw this.#fail(`unexpected <${text}> in operand`, token);
    }
  }

  #word(token: Token): Operand {
    const { at, text } = token;
    if (text === "true" || text === "false") return { kind: "constant", value: text === "true", at, text };
    if (text === "nil") return { kind: "nil", at, text };
    if (!this.#functions.has(text)) throw this.#fail(`function ${JSON.stringify(text)} not defined`, token);
    return { kind: "function", name: text, at, text };
  }

  #parenthesized(at: number): Operand {
    const pipeline = this.#pipeline("parenthesized pipeline", ")");
    const close = this.#tokens[this.#at];
    if (close?.text !== ")") throw this.#fail("unclosed left paren");
    this.#at++;
    return { kind: "pipeline", pipeline, at, text: this.#source.text.slice(at, close.at + 1) };
  }
}

/** Fails with TEMPLATE (invalid_argument) in Go's words. */
export function parseTemplate(source: TemplateSource, functions: ReadonlySet<string>): Template {
  const builder = new TreeBuilder(source, functions);
  const root = builder.root();
  return { source, root, defined: builder.defined };
}
