import { SlipwayError } from "../base/errors.ts";
import type { LineRange } from "../dockerfile/instruction.ts";

/** Errors of an instruction name its place, unless they know a better one or have none on purpose. */
export function withLines(error: unknown, lines: LineRange): unknown {
  if (!(error instanceof SlipwayError) || "lines" in error.details || error.code === "INVALID_STAGE_INDEX") return error;
  return new SlipwayError(error.kind, error.code, error.message, { ...error.details, lines }, error);
}
