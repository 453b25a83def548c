/**
 * BuildKit's lint rules that the text alone can decide.
 * @see https://docs.docker.com/reference/build-checks/
 */
import { SlipwayError } from "../base/errors.ts";
import { createCheckContext, tryExpand, type CheckContext, type CheckOptions } from "./check-context.ts";
import { checkDefaultImages, checkFroms, checkKeywordCasing, checkDescriptions, checkStageNames, globalVariables } from "./check-stages.ts";
import { externalBase, initialState, takeTriggers, type StageState } from "./check-state.ts";
import { StageChecker } from "./check-variables.ts";
import { parseCheckDirective } from "./directive.ts";
import { OwnChecker } from "./own-checks.ts";
import { isOwnRule, ownRulesName } from "./own-rules.ts";
import type { CheckDirective, Dockerfile, Instruction, RuleSelection, Stage, Warning } from "./instruction.ts";
import { findEarlierStage } from "./stage-outline.ts";
import { createWarning, isExperimental, type RuleName } from "./rules.ts";

export type { BaseImage, BuildFailure, CheckOptions } from "./check-context.ts";

/** All warnings in the order in which BuildKit prints them, those of parsing included; `# check=` is honoured. */
export function checkDockerfile(dockerfile: Dockerfile, options: CheckOptions = {}): readonly Warning[] {
  const warnings: Warning[] = [...dockerfile.warnings];
  const report: CheckContext["report"] = (name, lines, ...args) => {
    warnings.push(createWarning(name, lines, ...args));
  };
  const context = createCheckContext(dockerfile, options, report);
  const states = checkAll(context);
  if (options.failure === undefined) checkOwn(context, states);
  const directive = directiveOf(dockerfile, options);
  return warnings.filter(({ rule }) => isWanted(rule as RuleName, directive));
}

function checkAll(context: CheckContext): readonly StageState[] {
  const { failure, buildArgs } = context.options;
  checkDescriptions(context);
  if (failure?.during === "parsing") return [];
  checkStageNames(context);
  checkKeywordCasing(context);
  checkDefaultImages(context);
  const globals = globalVariables(context, buildArgs);
  checkFroms(context, globals);
  if (failure?.during === "stages") return [];
  checkBasePlatforms(context, globals);
  return followStages(context, globals);
}

function checkBasePlatforms(context: CheckContext, globals: ReadonlyMap<string, string>): void {
  for (const stage of context.dockerfile.stages) {
    const image = tryExpand(context, stage.from.image, globals)?.result;
    if (image === undefined || !isReachable(context, stage.index) || findEarlierStage(context.dockerfile, stage.index, image) !== undefined) continue;
    const mismatch = externalBase(context, stage, image, globals)?.mismatch;
    if (mismatch !== undefined) context.report("InvalidBaseImagePlatform", stage.from.lines, image, mismatch.actual, mismatch.expected);
  }
}

/** Our rules, once it is known which stages end in an image. */
function checkOwn(context: CheckContext, states: readonly StageState[]): void {
  const checker = new OwnChecker(
    context,
    states.map(({ outline }) => outline),
  );
  const silent = { ...context, report: () => {} };
  followStages(silent, globalVariables(context, context.options.buildArgs), (stage, instruction, state) => checker.observe(stage, instruction, state));
}

/** Throws CHECK_FAILED when `# check=error=true` asks for it and there are warnings of BuildKit's rules: ours fail no build. */
export function assertChecks(dockerfile: Dockerfile, warnings: readonly Warning[], options: CheckOptions = {}): void {
  const names = [...new Set(warnings.toSorted((a, b) => rankOf(a) - rankOf(b)).map(({ rule }) => rule))].filter((rule) => !isOwnRule(rule));
  if (names.length === 0 || !directiveOf(dockerfile, options).error) return;
  throw new SlipwayError("invalid_argument", "CHECK_FAILED", `lint violation found for rules: ${names.join(", ")}`, { rules: names });
}

/** What parsing finds comes before what building finds, each from the top to the bottom. */
const foundByParsing: ReadonlySet<string> = new Set([
  "NoEmptyContinuation",
  "MaintainerDeprecated",
  "LegacyKeyValueFormat",
  "FromAsCasing",
  "StageNameCasing",
  "ReservedStageName",
]);

function rankOf({ rule, lines }: Warning): number {
  const line = lines?.start ?? 0;
  return foundByParsing.has(rule) ? line : line + Number.MAX_SAFE_INTEGER / 2;
}

/** Follows each stage's instructions as a build does; gives what is known at the end of each. */
export function followStages(
  context: CheckContext,
  globals: ReadonlyMap<string, string>,
  observe?: (stage: Stage, instruction: Instruction, state: StageState) => void,
): readonly StageState[] {
  const { failure } = context.options;
  const states: StageState[] = [];
  for (const stage of context.dockerfile.stages) {
    const state = initialState(context, stage, globals, states);
    states.push(state);
    const checker = new StageChecker(isReachable(context, stage.index) ? context : { ...context, report: () => {} }, state, globals);
    for (const [at, instruction] of [...takeTriggers(state, stage.from.lines), ...stage.instructions].entries()) {
      checker.check(instruction);
      observe?.(stage, instruction, state);
      if (failure?.during === "instruction" && failure.lines.start === instruction.lines.start && (failure.trigger ?? at) === at) return states;
    }
  }
  return states;
}

function isReachable({ options }: CheckContext, index: number): boolean {
  return options.reachable?.has(index) ?? true;
}

function directiveOf({ directives }: Dockerfile, { buildArgs }: CheckOptions): CheckDirective {
  return parseCheckArgument(buildArgs) ?? directives.check ?? { skip: [], error: false, experimental: [] };
}

/** What replaces the file's `# check=`. Fails with DOCKERFILE_PARSE. */
export function parseCheckArgument(buildArgs: ReadonlyMap<string, string> | undefined): CheckDirective | undefined {
  const given = buildArgs?.get("BUILDKIT_DOCKERFILE_CHECK");
  return given === undefined ? undefined : parseCheckDirective(given, "build-arg:BUILDKIT_DOCKERFILE_CHECK");
}

function isWanted(rule: RuleName, { skip, experimental }: CheckDirective): boolean {
  if (selects(skip, rule) || (isOwnRule(rule) && selects(skip, ownRulesName))) return false;
  return !isExperimental(rule) || selects(experimental, rule);
}

function selects(selection: RuleSelection, rule: string): boolean {
  return selection === "all" || selection.includes(rule);
}
