/** COPY --from and mounts may name stages that were defined before: what else is a mistake with a word of its own. Pure. */
import { goQuote } from "../base/go-text.ts";
import { SlipwayError } from "../base/errors.ts";
import type { LineRange, Stage } from "../dockerfile/instruction.ts";

/** Why `stage` cannot copy from what the Dockerfile calls `from`. */
export function laterStage(stage: Stage, from: string, lines: LineRange): SlipwayError {
  const message = `cannot copy from stage ${goQuote(from)}, it needs to be defined before current stage ${goQuote(stageName(stage))}`;
  return new SlipwayError("invalid_argument", "STAGE_ORDER", message, { lines });
}

export function laterMount(from: string, target: string, lines: LineRange): SlipwayError {
  const message = `cannot mount from stage ${goQuote(from)} to ${goQuote(target)}, stage needs to be defined before current command`;
  return new SlipwayError("invalid_argument", "STAGE_ORDER", message, { lines });
}

export function stageName(stage: Stage): string {
  return stage.name ?? `stage-${stage.index}`;
}
