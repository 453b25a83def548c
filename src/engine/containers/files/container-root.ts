/** A container's files as its processes see them, volumes included; of one that does not run as they would. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ContainerHost } from "../../../runtime/container.ts";
import { requireContainer } from "../../../runtime/container-errors.ts";
import { containerFiles } from "../../../runtime/container-host.ts";
import { holdContainer } from "../../../runtime/container-lock.ts";
import type { ContainerMount, ContainerRecord } from "../../../runtime/container-records.ts";
import { containerState } from "../../../runtime/container-state.ts";
import { isUp } from "../../../runtime/container-status.ts";
import { resolveInTree } from "../../../solver/resolve-path.ts";
import { DirectoryView } from "../../../store/directory-view.ts";
import { bindMount, enterPrivateMountNamespace, unmount } from "../../../store/overlay.ts";

export interface ContainerRoot extends AsyncDisposable {
  /** a directory of this process, until it is closed */
  readonly directory: string;
  readonly record: ContainerRecord;
  /** places that the container has read-only: where it stands below one, nothing may be written */
  readonly isReadOnly: (path: string) => boolean;
}

/** A container that does not run is not started until it is closed. CONTAINER_NOT_FOUND, CONTAINER_BUSY, MOUNT_DENIED. */
export async function openContainerRoot(host: ContainerHost, nameOrId: string): Promise<ContainerRoot> {
  const record = requireContainer(host.records, nameOrId);
  const isReadOnly = readOnlyPlaces(record);
  const state = containerState(host, record);
  if (isUp(state)) return { directory: `/proc/${state.pid}/root`, record, isReadOnly, [Symbol.asyncDispose]: async () => {} };
  const lock = await holdContainer(record.paths.directory);
  const mounted: string[] = [];
  const close = async (): Promise<void> => {
    for (const target of mounted.toReversed()) unmount(target);
    lock[Symbol.dispose]();
  };
  try {
    const { rootfs } = containerFiles(host, record);
    mountFiles(host, record, rootfs, mounted);
    return { directory: rootfs, record, isReadOnly, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function withContainerRoot<Result>(host: ContainerHost, nameOrId: string, act: (root: ContainerRoot) => Promise<Result>): Promise<Result> {
  await using root = await openContainerRoot(host, nameOrId);
  return await act(root);
}

function mountFiles(host: ContainerHost, record: ContainerRecord, rootfs: string, mounted: string[]): void {
  enterPrivateMountNamespace();
  mkdirSync(rootfs, { recursive: true, mode: 0o755 });
  host.mountRootfs(record, rootfs);
  mounted.push(rootfs);
  for (const mount of record.mounts) mounted.push(...mountInto(rootfs, mount));
}

/** Memory is gone with the run; other file systems are mounted for runs alone. */
function mountInto(rootfs: string, mount: ContainerMount): readonly string[] {
  if (mount.type === "tmpfs" || mount.filesystem !== undefined) return [];
  const target = join(rootfs, resolveInTree(new DirectoryView(rootfs), mount.destination));
  const source = mount.subpath === undefined ? mount.source : join(mount.source, mount.subpath);
  const kind = new DirectoryView(source).lookup("");
  if (kind?.type === "directory") mkdirSync(target, { recursive: true, mode: 0o755 });
  else return [];
  bindMount({ source, target, recursive: mount.type === "bind" && mount.nonRecursive !== true });
  return [target];
}

function readOnlyPlaces({ config, mounts }: ContainerRecord): (path: string) => boolean {
  return (path) => {
    const holder = mounts
      .filter(({ destination }) => path === destination || path.startsWith(`${destination}/`))
      .toSorted((a, b) => b.destination.length - a.destination.length)[0];
    return holder?.readOnly ?? config.readonlyRoot;
  };
}
