/** Containers that outlive the command that started them: everything the engine uses, in one place. */
export { attachContainer, type Attachment } from "./container-attach.ts";
export { createContainer } from "./container-create.ts";
export { execInContainer, type ExecOptions, type ExecResult } from "./container-exec.ts";
export type { ContainerHost, CreateContainerOptions } from "./container-host.ts";
export { readLogs, type ReadLogsOptions } from "./container-logs.ts";
export { cleanupContainer } from "./container-cleanup.ts";
export { holdAsReader, waitForReaders } from "./container-lock.ts";
export { renameContainer } from "./container-rename.ts";
export { pauseContainer, unpauseContainer } from "./container-pause.ts";
export { topContainer } from "./container-top.ts";
export { updateContainer } from "./container-update.ts";
export { containerUsage } from "./container-usage.ts";
export { restartByPolicy } from "./container-restart.ts";
export { startContainer, type StartOptions } from "./container-start.ts";
export { containerState, isAbandoned } from "./container-state.ts";
export { killContainer, redrawTerminal, removeContainer, resizeContainer, stopContainer, waitContainer } from "./container-stop.ts";
export type { LogEntry } from "./log-format.ts";
export { nameTaken, noSuchContainer } from "./container-errors.ts";
