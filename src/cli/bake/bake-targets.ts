/** From a definition to the targets that are built: groups opened, matrices multiplied, what they inherit and what --set says put in. */
import { cliError } from "../failure.ts";
import { attributeFrom, attributeKind, fieldsFrom, isAttributeName, mergeAttributes, type BakeAttribute, type BakeAttributes } from "./bake-attributes.ts";
import type { BakeDefinition } from "./bake-definition.ts";
import type { HclBody } from "./hcl-parse.ts";
import { innerScope, type HclScope } from "./hcl-scope.ts";
import { hclFailure } from "./hcl-source.ts";
import { hclEntries, hclText, isHclList, isHclObject, type HclValue } from "./hcl-value.ts";

export interface BakeTarget {
  readonly name: string;
  readonly attributes: BakeAttributes;
}

export interface BakePlan {
  /** by name, sorted */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** what is asked for, and what those take as contexts, each after what it needs */
  readonly targets: readonly BakeTarget[];
}

interface Written {
  readonly bodies: readonly HclBody[];
  readonly scope: HclScope;
}

function refuse(message: string): Error {
  return cliError(message, "BAKE_DEFINITION", { plain: true });
}

const ownWords: readonly string[] = ["inherits", "matrix", "name"];

/** The targets whose results it stands on. */
export function targetsBelow(attributes: BakeAttributes): readonly string[] {
  const contexts = Object.values((attributes["contexts"] ?? {}) as Readonly<Record<string, string>>);
  return contexts.flatMap((context) => (context.startsWith("target:") ? [context.slice("target:".length)] : []));
}

export class BakeTargets {
  readonly #definition: BakeDefinition;
  readonly #written = new Map<string, Written>();
  readonly #groups = new Map<string, readonly string[]>();

  /** Fails with BAKE_DEFINITION (invalid_argument). */
  constructor(definition: BakeDefinition) {
    this.#definition = definition;
    const { scope } = definition;
    for (const [name, bodies] of definition.groups) this.#groups.set(name, textsOf(bodies, "targets", scope));
    for (const [name, bodies] of definition.targets) this.#write(name, bodies);
  }

  get groups(): ReadonlyMap<string, readonly string[]> {
    return this.#groups;
  }

