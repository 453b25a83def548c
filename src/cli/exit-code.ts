/**
 * Exit codes, derived in one place. Docker's: 125 for flags that cannot be read and for containers that could not be made,
 * 126 and 127 for commands that cannot be executed or found, 130 after Ctrl-C, otherwise 1; a container's own code passes through.
 */
import type { SlipwayError } from "../base/errors.ts";

/** Codes of a container's failed start, whoever reports them. */
const startCodes: Readonly<Record<string, number>> = { COMMAND_NOT_FOUND: 127, COMMAND_NOT_EXECUTABLE: 126 };

/** `starts`: the command makes a container (`run`, `create`), so that its own failures are told from the container's. */
export function exitCodeOf(error: SlipwayError, starts: boolean): number {
  const wanted = error.details["exitCode"];
  if (typeof wanted === "number" && Number.isInteger(wanted)) return wanted;
  if (error.code === "UNKNOWN_FLAG") return 125;
  if (error.code in startCodes) return startCodes[error.code]!;
  if (error.kind === "canceled") return 130;
  if (error.code === "USAGE" || error.code === "NOT_A_TERMINAL") return 1;
  return starts ? 125 : 1;
}
