/** Bake files, read and merged: variables with their values, functions, groups and targets as they were written. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import { fileError } from "../commands/archive-file.ts";
import { errnoOf } from "../../base/errors.ts";
import { cliError } from "../failure.ts";
import { givenValue, readGiven, type GivenValue } from "./bake-values.ts";
import { parseDotEnv, type Variables } from "./compose-words.ts";
import type { HclExpression } from "./hcl-expression.ts";
import { hclFunctions } from "./hcl-functions.ts";
import { parseHcl, parseHclTemplate, type HclAttribute, type HclBlock, type HclBody } from "./hcl-parse.ts";
import { innerScope, type HclScope } from "./hcl-scope.ts";
import { hclFailure, type HclPlace } from "./hcl-source.ts";
import { hclText, hclTypeName, isHclList, type HclValue } from "./hcl-value.ts";

export interface BakeVariable {
  readonly name: string;
  readonly value: HclValue;
  readonly description: string;
  readonly type: string;
}

/** The attributes of blocks of one name, later files after earlier ones. */
export type BakeBlocks = ReadonlyMap<string, readonly HclBody[]>;

export interface BakeDefinition {
  readonly scope: HclScope;
  readonly variables: readonly BakeVariable[];
  readonly groups: BakeBlocks;
  readonly targets: BakeBlocks;
}

const defaultFiles = [
  "compose.yaml",
  "compose.yml",
  "docker-compose.yml",
  "docker-compose.yaml",
  "docker-bake.json",
  "docker-bake.hcl",
  "docker-bake.override.json",
  "docker-bake.override.hcl",
] as const;

const maxFileBytes = 4 * 1024 * 1024;
const isCompose = (file: string): boolean => /\.ya?ml$/i.test(file);

export interface BakeSurroundings {
  readonly cwd: string;
  readonly env: Variables;
}

/** Compose files first: what bake files say counts more. Fails with INPUT_FILE and BAKE_DEFINITION (invalid_argument). */
export async function readBakeFiles({ cwd, env }: BakeSurroundings, files: readonly string[], stdin: string | undefined): Promise<readonly HclBody[]> {
  const texts = files.length > 0 ? files.map((file) => ({ file, text: file === "-" ? (stdin ?? "") : textOf(cwd, file) })) : defaultTexts(cwd);
  if (texts.length === 0) throw cliError("couldn't find a bake definition", "BAKE_DEFINITION", { plain: true });
  const compose = texts.filter(({ file }) => isCompose(file));
  const variables = compose.length === 0 ? env : { ...dotEnv(cwd, env), ...env };
  const composed: HclBody[] = [];
  const read = (path: string, optional?: "optional"): string | undefined =>
    optional !== undefined && !existsSync(resolve(cwd, path)) ? undefined : textOf(cwd, path);
  for (const { file, text } of compose) composed.push(await (await import("./compose-file.ts")).composeBody({ file, text, directory: ".", variables, read }));
  return [...composed, ...texts.filter(({ file }) => !isCompose(file)).map(({ file, text }) => bodyOf(file, text))];
}

function dotEnv(cwd: string, env: Variables): Variables {
  try {
    return parseDotEnv(readFileSync(resolve(cwd, ".env"), "utf8"), env);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return {};
    throw fileError("open", ".env", error, "INPUT_FILE");
  }
}

function textOf(cwd: string, file: string): string {
  try {
    return readFileSync(resolve(cwd, file), "utf8").slice(0, maxFileBytes);
  } catch (error) {
    throw fileError("open", file, error, "INPUT_FILE");
  }
}

function defaultTexts(cwd: string): readonly { readonly file: string; readonly text: string }[] {
  return defaultFiles.flatMap((file) => {
    try {
      return [{ file, text: readFileSync(resolve(cwd, file), "utf8") }];
    } catch {
      return [];
    }
  });
}

