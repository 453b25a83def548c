/** `--call=outline` and `--call=targets`: what a Dockerfile can be asked for, and what it takes. */
import { createCheckContext, tryExpand, type CheckContext, type CheckOptions } from "./check-context.ts";
import { globalVariables } from "./check-stages.ts";
import { followStages } from "./checks.ts";
import type { ArgInstruction, Dockerfile, LineRange, Stage } from "./instruction.ts";
import { descriptionOf, type OutlineArg, type OutlineMount, type StageOutline } from "./stage-outline.ts";

export interface Outline {
  /** of the target; "" when it has none */
  readonly name: string;
  readonly description: string;
  readonly args: readonly OutlineArg[];
  readonly secrets: readonly OutlineMount[];
  readonly ssh: readonly OutlineMount[];
}

export interface Target {
  /** "" when it has none */
  readonly name: string;
  readonly description: string;
  readonly isDefault: boolean;
  /** what stands behind FROM, unexpanded */
  readonly base: string;
  readonly platform: string | undefined;
  readonly lines: LineRange;
}

export function listTargets({ stages }: Dockerfile): readonly Target[] {
  return stages.map((stage) => ({
    name: stage.name ?? "",
    description: descriptionOfStage(stage),
    isDefault: stage.index === stages.length - 1,
    base: stage.from.image,
    platform: stage.from.platform,
    lines: stage.from.lines,
  }));
}

function descriptionOfStage({ name, from }: Stage): string {
  return name === undefined ? "" : descriptionOf(from.comments, name);
}

/** What the stage `target` takes, and whatever it stands on or copies from, in the order of the file. */
export function outlineTarget(dockerfile: Dockerfile, target: number, options: CheckOptions = {}): Outline {
  const context = createCheckContext(dockerfile, options, () => {});
  const outlines = followStages(context, globalVariables(context, options.buildArgs)).map(({ outline }) => outline);
  const needed = neededStages(outlines, target);
  const used = needed.flatMap((index) => usedArgs(context, index, outlines[index]));
  const stage = dockerfile.stages[target];
  return {
    name: stage?.name ?? "",
    description: stage === undefined ? "" : descriptionOfStage(stage),
    args: firstOfEachName(used),
    secrets: firstOfEachName(needed.flatMap((index) => [...(outlines[index]?.secrets.values() ?? [])])),
    ssh: firstOfEachName(needed.flatMap((index) => [...(outlines[index]?.ssh.values() ?? [])])),
  };
}

function firstOfEachName<Entry extends { readonly name: string; readonly lines: LineRange }>(entries: readonly Entry[]): readonly Entry[] {
  const byName = new Map(entries.toReversed().map((entry) => [entry.name, entry]));
  return [...byName.values()].toReversed().toSorted((left, right) => left.lines.start - right.lines.start);
}

/** The target first, then its base and that one's needs, then what it copies from. */
function neededStages(outlines: readonly StageOutline[], target: number): readonly number[] {
  const needed = new Set<number>();
  const pending = [target];
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (needed.has(index)) continue;
    needed.add(index);
    const outline = outlines[index];
    pending.push(...[...(outline?.sources ?? [])].toReversed());
    if (outline?.base !== undefined) pending.push(outline.base);
  }
  return [...needed];
}

interface GlobalArg {
  readonly arg: OutlineArg;
  /** variables in its default */
  readonly needs: readonly string[];
}

/** The stage's own ARGs, and the global ones that it or its FROM uses, with those that these use. */
function usedArgs(context: CheckContext, index: number, outline: StageOutline | undefined): readonly OutlineArg[] {
  const stage = context.dockerfile.stages[index];
  if (stage === undefined || outline === undefined) return [];
  const globals = globalArgs(context);
  const own = outline.args;
  const variables = globalVariables(context, context.options.buildArgs);
  const inFrom = [stage.from.image, stage.from.platform ?? ""].flatMap((word) => tryExpand(context, word, variables)?.matched ?? []);
  const names = new Set([...inFrom, ...outline.inherited]);
  for (const name of names) for (const needed of own.has(name) ? [] : (globals.get(name)?.needs ?? [])) names.add(needed);
  const inherited = [...names].flatMap((name) => (own.has(name) ? [] : (globals.get(name) ?? [])));
  return [...inherited.map(({ arg }) => arg), ...own.values()];
}

function globalArgs(context: CheckContext): ReadonlyMap<string, GlobalArg> {
  const variables = globalVariables(context, context.options.buildArgs);
  const args = context.dockerfile.metaArgs.flatMap((instruction) =>
    instruction.args.map(({ key, value }) => [key, globalArg(context, instruction, key, value, variables)] as const),
  );
  return new Map(args);
}

function globalArg(
  context: CheckContext,
  { comments, lines }: ArgInstruction,
  name: string,
  fallback: string | undefined,
  variables: ReadonlyMap<string, string>,
): GlobalArg {
  const given = context.options.buildArgs?.has(name) === true;
  const needs = given || fallback === undefined ? [] : (tryExpand(context, fallback, variables)?.matched ?? []);
  // one of the platform's shows its value where a stage takes it
  const value = given || fallback !== undefined ? variables.get(name) : undefined;
  return { arg: { name, description: descriptionOf(comments, name), value, lines }, needs };
}
