/** Runs a template's tree over a value. Failures are in Go's words, with the place and the expression. */
import { cliError } from "./failure.ts";
import { lineOf } from "./go-template-lex.ts";
import type { CommandNode, Node, Operand, Pipeline, Template } from "./go-template-parse.ts";
import { formatGoValue, GoStruct, isList, isMap, isTrue, sortedKeys, typeNameOf } from "./go-value.ts";
import type { GoValue } from "./go-value.ts";

export interface GoFunction {
  readonly min: number;
  /** absent: any number */
  readonly max?: number;
  /** A thrown Error becomes "error calling NAME: message". */
  call(args: readonly GoValue[]): GoValue;
}

export interface EvaluateOptions {
  readonly functions: ReadonlyMap<string, GoFunction>;
  /** a map without the key: "no value" (Go's default) or an error */
  readonly missingKey?: "default" | "error";
  /** begins the message of a failed evaluation; Docker's "template parsing error: " if not given */
  readonly errorPrefix?: string;
}

/** The value behind the last field was a nil of a struct, which prints as `<nil>`; a map's is `<no value>`. */
type Scope = { readonly name: string; value: GoValue }[];

class Stop {
  readonly kind: "break" | "continue";
  constructor(kind: "break" | "continue") {
    this.kind = kind;
  }
}

const maxOutput = 64 << 20;
const maxDepth = 100;

class Evaluation {
  #output = "";
  #depth = 0;
  readonly #template: Template;
  readonly #options: EvaluateOptions;

  constructor(template: Template, options: EvaluateOptions) {
    this.#template = template;
    this.#options = options;
  }

  run(data: GoValue): string {
    this.#nodes(this.#template.root, data, [{ name: "$", value: data }]);
    return this.#output;
  }

  fail(at: number, expression: string, message: string): Error {
    const { name, text } = this.#template.source;
    const column = Buffer.byteLength(text.slice(text.lastIndexOf("\n", at - 1) + 1, at));
    const place = `template: ${name}:${lineOf(text, at)}:${column}: executing ${JSON.stringify(name)} at <${expression}>`;
    return cliError(`${this.#options.errorPrefix ?? "template parsing error: "}${place}: ${message}`, "TEMPLATE");
  }

  #write(text: string): void {
    this.#output += text;
    if (this.#output.length > maxOutput) throw cliError("the template's output is too long", "TEMPLATE");
  }

