/** Clears away what a container's run leaves behind. A run is known by its token, so that the end of one never touches the next. */
import { readFileSync, rmSync, statSync } from "node:fs";
import { isSlipwayError } from "../base/errors.ts";
import { unmount } from "../store/overlay.ts";
import { readPidFile } from "./conmon.ts";
import { requireContainer } from "./container-errors.ts";
import { tellEnd } from "./container-events.ts";
import { containerFiles, type ContainerFiles, type ContainerHost } from "./container-host.ts";
import { waitForReaders, withContainerLock } from "./container-lock.ts";
import type { ContainerRecord } from "./container-records.ts";
import { containerState } from "./container-state.ts";
import { isUp } from "./container-status.ts";
import { shellCommand, startTimeTicks } from "./death-watch.ts";
import { endProcess } from "./end-process.ts";
import { endHealthCommand } from "./health-checks.ts";
import { wroteItself } from "./live-process.ts";
import { keeperFiles } from "./network-keeper-files.ts";
import { runtimeCall, runtimeOf, type OciRuntime, type RuntimeCall } from "./oci-runtime.ts";
import { runProgram } from "./run-program.ts";

/**
 * Ends whatever is left of a container's last run: runtime state, pasta, mounts, files of this boot. Safe at any time: a running container is
 * left alone. With `run` only that run is cleared away, and nothing happens when it was already or a later one began. CONTAINER_NOT_FOUND.
 */
export async function cleanupContainer(host: ContainerHost, nameOrId: string, run?: string): Promise<void> {
  const { id, paths } = requireContainer(host.records, nameOrId);
  await withContainerLock(paths.directory, async () => {
    const record = host.records.get(id);
    if (record === undefined || isUp(containerState(host, record))) return;
    if (run !== undefined && runToken(containerFiles(host, record)) !== run) return;
    await clearAway(host, record);
  });
}

/** The container's lock must be held. */
export async function clearAway(host: ContainerHost, record: ContainerRecord): Promise<void> {
  const files = containerFiles(host, record);
  tellEnd(host, record, containerState(host, record));
  if (statSync(`${files.runtimeRoot}/${record.id}`, { throwIfNoEntry: false }) !== undefined) {
    const call = deleteCall(files, record.id, runtimeOf(record));
    await runProgram(call.file, call.args).catch(() => undefined);
  }
  const pasta = readPidFile(files.pastaPid);
  if (pasta !== undefined && wroteItself(pasta, files.pastaPid)) await endProcess({ pid: pasta, startTimeTicks: startTimeTicks(pasta) ?? "" });
  if (statSync(files.healthPid, { throwIfNoEntry: false }) !== undefined) await runProgram("/bin/sh", ["-c", `${endHealthCommand(files)} || true`]);
  rmSync(files.healthPid, { force: true });
  rmSync(`${keeperFiles(host.runDirectory).members}/${record.id}`, { force: true });
  unmountIfAllowed(`${files.network}/netns`);
  unmountIfAllowed(files.rootfs);
  if (record.config.logging?.driver === "none" && (await waitForReaders(files.directory, 0))) rmSync(files.log, { force: true });
  for (const path of [files.run, files.execs]) rmSync(path, { recursive: true, force: true });
}

/** Undefined when no run has left anything. */
export function runToken(files: Pick<ContainerFiles, "runToken">): string | undefined {
  try {
    return readFileSync(files.runToken, "utf8");
  } catch {
    return undefined;
  }
}

/** A shell line that undoes a launch which is not finished: for the case that the launching process is killed in the middle of it. */
export function undoLaunchCommand(files: ContainerFiles, id: string, runtime: OciRuntime): string {
  const call = deleteCall(files, id, runtime);
  const endNamed = (pidFile: string): string => `read -r pid <${shellCommand([pidFile])} && kill "$pid"`;
  // a monitor hands the signal on to a runtime that is still creating; what was created already needs the runtime's own delete
  return `{ ${endNamed(files.pastaPid)}; ${endNamed(files.conmonPid)}; ${shellCommand([call.file, ...call.args])}; } 2>/dev/null`;
}

function deleteCall(files: ContainerFiles, id: string, runtime: OciRuntime): RuntimeCall {
  return runtimeCall(runtime, { root: files.runtimeRoot, cgroups: true }, ["delete", "--force", id]);
}

/** Where this process may not unmount it has mounted nothing either. */
function unmountIfAllowed(path: string): void {
  try {
    unmount(path);
  } catch (error) {
    if (!isSlipwayError(error, "MOUNT_DENIED")) throw error;
  }
}
