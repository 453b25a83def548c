/** What holds at a point of a stage, as far as the checks and outlines want to know it. */
import { SlipwayError } from "../base/errors.ts";
import { tryExpand, type BaseImage, type CheckContext } from "./check-context.ts";
import type { Instruction, LineRange, Stage } from "./instruction.ts";
import { parseTrigger } from "./parse.ts";
import { findEarlierStage, StageOutline } from "./stage-outline.ts";

/** What a stage hands on to a stage that is FROM it. */
export interface StageState {
  /** in the order in which they were last set: suggestions take the first that fits */
  readonly variables: Map<string, string>;
  readonly args: Set<string>;
  /** names of the image's Env */
  readonly env: Set<string>;
  /** what an outline tells of the stage */
  readonly outline: StageOutline;
  /** ONBUILD instructions of the base, not yet followed, then those of the stage */
  readonly triggers: string[];
  /** false when the base image's variables are not known: nothing can be called undefined */
  readonly known: boolean;
  hasWorkdir: boolean;
  hasShell: boolean;
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** `earlier`: the states of all stages above. */
export function initialState(context: CheckContext, stage: Stage, globals: ReadonlyMap<string, string>, earlier: readonly StageState[]): StageState {
  const image = tryExpand(context, stage.from.image, globals)?.result ?? stage.from.image;
  // FROM, unlike --from, minds the case
  const base = image === image.toLowerCase() ? findEarlierStage(context.dockerfile, stage.index, image) : undefined;
  const outline = new StageOutline(context.dockerfile, stage, base);
  const state = base === undefined ? undefined : earlier[base];
  if (state !== undefined) return stateFrom(state, outline);
  const given = image === "scratch" ? { variables: [], triggers: [] } : externalBase(context, stage, image, globals);
  const variables = new Map(given?.variables);
  if (!variables.has("PATH")) variables.set("PATH", defaultPath);
  const triggers = [...(given?.triggers ?? [])];
  return { variables, args: new Set(), env: new Set(variables.keys()), outline, triggers, known: given !== undefined, hasWorkdir: false, hasShell: false };
}

/** undefined when the image is not known. */
export function externalBase(
  { dockerfile, options }: CheckContext,
  { from }: Stage,
  image: string,
  globals: ReadonlyMap<string, string>,
): BaseImage | undefined {
  const platform = from.platform === undefined ? undefined : tryExpand({ dockerfile }, from.platform, globals)?.result;
  return options.baseImage?.(image, platform);
}

function stateFrom(base: StageState, outline: StageOutline): StageState {
  const variables = new Map(base.variables);
  // the image's own variables are set anew, behind the ARGs
  for (const name of base.env) setVariable(variables, name, base.variables.get(name) ?? "");
  return { ...base, variables, args: new Set(base.args), env: new Set(base.env), outline, triggers: [...base.triggers] };
}

export function setVariable(variables: Map<string, string>, name: string, value: string): void {
  variables.delete(name);
  variables.set(name, value);
}

/** The base's ONBUILD instructions, at the place of the FROM that brings them; those that do not parse fail the build. */
export function takeTriggers({ triggers }: StageState, lines: LineRange): readonly Instruction[] {
  return triggers.splice(0).flatMap((expression) => {
    try {
      return [{ ...parseTrigger(expression), lines }];
    } catch (error) {
      if (error instanceof SlipwayError) return [];
      throw error;
    }
  });
}
