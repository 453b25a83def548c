/** What COPY --from names: a stage, a number, an image or a context, and no variable. Pure. */
import { SlipwayError } from "../base/errors.ts";
import type { LineRange } from "../dockerfile/instruction.ts";
import { expandWord } from "../dockerfile/word.ts";

/** Docker expands the name with no variables at all, and refuses it if that changes anything. Fails with DOCKERFILE_PARSE; as there, only a trigger names its line. */
export function refuseExpansion(from: string, lines?: LineRange): void {
  const advice = "define a new stage with FROM using ARG from global scope as a workaround";
  if (expanded(from, lines) !== from) throw refusal(`variable expansion is not supported for --from, ${advice}`, lines);
}

function expanded(from: string, lines: LineRange | undefined): string {
  try {
    return expandWord(from, new Map()).result;
  } catch (error) {
    throw error instanceof SlipwayError ? refusal(error.message, lines) : error;
  }
}

function refusal(message: string, lines: LineRange | undefined): SlipwayError {
  return new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, { lines });
}
