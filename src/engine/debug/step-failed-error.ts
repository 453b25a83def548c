/** The error of a build whose step failed or was interrupted, with the step's state. */
import { SlipwayError } from "../../base/errors.ts";
import type { Failure } from "../debug-api.ts";

export class StepFailedError extends SlipwayError {
  readonly failure: Failure;

  constructor(error: SlipwayError, failure: Failure) {
    super(error.kind, error.code, error.message, error.details, error.cause);
    this.failure = failure;
  }
}

export function isStepFailedError(error: unknown): error is StepFailedError {
  return error instanceof StepFailedError;
}
