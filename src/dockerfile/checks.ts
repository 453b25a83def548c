/**
 * BuildKit's lint rules that the text alone can decide.
 * @see https://docs.docker.com/reference/build-checks/
 */
import { SlipwayError } from "../base/errors.ts";
import { createCheckContext, tryExpand, type CheckContext, type CheckOptions } from "./check-context.ts";
import { checkDefaultImages, checkFroms, checkKeywordCasing, checkKeywords, checkStageNames, globalVariables } from "./check-stages.ts";
import { initialState, StageChecker, type StageState } from "./check-variables.ts";
import { parseCheckDirective } from "./directive.ts";
import type { CheckDirective, Dockerfile, RuleSelection, Warning } from "./instruction.ts";
import { createWarning, isExperimental, type RuleName } from "./rules.ts";

export type { CheckOptions } from "./check-context.ts";

/** All warnings in the order in which BuildKit prints them, those of parsing included; `# check=` is honoured. */
export function checkDockerfile(dockerfile: Dockerfile, options: CheckOptions = {}): readonly Warning[] {
  const warnings: Warning[] = [...dockerfile.warnings];
  const report: CheckContext["report"] = (name, lines, ...args) => {
    warnings.push(createWarning(name, lines, ...args));
  };
  const context = createCheckContext(dockerfile, options, report);
  const globals = globalVariables(context, options.buildArgs);
  checkKeywords(context);
  checkStageNames(context);
  checkKeywordCasing(context);
  checkDefaultImages(context);
  checkFroms(context, globals);
  checkStages(context, globals);
  const directive = directiveOf(dockerfile, options);
  return warnings.filter(({ rule }) => isWanted(rule as RuleName, directive));
}

/** Throws CHECK_FAILED when `# check=error=true` asks for it and there are warnings. */
export function assertChecks(dockerfile: Dockerfile, warnings: readonly Warning[], options: CheckOptions = {}): void {
  if (warnings.length === 0 || !directiveOf(dockerfile, options).error) return;
  const names = [...new Set(warnings.map(({ rule }) => rule))].toSorted();
  throw new SlipwayError("invalid_argument", "CHECK_FAILED", `lint violation found for rules: ${names.join(", ")}`, { rules: names });
}

function checkStages(context: CheckContext, globals: ReadonlyMap<string, string>): void {
  const states = new Map<string, StageState>();
  for (const stage of context.dockerfile.stages) {
    const image = tryExpand(context, stage.from.image, globals)?.result ?? stage.from.image;
    const state = initialState(context, stage, image, states);
    const checker = new StageChecker(isReachable(context, stage.index) ? context : { ...context, report: () => {} }, state, globals);
    for (const instruction of stage.instructions) checker.check(instruction);
    if (stage.name !== undefined) states.set(stage.name, state);
  }
}

function isReachable({ options }: CheckContext, index: number): boolean {
  return options.reachable?.has(index) ?? true;
}

function directiveOf({ directives }: Dockerfile, { buildArgs }: CheckOptions): CheckDirective {
  const given = buildArgs?.get("BUILDKIT_DOCKERFILE_CHECK");
  if (given !== undefined) return parseCheckDirective(given);
  return directives.check ?? { skip: [], error: false, experimental: [] };
}

function isWanted(rule: RuleName, { skip, experimental }: CheckDirective): boolean {
  if (selects(skip, rule)) return false;
  return !isExperimental(rule) || selects(experimental, rule);
}

function selects(selection: RuleSelection, rule: string): boolean {
  return selection === "all" || selection.includes(rule);
}
