import { SlipwayError, type ErrorDetails } from "../base/errors.ts";
import type { LineRange } from "../dockerfile/instruction.ts";

/** Errors of an instruction name its place, unless they know a better one or have none on purpose; and `more` of it. */
export function withLines(error: unknown, lines: LineRange, more: ErrorDetails = {}): unknown {
  if (!(error instanceof SlipwayError) || error.code === "INVALID_STAGE_INDEX") return error;
  if ("lines" in error.details && Object.keys(more).length === 0) return error;
  return new SlipwayError(error.kind, error.code, error.message, { lines, ...more, ...error.details }, error);
}
