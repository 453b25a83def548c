/**
 * Exit codes, derived in one place. Docker's: 125 for flags that cannot be read and for containers that could not be made,
 * 126 and 127 for commands that cannot be executed or found, 130 after Ctrl-C, 143 after SIGTERM, otherwise 1; a container's own code passes through.
 */
import { SlipwayError } from "../base/errors.ts";

/** "start": the command makes a container, and its own failures are told from the container's. */
/** "scan": 1 is kept for findings, so that no failure is taken for one, nor for a clean image. */
export type CommandFamily = "build" | "start" | "scan" | "other";

/** Failures that name the exit code they want; elsewhere such a detail tells of a program that was called. */
const ownCodes: ReadonlySet<string> = new Set([
  "START_FAILED",
  "VOLUME_SUBPATH",
  "VOLUME_DRIVER",
  "DEVICE_UNUSABLE",
  "EXEC_FAILED",
  "TEMPLATE",
  "USAGE",
  "SIGNATURE_MISSING",
  "SIGNATURE_REFUSED",
  "NOTHING_TO_VERIFY",
]);

/** What keeps a container from starting. */
const startCodes: ReadonlySet<string> = new Set(["START_FAILED", "VOLUME_SUBPATH", "VOLUME_DRIVER", "DEVICE_UNUSABLE"]);

/** What the words of the call are to blame for. */
const scanUsage: ReadonlySet<string> = new Set(["USAGE", "UNKNOWN_FLAG", "ARGUMENT_COUNT", "INPUT_FILE", "INVALID_LOCATION", "INVALID_REFERENCE"]);

/** 128 and the signal's number, as shells have it. */
export function exitCodeOfSignal(name: unknown): number {
  return name === "SIGTERM" ? 143 : 130;
}

/** `interrupt`: the reason for which the command was aborted, if it was. */
export function exitCodeOf(error: SlipwayError, family: CommandFamily, interrupt?: unknown): number {
  if (family === "scan" && error.kind !== "canceled") return scanUsage.has(error.code) ? 2 : 3;
  if (error.code === "UNKNOWN_FLAG") return 125;
  if (error.code === "ARGUMENT_COUNT") return 1;
  // `start` tells that it failed, and not why
  if (startCodes.has(error.code) && family !== "start") return 1;
  if (error.kind === "canceled") return exitCodeOfSignal(interrupt instanceof SlipwayError ? interrupt.details["signal"] : undefined);
  const wanted = error.details["exitCode"];
  if (ownCodes.has(error.code) && typeof wanted === "number") return wanted;
  return family === "start" && error.code !== "NOT_A_TERMINAL" ? 125 : 1;
}
