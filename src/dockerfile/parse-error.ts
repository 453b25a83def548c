import { SlipwayError } from "../base/errors.ts";
import type { LineRange } from "./instruction.ts";

/** A fault of the Dockerfile itself. `details.lines` are the lines to show (see formatExcerpt), absent when none can be named. */
export function dockerfileError(message: string, lines: LineRange | undefined, details: Readonly<Record<string, unknown>> = {}): SlipwayError {
  return new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, lines === undefined ? details : { ...details, lines });
}

/** A reason without place: who knows the instruction adds the line with atLines(). `culprit`: the text at fault, as written. */
export function syntaxReason(message: string, culprit?: string): SlipwayError {
  return new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, culprit === undefined ? {} : { culprit });
}

/** Runs `parse` and gives its failures the lines and, for typed instructions, Docker's "on line N" in front. */
export function atLines<Result>(lines: LineRange, prefixed: boolean, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SlipwayError) || "lines" in error.details) throw error;
    const message = prefixed ? `dockerfile parse error on line ${lines.start}: ${error.message}` : error.message;
    throw dockerfileError(message, lines, error.details);
  }
}
