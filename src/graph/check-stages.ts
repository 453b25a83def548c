/**
 * What holds for every stage, needed or not, and is decided before any is lowered: what FROM names, on which platform, and
 * that no stage copies from itself by whatever way.
 */
import { SlipwayError } from "../base/errors.ts";
import type { Platform } from "../oci/platform.ts";
import type { Instruction, LineRange, Stage } from "../dockerfile/instruction.ts";
import { mountSourceOf } from "../dockerfile/run-mount.ts";
import { completeImageName, expandBaseName, expandPlatform } from "./base-name.ts";
import { refuseExpansion } from "./copy-from-word.ts";
import type { LowerOptions } from "./lowering.ts";
import { stageName } from "./stage-order.ts";
import type { Variables } from "./variables.ts";

/** FROM without its variables. */
export interface ResolvedFrom {
  readonly name: string;
  readonly platform: Platform;
}

/** In the order of the stages. Fails with DOCKERFILE_PARSE or INVALID_PLATFORM, `details.lines` naming the FROM. */
export function resolveFroms({ dockerfile, targetPlatform }: LowerOptions, globals: Variables): readonly ResolvedFrom[] {
  const { escape } = dockerfile.directives;
  return dockerfile.stages.map(({ from }) => {
    const name = expandBaseName(escape, from, globals);
    const isGiven = from.platform !== undefined && from.platform !== "";
    return { name, platform: isGiven ? expandPlatform(escape, from.platform, globals, from.lines) : targetPlatform };
  });
}

export type NumberedImages = ReadonlyMap<Instruction, string>;

/**
 * Docker counts on behind the last stage: each image or context that a COPY or a mount further up names has a number too. What those
 * numbers mean to the instructions that use them.
 */
export function numberedImages(stages: readonly Stage[]): NumberedImages {
  const images: string[] = [];
  const found = new Map<Instruction, string>();
  const note = (name: string): void => {
    if (!stages.some((stage) => stage.name === name.toLowerCase())) images.push(name);
  };
  for (const instruction of stages.flatMap(({ instructions }) => instructions)) {
    if (instruction.type === "run") for (const name of instruction.mounts.flatMap((mount) => mountSourceOf(mount) ?? [])) note(name);
    if (instruction.type !== "copy" || instruction.from === undefined) continue;
    const image = isNumber(instruction.from) ? images[Number(instruction.from) - stages.length] : undefined;
    if (image !== undefined) found.set(instruction, image);
    // one that is named by its number gets another besides
    if (image !== undefined || !isNumber(instruction.from)) note(image ?? instruction.from);
  }
  return found;
}

function isNumber(from: string): boolean {
  return /^[+-]?\d+$/.test(from);
}

/** `numbered`: see numberedImages(). Fails with INVALID_STAGE_INDEX, STAGE_CYCLE, or DOCKERFILE_PARSE for a name that is neither a stage nor a reference. */
export function checkSources(
  stages: readonly Stage[],
  { froms, contexts, numbered }: { readonly froms: readonly ResolvedFrom[]; readonly contexts: ReadonlySet<string>; readonly numbered: NumberedImages },
): void {
  const sources = stages.map((stage) => stage.instructions.flatMap((instruction) => sourceOf(stages, instruction, numbered)));
  refuseCycles(stages, sources);
  for (const [index, { name }] of froms.entries()) {
    const isContext = contexts.has(name.toLowerCase()) || contexts.has(stages[index]?.name ?? "");
    const isKnown = name === "scratch" || isContext || stages.some((stage) => stage.index < index && stage.name === name);
    if (!isKnown) completeImageName(name, stages[index]?.from.lines);
  }
  for (const { name, stage, faultLines } of sources.flat()) {
    if (stage === undefined && name !== "scratch" && !contexts.has(name.toLowerCase())) completeImageName(name, faultLines);
  }
}

interface Source {
  readonly name: string;
  /** undefined: an image or a named context */
  readonly stage: Stage | undefined;
  readonly lines: LineRange;
  /** where a name that is none is shown: as in Docker, for COPY alone */
  readonly faultLines: LineRange | undefined;
}

function sourceOf(stages: readonly Stage[], instruction: Instruction, numbered: NumberedImages): readonly Source[] {
  const { lines } = instruction;
  const faultLines = instruction.type === "copy" ? lines : undefined;
  const named = (name: string): Source => ({ name, stage: stages.findLast((stage) => stage.name === name.toLowerCase()), lines, faultLines });
  if (instruction.type === "run") return instruction.mounts.flatMap((mount) => mountSourceOf(mount) ?? []).map(named);
  if (instruction.type !== "copy" || instruction.from === undefined) return [];
  refuseExpansion(instruction.from);
  const image = numbered.get(instruction);
  if (image !== undefined || !isNumber(instruction.from)) return [named(image ?? instruction.from)];
  const index = Number(instruction.from);
  if (index < 0 || index >= stages.length)
    throw new SlipwayError("invalid_argument", "INVALID_STAGE_INDEX", `invalid stage index ${instruction.from}`, { index });
  return [{ name: instruction.from, stage: stages[index], lines, faultLines }];
}

/** Only what stages copy and mount counts here: a stage that one further down stands on comes before it anyway. */
function refuseCycles(stages: readonly Stage[], sources: readonly (readonly Source[])[]): void {
  const seen = new Set<Stage>();
  const path = new Set<Stage>();
  const visit = (stage: Stage): LineRange | undefined => {
    if (seen.has(stage)) return undefined;
    seen.add(stage);
    path.add(stage);
    // of several instructions that take from one stage, the last is named
    for (const source of (sources[stage.index] ?? []).toReversed()) {
      if (source.stage === undefined) continue;
      if (path.has(source.stage) || visit(source.stage) !== undefined) return source.lines;
    }
    path.delete(stage);
    return undefined;
  };
  for (const stage of stages) {
    const lines = visit(stage);
    if (lines !== undefined) {
      throw new SlipwayError("invalid_argument", "STAGE_CYCLE", `circular dependency detected on stage: ${stageName(stage)}`, { lines });
    }
  }
}
