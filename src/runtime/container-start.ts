/** Brings a container to life under conmon. */
import { statSync } from "node:fs";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { enterPrivateMountNamespace } from "../store/overlay.ts";
import { attachToLog, type Attachment } from "./container-attach.ts";
import { clearAway } from "./container-cleanup.ts";
import { makeDirectories } from "./container-create.ts";
import { requireContainer } from "./container-errors.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import { launch } from "./container-launch.ts";
import { withContainerLock } from "./container-lock.ts";
import type { ContainerRecord } from "./container-records.ts";
import { containerState } from "./container-state.ts";
import { isUp } from "./container-status.ts";
import { namedRuntime } from "./oci-runtime.ts";
import { checkPortsAgainst, settleRanges } from "./port-check.ts";
import { requireProgram } from "./programs.ts";

export interface StartOptions {
  /** by its restart policy, and only if it still waits for that */
  readonly byPolicy?: boolean;
  /** with output from the first byte on, and stdin where the container has it open */
  readonly attach?: boolean;
  /** of the container's terminal */
  readonly size?: { readonly rows: number; readonly columns: number };
}

interface Started {
  readonly record: ContainerRecord;
  readonly attachment?: Attachment;
}

/**
 * A running container is left as it is. Fails with PORT_TAKEN, START_FAILED (details.exitCode: 125, 126 or 127 as Docker's; the record
 * keeps the reason), NETWORK_FAILED, PROGRAM_MISSING, RUNTIME_MISSING or USER_NOT_FOUND; nothing of the attempt stays.
 */
export async function startContainer(host: ContainerHost, nameOrId: string, options: StartOptions = {}): Promise<Started> {
  const { id, paths } = requireContainer(host.records, nameOrId);
  makeDirectories({ paths });
  return await withContainerLock(paths.directory, async () => await startLocked(host, requireContainer(host.records, id), options));
}

async function startLocked(host: ContainerHost, record: ContainerRecord, options: StartOptions): Promise<Started> {
  const { status } = containerState(host, record);
  if (options.byPolicy === true && status !== "restarting") return { record };
  if (status === "paused") throw new SlipwayError("conflict", "CONTAINER_PAUSED", "cannot start a paused container, try unpause instead", { id: record.id });
  if (status === "running") return withAttachment(host, record, options, undefined);
  const files = containerFiles(host, record);
  const logOffset = statSync(files.log, { throwIfNoEntry: false })?.size ?? 0;
  try {
    const others = portsInUse(host, record.id);
    const ports = await settleRanges(record.ports, others);
    checkPortsAgainst(ports, others);
    const conmon = requireProgram("conmon", "a container that outlives its command");
    const runtime = namedRuntime(record.config.runtime ?? "");
    enterPrivateMountNamespace();
    // its last run may have ended without anybody who clears away
    await clearAway(host, record);
    const size = options.size === undefined ? {} : { size: options.size };
    // who starts it by hand begins to count anew
    const { restarts, ...unrestarted } = record;
    const kept = options.byPolicy === true && restarts !== undefined ? { restarts } : {};
    const running = await launch(host, { ...unrestarted, ...kept, ports }, { conmon, runtime, files, attached: options.attach === true, ...size });
    return withAttachment(host, running, options, logOffset);
  } catch (error) {
    await clearAfterFailure(host, record);
    noteFailure(host, record, error);
    throw error;
  }
}

/** The failure itself is what the user must hear of, even if clearing away fails too. */
async function clearAfterFailure(host: ContainerHost, record: ContainerRecord): Promise<void> {
  try {
    await clearAway(host, record);
  } catch (error) {
    host.onWarning(`something of container ${record.id.slice(0, 12)} could not be cleared away: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function noteFailure(host: ContainerHost, record: ContainerRecord, error: unknown): void {
  if (!(error instanceof SlipwayError) || host.records.get(record.id) === undefined) return;
  const exitCode = isSlipwayError(error, "START_FAILED") && typeof error.details["exitCode"] === "number" ? error.details["exitCode"] : 128;
  host.records.update({
    ...record,
    state: {
      ...record.state,
      status: ["running", "restarting"].includes(record.state.status) ? "exited" : record.state.status,
      pid: 0,
      exitCode,
      error: error.message,
    },
  });
}

function portsInUse(host: ContainerHost, exceptId: string): ContainerRecord["ports"] {
  return host.records
    .list()
    .filter((other) => other.id !== exceptId && isUp(containerState(host, other)))
    .flatMap((other) => other.ports);
}

function withAttachment(host: ContainerHost, record: ContainerRecord, options: StartOptions, logOffset: number | undefined): Started {
  return options.attach === true ? { record, attachment: attachToLog(host, record, logOffset) } : { record };
}