function bodyOf(file: string, text: string): HclBody {
  const isJson = /\.json$/i.test(file) || (!/\.hcl$/i.test(file) && text.trimStart().startsWith("{"));
  return isJson ? jsonBody(file, text) : parseHcl({ file, text });
}

/** In JSON every text is a template, and blocks are objects by their labels. */
function jsonBody(file: string, text: string): HclBody {
  const place: HclPlace = { source: { file, text }, start: 0, end: 0 };
  const whole = new Fields(parseJsonObject(Buffer.from(text), file, { maxBytes: maxFileBytes, maxDepth: 64 }), file);
  const blocks = ["variable", "function", "group", "target"].flatMap((type) =>
    Object.entries((whole.get(type) ?? {}) as Readonly<Record<string, unknown>>).map(([label, value]): HclBlock => ({
      type,
      labels: [label],
      place,
      body: { blocks: [], attributes: jsonAttributes(value, place) },
    })),
  );
  return { attributes: new Map(), blocks };
}

function jsonAttributes(value: unknown, place: HclPlace): ReadonlyMap<string, HclAttribute> {
  return new Map(
    Object.entries((value ?? {}) as Readonly<Record<string, unknown>>).map(([name, each]) => [
      name,
      { place, expression: jsonExpression(each, place.source.file) },
    ]),
  );
}

function jsonExpression(value: unknown, file: string): HclExpression {
  if (typeof value === "string") return parseHclTemplate(value, file);
  if (Array.isArray(value)) {
    const elements = value.map((each) => jsonExpression(each, file));
    return (scope) => elements.map((element) => element(scope));
  }
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, each]) => [name, jsonExpression(each, file)] as const);
    return (scope) => Object.fromEntries(fields.map(([name, each]) => [name, each(scope)]));
  }
  return () => (typeof value === "number" || typeof value === "boolean" ? value : null);
}

function blocksOf(bodies: readonly HclBody[], type: string): ReadonlyMap<string, readonly HclBlock[]> {
  const found = new Map<string, HclBlock[]>();
  for (const block of bodies.flatMap(({ blocks }) => blocks)) {
    if (block.type !== type) continue;
    const [name] = block.labels;
    if (name === undefined || block.labels.length > 1) throw hclFailure(block.place, `Invalid ${type} block`, "One name is expected here");
    found.set(name, [...(found.get(name) ?? []), block]);
  }
  return found;
}

const known: readonly string[] = ["variable", "function", "group", "target"];

/** Fails with BAKE_DEFINITION (invalid_argument). */
export function resolveBake(
  bodies: readonly HclBody[],
  env: Readonly<Record<string, string | undefined>>,
  predefined: ReadonlyMap<string, HclValue>,
): BakeDefinition {
  const strange = bodies.flatMap(({ blocks }) => blocks).find(({ type }) => !known.includes(type));
  if (strange !== undefined) throw hclFailure(strange.place, "Unsupported block type", `Blocks of type ${JSON.stringify(strange.type)} are not expected here.`);
  const [variables, functions] = [blocksOf(bodies, "variable"), blocksOf(bodies, "function")];
  const globals = new Map(bodies.flatMap(({ attributes }) => [...attributes]));
  const values = new Map<string, HclValue>();
  const running = new Set<string>();
  const valueOf = (name: string): HclValue | undefined => {
    if (values.has(name)) return values.get(name);
    const blocks = variables.get(name);
    const global = globals.get(name);
    if (blocks === undefined && global === undefined) return predefined.get(name);
    if (running.has(name)) throw cliError(`variable cycle not allowed for ${name}`, "BAKE_DEFINITION", { plain: true });
    running.add(name);
    const value = blocks === undefined ? (global as HclAttribute).expression(scope) : variableValue(name, blocks, givenValue(name, env), scope);
    running.delete(name);
    values.set(name, value);
    return value;
  };
  const scope: HclScope = {
    variable: valueOf,
    call: (name) => {
      const own = functions.get(name)?.at(-1);
      return own === undefined ? hclFunctions.get(name) : (args) => callOwn(own, args, scope);
    },
  };
  for (const [name, blocks] of variables) {
    valueOf(name);
    for (const block of blocks) checkVariable(name, block, scope);
  }
  const bodiesOf = (type: string): BakeBlocks => new Map([...blocksOf(bodies, type)].map(([name, blocks]) => [name, blocks.map(({ body }) => body)]));
  const told = [...variables].map(([name, blocks]): BakeVariable => {
    const word = (key: string): string =>
      hclText(
        blocks
          .findLast(({ body }) => body.attributes.has(key))
          ?.body.attributes.get(key)
          ?.expression(typeScope) ?? "",
      ) ?? "";
    return { name, value: values.get(name) ?? null, description: word("description"), type: word("type") };
  });
  return { scope, variables: told, groups: bodiesOf("group"), targets: bodiesOf("target") };
}

