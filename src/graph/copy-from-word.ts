/** What COPY --from names: a stage, a number, an image or a context, and no variable. Pure. */
import { SlipwayError } from "../base/errors.ts";
import { expandWord } from "../dockerfile/word.ts";

/** Docker expands the name with no variables at all, and refuses it if that changes anything. Fails with DOCKERFILE_PARSE; as there, no line is named. */
export function refuseExpansion(from: string): void {
  const advice = "define a new stage with FROM using ARG from global scope as a workaround";
  if (expanded(from) !== from) throw withoutLine(`variable expansion is not supported for --from, ${advice}`);
}

function expanded(from: string): string {
  try {
    return expandWord(from, new Map()).result;
  } catch (error) {
    throw error instanceof SlipwayError ? withoutLine(error.message) : error;
  }
}

function withoutLine(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, { lines: undefined });
}
