/** Namespaces that a container has together with another one: where they are found while that one runs. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import type { ContainerRecord } from "./container-records.ts";
import { containerState } from "./container-state.ts";
import { isUp } from "./container-status.ts";

export interface JoinedNamespaces {
  /** whose hosts, resolv.conf and host name the container has too */
  readonly network?: { readonly path: string; readonly donor: ContainerRecord };
  readonly pid?: { readonly path: string };
  readonly ipc?: { readonly path: string; readonly sharedMemory: string };
}

/** JOIN_FAILED (failed_precondition), CONTAINER_NOT_FOUND in Docker's words. */
export function joinedNamespaces(host: ContainerHost, { config }: ContainerRecord): JoinedNamespaces {
  const { network, pid, ipc } = config.joins ?? {};
  return {
    ...(network === undefined ? {} : { network: networkOf(host, network) }),
    ...(pid === undefined ? {} : { pid: { path: `/proc/${pidOf(host, pid, "PID")}/ns/pid` } }),
    ...(ipc === undefined ? {} : { ipc: ipcOf(host, ipc) }),
  };
}

function networkOf(host: ContainerHost, id: string): NonNullable<JoinedNamespaces["network"]> {
  const donor = host.records.get(id);
  if (donor === undefined) throw failed(`joining network namespace of container: No such container: ${id}`);
  const { status, pid } = containerState(host, donor);
  if (!isUp({ status })) throw failed(`cannot join network namespace of a non running container: container ${donor.name} is ${status}`);
  return { path: `/proc/${pid}/ns/net`, donor };
}

function pidOf(host: ContainerHost, id: string, kind: "PID" | "IPC"): number {
  const donor = host.records.get(id);
  if (donor === undefined) throw failed(`No such container: ${id}`);
  const state = containerState(host, donor);
  if (!isUp(state)) throw failed(`failed to join ${kind} namespace: container ${donor.id} is not running`);
  return state.pid;
}

function ipcOf(host: ContainerHost, id: string): NonNullable<JoinedNamespaces["ipc"]> {
  const path = `/proc/${pidOf(host, id, "IPC")}/ns/ipc`;
  const donor = host.records.get(id);
  const own = donor !== undefined && donor.config.hostNamespaces?.includes("ipc") !== true;
  return { path, sharedMemory: own ? containerFiles(host, donor).sharedMemory : "/dev/shm" };
}

function failed(message: string): SlipwayError {
  return new SlipwayError("failed_precondition", "JOIN_FAILED", printable(message));
}
