/** COPY --from may name stages that were defined before: what else is a mistake with a word of its own. Pure. */
import { SlipwayError } from "../base/errors.ts";
import type { LineRange, Stage } from "../dockerfile/instruction.ts";

/** Fails with STAGE_CYCLE or STAGE_ORDER when `from` is the stage itself or one that comes later; other names are images. */
export function refuseLaterStage(stages: readonly Stage[], stage: Stage, from: string, lines: LineRange): void {
  const other = stages.find((candidate) => candidate.index >= stage.index && candidate.name === from);
  if (other !== undefined) throw unreachableStage(stages, stage, other, from, lines);
}

/** Why `stage` cannot copy from `other`, which the Dockerfile calls `from`. */
export function unreachableStage(stages: readonly Stage[], stage: Stage, other: Stage, from: string, lines: LineRange): SlipwayError {
  const name = stageName(stage);
  if (other === stage || needsStage(stages, other, stage, new Set())) {
    return new SlipwayError("invalid_argument", "STAGE_CYCLE", `circular dependency detected on stage: ${name}`, { lines });
  }
  return new SlipwayError(
    "invalid_argument",
    "STAGE_ORDER",
    `cannot copy from stage ${JSON.stringify(from)}, it needs to be defined before current stage ${JSON.stringify(name)}`,
    { lines },
  );
}

export function stageName(stage: Stage): string {
  return stage.name ?? `stage-${stage.index}`;
}

/** Whether `stage` stands on `wanted` or copies from it, by whatever way. */
function needsStage(stages: readonly Stage[], stage: Stage, wanted: Stage, seen: Set<Stage>): boolean {
  if (seen.has(stage)) return false;
  seen.add(stage);
  const names = [stage.from.image, ...stage.instructions.flatMap((instruction) => (instruction.type === "copy" ? (instruction.from ?? []) : []))];
  const direct = names.flatMap((name) => stages.find((candidate) => candidate.name === name.toLowerCase() || String(candidate.index) === name) ?? []);
  return direct.some((next) => next === wanted || needsStage(stages, next, wanted, seen));
}
