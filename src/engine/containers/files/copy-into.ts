/** `cp … CONTAINER:path`: into a container, from this machine or from a tar archive, by the rules of Docker's cp. */
import { lstatSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { errnoOf, SlipwayError } from "../../../base/errors.ts";
import { resolveInTree } from "../../../solver/resolve-path.ts";
import { containerUser } from "../../../runtime/container-spec.ts";
import { currentOwnership } from "../../../store/ownership.ts";
import { createUnpacker, type Owners } from "../../../store/unpack.ts";
import { DirectoryView } from "../../../store/directory-view.ts";
import type { FileNode } from "../../../store/index.ts";
import { decompressDetected } from "../../../tar/index.ts";
import { archivePath, selectPath } from "../../files/archive-path.ts";
import { baseNameOf } from "../../files/find-path.ts";
import type { ContainerRoot } from "./container-root.ts";
import { directoryFiles, noSuchContainerFile } from "./copy-from.ts";

const maxBytes = 2 ** 40;

export interface CopyIn {
  /** absolute; what ends in "/." stands for the files in it */
  readonly source: string;
  readonly destination: string;
  readonly followLink: boolean;
  /** all belong to the container's user; else to whom they belong here, by number */
  readonly toUser: boolean;
}

function refused(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "COPY_DESTINATION", message, { bare: true });
}

interface Found {
  /** without the leading slash, links followed */
  readonly path: string;
  readonly node: FileNode | undefined;
}

function findIn(root: ContainerRoot, asked: string): Found {
  const view = new DirectoryView(root.directory);
  const path = resolveInTree(view, posix.normalize(`/${asked}`));
  return { path, node: path === "" ? view.lookup("") : view.lookup(path) };
}

/** COPY_DESTINATION, FILE_NOT_FOUND, CONTAINER_READ_ONLY (failed_precondition) in Docker's words. Answers the bytes of the files. */
export async function copyInto(root: ContainerRoot, name: string, asked: CopyIn): Promise<number> {
  const isDirectory = statSource(asked).isDirectory();
  const { directory, member } = targetOf(root, asked, isDirectory);
  const parent = findIn(root, directory);
  if (parent.node === undefined) throw noSuchContainerFile(name, directory);
  checkWritable(root, parent);
  checkKinds(root, parent, member, isDirectory);
  const files = directoryFiles("/");
  const copy = await selectPath(files, "", asked.source, asked.followLink);
  return await unpack(join(root.directory, parent.path), archivePath(files, copy, member), ownersOf(root, asked.toUser));
}

function statSource({ source, followLink }: CopyIn): { isDirectory(): boolean } {
  try {
    const path = source.replace(/\/\.?$/, "") || "/";
    const stat = lstatSync(path);
    return followLink && stat.isSymbolicLink() ? lstatSync(resolve(path)) : stat;
  } catch (error) {
    const reason = errnoOf(error) === "ENOENT" ? "no such file or directory" : String(errnoOf(error));
    throw new SlipwayError("not_found", "FILE_NOT_FOUND", `lstat ${source}: ${reason}`, { path: source, bare: true });
  }
}

/** In which directory the copy gets which name; "" for the files of a directory without itself. */
function targetOf(root: ContainerRoot, { source, destination }: CopyIn, isDirectory: boolean): { readonly directory: string; readonly member: string } {
  const there = findIn(root, destination);
  const own = baseNameOf(source);
  if (there.node?.type === "directory") return { directory: `/${there.path}`, member: own };
  const place = { directory: posix.dirname(posix.normalize(`/${destination}`).replace(/(?<=.)\/$/, "")), member: posix.basename(destination) };
  if (there.node !== undefined) {
    if (isDirectory) throw refused("cannot copy directory");
    return { directory: `/${posix.dirname(there.path)}`, member: posix.basename(there.path) };
  }
  if (!isDirectory && /\/\.?$/.test(destination)) throw refused("no such directory");
  return place;
}

function checkWritable(root: ContainerRoot, { path }: Found): void {
  if (!root.isReadOnly(`/${path}`)) return;
  const message = root.record.config.readonlyRoot ? "container rootfs is marked read-only" : "mounted volume is marked read-only";
  throw new SlipwayError("failed_precondition", "CONTAINER_READ_ONLY", message, { path: `/${path}` });
}

function checkKinds(root: ContainerRoot, parent: Found, member: string, isDirectory: boolean): void {
  if (member === "") return;
  const node = findIn(root, posix.join(`/${parent.path}`, member)).node;
  if (node === undefined || (node.type === "directory") === isDirectory) return;
  const [kept, given] = isDirectory ? ["non-directory", "directory"] : ["directory", "non-directory"];
  throw new SlipwayError(
    "invalid_argument",
    "COPY_DESTINATION",
    `cannot overwrite ${kept} ${JSON.stringify(`/${posix.join(parent.path, member)}`)} with ${given}`,
  );
}

/** `cp - CONTAINER:path`: the archive, compressed or not, below a directory that is there. TAR_CORRUPT, TAR_TRUNCATED besides. */
export async function unpackInto(root: ContainerRoot, name: string, destination: string, source: AsyncIterable<Uint8Array>, toUser: boolean): Promise<number> {
  const there = findIn(root, destination);
  if (there.node === undefined) throw noSuchContainerFile(name, destination);
  if (there.node.type !== "directory") throw refused(`destination ${JSON.stringify(`${name}:${destination}`)} must be a directory`);
  checkWritable(root, there);
  const { bytes } = await decompressDetected(source, { maxBytes });
  return await unpack(join(root.directory, there.path), bytes, ownersOf(root, toUser));
}

function ownersOf(root: ContainerRoot, toUser: boolean): Owners {
  const { owners } = currentOwnership();
  if (!toUser || owners.mode === "ignore") return owners;
  const { uid, gid } = containerUser(root.directory, root.record.config, root.record.config.user, { forExec: true });
  return { mode: "one", uid, gid };
}

async function unpack(directory: string, tar: AsyncIterable<Uint8Array>, owners: Owners): Promise<number> {
  const unpacker = createUnpacker({ directory, whiteouts: "literal", owners });
  for await (const chunk of tar) unpacker.push(chunk);
  return unpacker.finish().bytes;
}
