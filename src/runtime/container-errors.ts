/** Refusals about containers, in Docker's words. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { ContainerRecord, ContainerRecords, ContainerState } from "./container-records.ts";

export function nameTaken(name: string, otherId: string): SlipwayError {
  const message =
    `Conflict. The container name "/${name}" is already in use by container "${otherId}". ` +
    "You have to remove (or rename) that container to be able to reuse that name.";
  return new SlipwayError("conflict", "NAME_TAKEN", printable(message), { name, id: otherId });
}

export function noSuchContainer(nameOrId: string): SlipwayError {
  return new SlipwayError("not_found", "CONTAINER_NOT_FOUND", printable(`No such container: ${nameOrId}`), { container: nameOrId });
}

export function notRunning(record: ContainerRecord): SlipwayError {
  return new SlipwayError("conflict", "CONTAINER_NOT_RUNNING", `container ${record.id} is not running`, { id: record.id });
}

const killCodes = { conflict: "CONTAINER_NOT_RUNNING", invalid_argument: "INVALID_SIGNAL", not_found: "CONTAINER_NOT_FOUND" } as const;

export function cannotKill(nameOrId: string, reason: string, kind: keyof typeof killCodes): SlipwayError {
  const code = killCodes[kind];
  return new SlipwayError(kind, code, printable(`cannot kill container: ${nameOrId}: ${reason}`), { container: nameOrId });
}

export function pausedForExec(nameOrId: string): SlipwayError {
  const message = `Container ${nameOrId} is paused, unpause the container before exec`;
  return new SlipwayError("conflict", "CONTAINER_PAUSED", printable(message), { container: nameOrId });
}

export function cannotRemoveRunning(nameOrId: string, { status }: Pick<ContainerState, "status">): SlipwayError {
  const reason = status === "paused" ? "is paused and must be unpaused first" : `is ${status}: stop the container before removing or force remove`;
  const message = `cannot remove container "${nameOrId}": container ${reason}`;
  return new SlipwayError("conflict", "CONTAINER_RUNNING", printable(message), { container: nameOrId });
}

/** What stands in the record's `state.error` too. `exitCode` is the one the command line ends with. */
export function startFailed(message: string, exitCode: number): SlipwayError {
  const text = `failed to create task for container: failed to create shim task: OCI runtime create failed: ${message}`;
  return new SlipwayError("failed_precondition", "START_FAILED", printable(text), { exitCode });
}

/** Fails with CONTAINER_NOT_FOUND. */
export function requireContainer(records: ContainerRecords, nameOrId: string): ContainerRecord {
  const record = records.get(nameOrId);
  if (record === undefined) throw noSuchContainer(nameOrId);
  return record;
}
