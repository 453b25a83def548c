/** `--network container:…`, `--pid container:…`, `--ipc …`: whose namespaces a new container gets. Nothing is started. */
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { isSlipwayError } from "../../base/errors.ts";
import { requireContainer } from "../../runtime/container-errors.ts";
import type { ContainerConfig, ContainerRecords } from "../../runtime/container-records.ts";
import type { RunOptions } from "../container-api.ts";

type Joins = NonNullable<ContainerConfig["joins"]>;

/** Containers by their ids. CONTAINER_NOT_FOUND, INVALID_NAMESPACE (invalid_argument) in Docker's words. */
export function joinsFrom(options: RunOptions, records: ContainerRecords): Joins {
  const network = donorOf(options.network, "network", records);
  if (network !== undefined) checkNetworkOptions(options);
  const pid = donorOf(options.pid, "PID", records);
  const ipc = donorOf(options.ipc, "IPC", records);
  if (ipc !== undefined) checkShareable(records, ipc);
  return { ...(network === undefined ? {} : { network }), ...(pid === undefined ? {} : { pid }), ...(ipc === undefined ? {} : { ipc }) };
}

function donorOf(mode: string | undefined, kind: "network" | "PID" | "IPC", records: ContainerRecords): string | undefined {
  if (mode === undefined || !mode.startsWith("container:")) return undefined;
  const name = mode.slice("container:".length);
  if (name === "") throw invalid(`invalid ${kind} mode: invalid container format container:<name|id>`);
  try {
    return requireContainer(records, name).id;
  } catch (error) {
    if (kind !== "network" || !isSlipwayError(error, "CONTAINER_NOT_FOUND")) throw error;
    throw new SlipwayError("not_found", "CONTAINER_NOT_FOUND", printable(`joining network namespace of container: ${error.message}`), { container: name });
  }
}

/** What the other container decides for both. */
function checkNetworkOptions(options: RunOptions): void {
  const conflicts: readonly (readonly [boolean, string])[] = [
    [(options.hostname ?? "") !== "", "hostname and the network mode"],
    [(options.dns ?? []).length > 0, "dns and the network mode"],
    [(options.addHosts ?? []).length > 0, "custom host-to-IP mapping and the network mode"],
    [(options.publish ?? []).length > 0 || options.publishAll === true, "port publishing and the container type network mode"],
    [(options.expose ?? []).length > 0, "port exposing and the container type network mode"],
  ];
  const conflict = conflicts.find(([given]) => given);
  if (conflict !== undefined) throw invalid(`conflicting options: ${conflict[1]}`);
}

function checkShareable(records: ContainerRecords, id: string): void {
  const { config } = requireContainer(records, id);
  if (config.ipcMode === "shareable" || config.hostNamespaces?.includes("ipc") === true) return;
  throw invalid(`failed to join IPC namespace: container ${id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`);
}

/** "private" and "" need no word. INVALID_NAMESPACE. */
export function ipcModeFrom(mode: string | undefined): Pick<ContainerConfig, "ipcMode"> {
  if (mode === "shareable" || mode === "none") return { ipcMode: mode };
  if (mode === undefined || mode === "" || mode === "private" || mode === "host" || mode.startsWith("container:")) return {};
  throw invalid(`invalid IPC mode: ${mode}`);
}

function invalid(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_NAMESPACE", printable(message));
}