  #nodes(nodes: readonly Node[], dot: GoValue, scope: Scope): void {
    for (const node of nodes) this.#node(node, dot, scope);
  }

  #node(node: Node, dot: GoValue, scope: Scope): void {
    switch (node.kind) {
      case "text":
        return this.#write(node.text);
      case "print": {
        const value = this.#pipeline(node.pipeline, dot, scope);
        return node.pipeline.variables.length > 0 ? undefined : this.#write(value === undefined ? "<no value>" : formatGoValue(value));
      }
      case "if":
      case "with":
        return this.#branch(node, dot, [...scope]);
      case "range":
        return this.#range(node, dot, [...scope]);
      case "template":
        return this.#call(node, dot, scope);
      default:
        throw new Stop(node.kind);
    }
  }

  #branch(node: Extract<Node, { readonly body: unknown }>, dot: GoValue, scope: Scope): void {
    const value = this.#pipeline(node.pipeline, dot, scope);
    if (isTrue(value)) this.#nodes(node.body, node.kind === "with" ? value : dot, scope);
    else this.#nodes(node.otherwise, dot, scope);
  }

  #range(node: Extract<Node, { readonly body: unknown }>, dot: GoValue, scope: Scope): void {
    const value = this.#pipeline({ ...node.pipeline, variables: [] }, dot, scope);
    const entries = this.#entries(node.pipeline, value);
    if (entries.length === 0) return this.#nodes(node.otherwise, dot, scope);
    for (const [key, element] of entries) {
      const inner = [...scope];
      const { variables, assigns } = node.pipeline;
      const bound = variables.length === 2 ? [key, element] : [element];
      for (const [index, name] of variables.entries()) this.#bind(inner, name, bound[index], assigns);
      try {
        this.#nodes(node.body, element, inner);
      } catch (stop) {
        if (!(stop instanceof Stop)) throw stop;
        if (stop.kind === "break") return;
      }
    }
  }

  #entries(pipeline: Pipeline, value: GoValue): readonly (readonly [GoValue, GoValue])[] {
    if (value === undefined || value === null) return [];
    if (isList(value)) return value.map((element, index) => [index, element]);
    if (isMap(value)) return sortedKeys(value).map((key) => [key, value[key]]);
    if (typeof value === "number" && Number.isInteger(value) && value <= 1e6) return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index]);
    throw this.fail(pipeline.at, pipeline.commands.map((command) => command.text).join(" | "), `range can't iterate over ${formatGoValue(value)}`);
  }

  #call(node: Extract<Node, { readonly kind: "template" }>, dot: GoValue, scope: Scope): void {
    const body = this.#template.defined.get(node.name);
    if (body === undefined) throw this.fail(node.at, `template ${JSON.stringify(node.name)}`, `template ${JSON.stringify(node.name)} not defined`);
    if (++this.#depth > maxDepth) throw this.fail(node.at, node.name, "exceeded maximum template depth");
    const data = node.pipeline === undefined ? undefined : this.#pipeline(node.pipeline, dot, scope);
    this.#nodes(body, data, [{ name: "$", value: data }]);
    this.#depth--;
  }

  #bind(scope: Scope, name: string, value: GoValue, assigns: boolean): void {
    const existing = assigns ? scope.findLast((entry) => entry.name === name) : undefined;
    if (existing !== undefined) existing.value = value;
    else scope.push({ name, value });
  }

  #pipeline(pipeline: Pipeline, dot: GoValue, scope: Scope): GoValue {
    let value: GoValue;
    for (const [index, command] of pipeline.commands.entries()) value = this.#command(command, dot, scope, index === 0 ? [] : [value]);
    for (const name of pipeline.variables) this.#bind(scope, name, value, pipeline.assigns);
    return value;
  }

  #command(command: CommandNode, dot: GoValue, scope: Scope, piped: readonly GoValue[]): GoValue {
    const [first, ...rest] = command.operands;
    if (first!.kind === "function") {
      const named = first!;
      if (named.name === "and" || named.name === "or") return this.#shortCircuit(named.name, rest, dot, scope, piped);
      return this.#function(named, [...rest.map((operand) => this.#operand(operand, dot, scope)), ...piped], command);
    }
    if (first!.kind === "fields") {
      return this.#fields(first!, dot, scope, [...rest.map((operand) => this.#operand(operand, dot, scope)), ...piped]);
    }
    if (rest.length > 0 || piped.length > 0) throw this.fail(first!.at, first!.text, `can't give argument to non-function ${first!.text}`);
    if (first!.kind === "nil") throw this.fail(first!.at, "nil", "nil is not a command");
    return this.#operand(first!, dot, scope);
  }

  #shortCircuit(name: "and" | "or", rest: readonly Operand[], dot: GoValue, scope: Scope, piped: readonly GoValue[]): GoValue {
    let value: GoValue;
    for (const operand of rest) {
      value = this.#operand(operand, dot, scope);
      if (isTrue(value) === (name === "or")) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #function(operand: Extract<Operand, { readonly kind: "function" }>, args: readonly GoValue[], command: CommandNode | undefined): GoValue {
    const { name, at } = operand;
    const definition = this.#options.functions.get(name)!;
    if (args.length < definition.min || (definition.max !== undefined && args.length > definition.max)) {
      const want = definition.max === definition.min ? String(definition.min) : `at least ${definition.min}`;
      throw this.fail(at, name, `wrong number of args for ${name}: want ${want} got ${args.length}`);
    }
    try {
      return definition.call(args);
    } catch (error) {
      throw this.fail(at, command?.text ?? name, `error calling ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #operand(operand: Operand, dot: GoValue, scope: Scope): GoValue {
    switch (operand.kind) {
      case "constant":
        return operand.value;
      case "nil":
        return null;
      case "dot":
        return dot;
      case "variable":
        return scope.findLast((entry) => entry.name === operand.name)?.value;
      case "function":
        return this.#function(operand, [], undefined);
      case "fields":
        return this.#fields(operand, dot, scope, []);
      case "pipeline":
        return this.#pipeline(operand.pipeline, dot, [...scope]);
    }
  }

  #fields(operand: Extract<Operand, { readonly kind: "fields" }>, dot: GoValue, scope: Scope, args: readonly GoValue[]): GoValue {
    let value = this.#operand(operand.base, dot, scope);
    for (const [index, name] of operand.names.entries()) {
      value = this.#field(operand, value, name, index === operand.names.length - 1 ? args : []);
    }
    return value;
  }

  #field(operand: Operand, value: GoValue, name: string, args: readonly GoValue[]): GoValue {
    const fail = (message: string): Error => this.fail(operand.at, operand.text, message);
    if (value instanceof GoStruct) {
      const method = value.methods[name];
      if (method !== undefined) return method(...args);
      if (!Object.hasOwn(value.fields, name)) throw fail(`can't evaluate field ${name} in type ${value.typeName}`);
      if (args.length > 0) throw fail(`wrong number of args for ${name}: want 0 got ${args.length}`);
      return value.fields[name];
    }
    if (args.length > 0) throw fail(`${name} is not a method but has arguments`);
    if (isMap(value)) {
      if (Object.hasOwn(value, name)) return value[name] ?? undefined;
      if (this.#options.missingKey === "error") throw fail(`map has no entry for key ${JSON.stringify(name)}`);
      return undefined;
    }
    if (value === undefined || value === null) {
      if (this.#options.missingKey !== "error" && value === undefined) return undefined;
      throw fail(`nil pointer evaluating interface {}.${name}`);
    }
    throw fail(`can't evaluate field ${name} in type ${this.#options.missingKey === "error" ? "interface {}" : typeNameOf(value)}`);
  }
}

/** Fails with TEMPLATE (invalid_argument) in Go's words. */
export function evaluateTemplate(template: Template, data: GoValue, options: EvaluateOptions): string {
  return new Evaluation(template, options).run(data);
}