  get names(): readonly string[] {
    return [...this.#written.keys()].toSorted();
  }

  descriptionOf(name: string): string {
    const bodies = this.#definition.groups.get(name) ?? this.#written.get(name)?.bodies ?? [];
    return hclText(valueOf(bodies, "description", this.#written.get(name)?.scope ?? this.#definition.scope) ?? "") ?? "";
  }

  /** A matrix makes a target of each of its combinations, the first name counting fastest, and a group of them all. */
  #write(name: string, bodies: readonly HclBody[]): void {
    const { scope } = this.#definition;
    const matrix = valueOf(bodies, "matrix", scope);
    if (matrix === undefined || matrix === null) {
      this.#written.set(name, { bodies, scope });
      return;
    }
    const expression = bodies.findLast(({ attributes }) => attributes.has("name"))?.attributes.get("name");
    if (expression === undefined) throw refuse(`target ${name}: matrix requires a name attribute`);
    if (!isHclObject(matrix)) throw hclFailure(expression.place, "Invalid matrix", "matrix must be a map");
    const made: string[] = [];
    for (const values of combinations(matrix)) {
      const inner = innerScope(scope, values);
      const each = hclText(expression.expression(inner)) ?? "";
      if (!/^[a-zA-Z0-9_-]+$/.test(each))
        throw hclFailure(expression.place, "Invalid name", `invalid target name ${JSON.stringify(each)}: only letters, digits, "_" and "-" are allowed`);
      if (this.#written.has(each)) throw refuse(`target ${each}: duplicate name`);
      this.#written.set(each, { bodies, scope: inner });
      made.push(each);
    }
    this.#groups.set(name, made);
  }

  /** Names of targets behind names of targets and groups. Fails with BAKE_DEFINITION where there is no such name. */
  #expand(name: string, above: readonly string[] = []): readonly string[] {
    if (above.includes(name)) return [];
    const group = this.#groups.get(name);
    if (group !== undefined) return group.flatMap((each) => this.#expand(each, [...above, name]));
    if (!this.#written.has(name)) throw refuse(`failed to find target ${name}`);
    return [name];
  }

  /** What the files say, with what is inherited before it. */
  #attributes(name: string, above: readonly string[] = []): BakeAttributes {
    const written = this.#written.get(name);
    if (written === undefined) throw refuse(`failed to find target ${name}`);
    if (above.includes(name)) throw refuse(`infinite loop from ${name}`);
    const { bodies, scope } = written;
    const parents = textsOf(bodies, "inherits", scope).map((parent) => this.#attributes(parent, [...above, name]));
    const own = bodies.map(({ attributes }) => evaluated(attributes, scope));
    return [...parents, ...own].reduce(mergeAttributes, {});
  }

  plan(asked: readonly string[], overrides: readonly string[], env: Readonly<Record<string, string | undefined>>): BakePlan {
    const names = asked.length === 0 ? ["default"] : asked;
    const wanted = [...new Set(names.flatMap((name) => this.#expand(name)))];
    const found = new Map<string, BakeAttributes>();
    const order: string[] = [];
    const set = parseOverrides(overrides, env);
    const matched = new Set<string>();
    const add = (name: string, isAsked: boolean, above: readonly string[]): void => {
      if (found.has(name)) return;
      if (above.includes(name)) throw refuse(`infinite loop from ${name}`);
      const own = set.filter(({ pattern }) => matches(pattern, name));
      for (const { text } of own) matched.add(text);
      const attributes = applied(withDefaults(this.#attributes(name)), own);
      const below = targetsBelow(attributes);
      for (const each of below) add(each, wanted.includes(each), [...above, name]);
      const granted = withEntitlements(
        attributes,
        below.map((each) => found.get(each) ?? {}),
      );
      // what others only stand on is built for them alone
      found.set(name, isAsked || granted["output"] !== undefined ? granted : { ...granted, output: [{ type: "cacheonly" }] });
      order.push(name);
    };
    for (const name of wanted) add(name, true, []);
    const missed = set.find(({ text }) => !matched.has(text));
    if (missed !== undefined) throw refuse(`could not find any target matching '${missed.pattern}'`);
    const groups = new Map<string, readonly string[]>([["default", asked.length === 0 ? (this.#groups.get("default") ?? ["default"]) : asked]]);
    for (const name of this.#groupsBelow(groups.get("default") ?? [])) groups.set(name, this.#groups.get(name) ?? []);
    return {
      groups: new Map([...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      targets: order.map((name) => ({ name, attributes: found.get(name) ?? {} })),
    };
  }

  #groupsBelow(names: readonly string[], seen = new Set<string>()): ReadonlySet<string> {
    for (const name of names) {
      const group = this.#groups.get(name);
      if (group === undefined || seen.has(name)) continue;
      seen.add(name);
      this.#groupsBelow(group, seen);
    }
    return seen;
  }
}

/** A target wants what those want that it stands on. */
function withEntitlements(attributes: BakeAttributes, below: readonly BakeAttributes[]): BakeAttributes {
  const more = below.flatMap(({ entitlements }) => (entitlements ?? []) as readonly string[]);
  if (more.length === 0) return attributes;
  return { ...attributes, entitlements: [...new Set([...((attributes["entitlements"] ?? []) as readonly string[]), ...more])] };
}

function valueOf(bodies: readonly HclBody[], key: string, scope: HclScope): HclValue | undefined {
  return bodies
    .findLast(({ attributes }) => attributes.has(key))
    ?.attributes.get(key)
    ?.expression(scope);
}

function textsOf(bodies: readonly HclBody[], key: string, scope: HclScope): readonly string[] {
  const value = valueOf(bodies, key, scope) ?? [];
  return isHclList(value) ? value.map((each) => hclText(each) ?? "") : [];
}

function evaluated(attributes: HclBody["attributes"], scope: HclScope): BakeAttributes {
  const found: Record<string, BakeAttribute> = {};
  for (const [written, { expression, place }] of attributes) {
    // buildx takes both
    const name = written === "secrets" ? "secret" : written === "outputs" ? "output" : written;
    if (ownWords.includes(name)) continue;
    if (!isAttributeName(name)) throw hclFailure(place, "Unsupported argument", `An argument named ${JSON.stringify(name)} is not expected here.`);
    const value = attributeFrom(name, expression(scope));
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function withDefaults(attributes: BakeAttributes): BakeAttributes {
  return { context: ".", dockerfile: "Dockerfile", ...attributes };
}

function combinations(matrix: HclValue): readonly ReadonlyMap<string, HclValue>[] {
  const axes = isHclObject(matrix) ? Object.entries(matrix) : [];
  return axes.reduce<readonly ReadonlyMap<string, HclValue>[]>(
    (rows, [name, values]) => hclEntries(values).flatMap(([, value]) => rows.map((row) => new Map([...row, [name, value]]))),
    [new Map()],
  );
}

interface Override {
  readonly text: string;
  readonly pattern: string;
  readonly key: string;
  /** of a map */
  readonly entry: string | undefined;
  readonly value: string | undefined;
  readonly adds: boolean;
}

const otherNames: Readonly<Record<string, string>> = { platform: "platforms", secrets: "secret", outputs: "output" };

/** `pattern.key[.entry][+]=value`; an entry of args without a value takes the environment's. Fails with USAGE. */
function parseOverrides(texts: readonly string[], env: Readonly<Record<string, string | undefined>>): readonly Override[] {
  return texts.map((text) => {
    const [, name = text, plus = "", given] = /^([^=]*?)(\+?)=(.*)$/s.exec(text) ?? [];
    const [pattern = "", word, ...rest] = name.split(".");
    if (word === undefined) throw cliError(`invalid override key ${name}, expected target.name`, "USAGE", { plain: true });
    const key = otherNames[word] ?? word;
    const entry = rest.length === 0 ? undefined : rest.join(".");
    if ((attributeKind(key) === "map") !== (entry !== undefined)) throw cliError(`invalid key ${word}, ${word} requires name`, "USAGE", { plain: true });
    return { text, pattern, key, entry, value: given ?? (key === "args" ? env[entry ?? ""] : undefined), adds: plus !== "" };
  });
}

/** As Go's path.Match. */
function matches(pattern: string, name: string): boolean {
  return new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  ).test(name);
}

/** Said where a target has the name, as buildx does: before that the pattern is at fault. Fails with USAGE. */
function applied(attributes: BakeAttributes, overrides: readonly Override[]): BakeAttributes {
  const strange = overrides.find(({ key }) => !isAttributeName(key) && key !== "push" && key !== "load");
  if (strange !== undefined) throw cliError(`unknown key: ${strange.key}`, "USAGE", { plain: true });
  const changed: Record<string, BakeAttribute> = { ...attributes };
  const begun = new Set<string>();
  for (const { key, entry, value = "", adds } of overrides) {
    const kind = attributeKind(key);
    if (key === "attest") Object.assign(changed, mergeAttributes(changed, { attest: [fieldsFrom(key, value)] as BakeAttribute }));
    else if (kind === "map") changed[key] = { ...((changed[key] ?? {}) as Readonly<Record<string, string>>), [entry ?? ""]: value };
    else if (kind === "list" || kind === "fields") {
      const before = adds || begun.has(key) ? ((changed[key] ?? []) as readonly never[]) : [];
      const more = value === "" ? [] : [kind === "list" ? value : fieldsFrom(key, value)];
      changed[key] = [...before, ...more] as BakeAttribute;
      begun.add(key);
    } else if (key === "push" || key === "load") Object.assign(changed, value === "false" ? {} : sentTo(changed, key));
    else changed[key] = kind === "bool" ? value === "" || value === "true" || value === "1" : value;
  }
  return changed;
}

/** `--push`, `--load`: outputs of the kind are pushed or kept; where there is none one is added. */
export function sentTo(attributes: BakeAttributes, where: "push" | "load"): BakeAttributes {
  const outputs = (attributes["output"] ?? []) as readonly Readonly<Record<string, string>>[];
  if (where === "load") return outputs.some(({ type }) => type === "docker") ? attributes : { ...attributes, output: [...outputs, { type: "docker" }] };
  if (outputs.some(({ type }) => type === "registry")) return attributes;
  const pushed = outputs.map((output) => (output["type"] === "image" ? { ...output, push: "true" } : output));
  return { ...attributes, output: outputs.some(({ type }) => type === "image") ? pushed : [...outputs, { type: "registry" }] };
}