/** `type = list(string)`: names of types stand for themselves. */
const typeScope: HclScope = {
  variable: (name) => name,
  call: (name) => (args) => `${name}(${args.map((arg) => hclText(arg) ?? "").join(",")})`,
};

/** What the environment says becomes what the variable's type is, else its default's. */
function variableValue(name: string, blocks: readonly HclBlock[], given: GivenValue | undefined, scope: HclScope): HclValue {
  const attribute = (key: string): HclAttribute | undefined => blocks.findLast(({ body }) => body.attributes.has(key))?.body.attributes.get(key);
  const fallback = attribute("default")?.expression(scope) ?? null;
  const type = hclText(attribute("type")?.expression(typeScope) ?? "") ?? "";
  if (given === undefined) return fallback;
  if (type === "" && fallback === null) return given.text;
  try {
    if (type === "" && typeof fallback === "object") throw new Error(`unsupported type ${hclTypeName(fallback)} for variable ${name}`);
    return readGiven(name, type === "" ? hclTypeName(fallback) : type, given);
  } catch (error) {
    const { place } = attribute("default") ?? (blocks[0] as HclBlock);
    throw hclFailure(place, "Invalid value", error instanceof Error ? error.message : "");
  }
}

function checkVariable(name: string, { body }: HclBlock, scope: HclScope): void {
  for (const { type, body: rule, place } of body.blocks) {
    if (type !== "validation") throw hclFailure(place, "Unsupported block type", `Blocks of type ${JSON.stringify(type)} are not expected here.`);
    if (rule.attributes.get("condition")?.expression(scope) === true) continue;
    const message = hclText(rule.attributes.get("error_message")?.expression(scope) ?? "") ?? "";
    throw hclFailure(place, "Validation failed", message === "" ? `The value of ${name} is not allowed` : message);
  }
}

function callOwn({ body, place, labels }: HclBlock, args: readonly HclValue[], scope: HclScope): HclValue {
  const names = parameterNames(body, "params");
  const variadic = parameterNames(body, "variadic_params")[0];
  if (args.length < names.length || (variadic === undefined && args.length > names.length))
    throw new TypeError(`${labels[0]} takes ${names.length} arguments, not ${args.length}`);
  const result = body.attributes.get("result");
  if (result === undefined) throw hclFailure(place, "Missing required argument", 'The argument "result" is required, but no definition was found.');
  const values = new Map<string, HclValue>(names.map((name, at) => [name, args[at] ?? null]));
  if (variadic !== undefined) values.set(variadic, args.slice(names.length));
  return result.expression(innerScope(scope, values));
}

/** They are written as bare words. */
function parameterNames(body: HclBody, key: string): readonly string[] {
  const value = body.attributes.get(key)?.expression(typeScope) ?? [];
  return isHclList(value) ? value.map((name) => hclText(name) ?? "") : [hclText(value) ?? ""];
}
