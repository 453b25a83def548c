/** `import { Slipway } from "slipway"`: build, keep, run and ship container images from a program of your own. */
export { Slipway } from "./slipway.ts";
export { openAccounts } from "./accounts.ts";
export { enterUserNamespace } from "./user-namespace.ts";
export { isStepFailedError, StepFailedError } from "./debug/step-failed-error.ts";
export { SlipwayError, isSlipwayError, type ErrorKind } from "../base/errors.ts";
export type { LogEvent, ProgressEvent, StatusEvent, VertexEvent, WarningEvent } from "../base/progress.ts";
export type * from "./api.ts";
export type * from "./registry-api.ts";
