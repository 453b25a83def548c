/** Volumes: directories below the store that outlive containers. A new one takes over what the image has at its mount point. */
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { requireContainer } from "../../runtime/container-errors.ts";
import type { ContainerMount, ContainerRecord, ContainerRecords } from "../../runtime/container-records.ts";
import { parseVolume } from "../../runtime/volume-spec.ts";
import { resolveInTree } from "../../solver/resolve-path.ts";
import { joinPath, treeSize, type Chain, type FileNode, type FileView, type Store } from "../../store/index.ts";
import { lutimesNs } from "../../store/syscalls.ts";

/** Marks volumes that `-v /path` or VOLUME made: they go with their container under --rm and `rm -v`. */
const anonymousMark = "anonymous";

function volumeDirectory(store: Store, name: string): string {
  return join(store.layout.volumes, name, "_data");
}

/** `-v` values and the image's VOLUMEs as mounts; directories are made, and filled from the image when they are new. */
export async function prepareMounts(
  store: Store,
  chain: Chain,
  values: readonly string[],
  imageVolumes: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly ContainerMount[]> {
  const specs = values.map((value) => parseVolume(value, process.cwd()));
  const taken = new Set(specs.map((spec) => spec.destination));
  for (const path of imageVolumes) if (!taken.has(path)) specs.push({ kind: "anonymous", destination: path, readOnly: false, options: [] });
  const view = specs.some((spec) => spec.kind !== "bind") ? await store.materializer.readableView(chain, signal) : undefined;
  return specs.map((spec): ContainerMount => {
    const { destination, readOnly, options } = spec;
    if (spec.kind === "bind") return { type: "bind", source: bindSource(spec.source), destination, readOnly, options };
    const name = spec.kind === "named" ? spec.name : randomBytes(32).toString("hex");
    const source = openVolume(store, name, spec.kind === "anonymous", options.includes("nocopy") ? undefined : view, destination);
    return { type: "volume", name, source, destination, readOnly, options };
  });
}

/** `--volumes-from NAME[:ro|rw]`: the mounts of other containers. CONTAINER_NOT_FOUND, INVALID_VOLUME in Docker's words. */
export function mountsFrom(records: ContainerRecords, values: readonly string[]): readonly ContainerMount[] {
  return values.flatMap((value) => {
    const [name = "", mode = "rw"] = value.split(":");
    if (mode !== "rw" && mode !== "ro") throw new SlipwayError("invalid_argument", "INVALID_VOLUME", printable(`invalid mode: ${mode}`));
    return requireContainer(records, name).mounts.map((mount) => (mode === "ro" ? { ...mount, readOnly: true } : mount));
  });
}

/** Docker makes a missing directory of -v; so do we. */
function bindSource(path: string): string {
  if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o755 });
  return path;
}

function openVolume(store: Store, name: string, anonymous: boolean, view: FileView | undefined, destination: string): string {
  const directory = volumeDirectory(store, name);
  if (!existsSync(directory)) {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    if (anonymous) writeFileSync(join(store.layout.volumes, name, anonymousMark), "");
  }
  if (view !== undefined && readdirSync(directory).length === 0) copyUp(view, destination, directory);
  return directory;
}

/** Content, owner, mode and times of the image's directory. */
function copyUp(view: FileView, destination: string, directory: string): void {
  const path = resolveInTree(view, destination);
  const node = view.lookup(path);
  if (node?.type !== "directory") return;
  const copyDirectory = (from: string, to: string, own: FileNode): void => {
    mkdirSync(to, { recursive: true });
    for (const name of view.list(from)) {
      const child = joinPath(from, name);
      const childNode = view.lookup(child);
      if (childNode?.type === "directory") copyDirectory(child, join(to, name), childNode);
      else if (childNode?.diskPath !== undefined) copyFile(childNode, join(to, name));
    }
    chownSync(to, own.uid, own.gid);
    chmodSync(to, own.mode);
  };
  copyDirectory(path, directory, node);
}

function copyFile(node: FileNode, target: string): void {
  if (node.type === "symlink") symlinkSync(node.linkname, target);
  else if (node.type === "file") copyFileSync(node.diskPath ?? "", target, constants.COPYFILE_FICLONE);
  else return;
  lchownSync(target, node.uid, node.gid);
  if (node.type === "file") chmodSync(target, node.mode);
  lutimesNs(target, node.mtimeNs, node.mtimeNs);
}

/** But for those that another container got by --volumes-from. */
export function removeAnonymousVolumes(store: Store, record: Pick<ContainerRecord, "id" | "mounts">): void {
  const others = store.containers<ContainerRecord>().list();
  for (const mount of record.mounts) {
    if (mount.type !== "volume" || mount.name === undefined) continue;
    if (others.some(({ id, mounts }) => id !== record.id && mounts.some(({ name }) => name === mount.name))) continue;
    const directory = join(store.layout.volumes, mount.name);
    if (statSync(join(directory, anonymousMark), { throwIfNoEntry: false }) !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

/** Removes volumes that no container uses (anonymous ones, as Docker's `system prune --volumes` does); answers the freed bytes. */
export function pruneVolumes(store: Store): number {
  const used = new Set(
    store
      .containers<ContainerRecord>()
      .list()
      .flatMap((record) => record.mounts.flatMap((mount) => mount.name ?? [])),
  );
  let freed = 0;
  for (const name of readdirSync(store.layout.volumes)) {
    const directory = join(store.layout.volumes, name);
    if (used.has(name) || !existsSync(join(directory, anonymousMark))) continue;
    freed += treeSize(directory);
    rmSync(directory, { recursive: true, force: true });
  }
  return freed;
}
