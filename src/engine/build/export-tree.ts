/** Outputs that are files: `type=local` writes the final stage's tree, `type=tar` the same as an archive. */
import { chmodSync, closeSync, constants, copyFileSync, lchownSync, lstatSync, openSync, readSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Breath } from "../../base/breath.ts";
import { makeDirectories } from "../../base/make-directories.ts";
import { asSlipwayError } from "../../base/errors.ts";
import { userMode } from "../../base/umask.ts";
import { joinPath, type FileNode, type FileView } from "../../store/index.ts";
import { lutimesNs } from "../../store/syscalls.ts";
import { createEntry, encodeHeader, endOfArchive } from "../../tar/writer.ts";
import { readContent } from "../../solver/file-digests.ts";
import { wholeSeconds } from "../../solver/whole-seconds.ts";

/** Every node, parents before children, sorted. */
export function* walk(view: FileView, directory = ""): Generator<readonly [string, FileNode]> {
  for (const name of view.list(directory)) {
    const path = joinPath(directory, name);
    const node = view.lookup(path);
    if (node === undefined) continue;
    yield [path, node];
    if (node.type === "directory") yield* walk(view, path);
  }
}

/** Existing files of the same names are replaced, others stay. Owners are kept where the caller may set them. */
export async function writeLocal(view: FileView, destination: string, keepOwners: boolean, signal: AbortSignal): Promise<number> {
  const breath = new Breath(signal);
  let bytes = 0;
  const directories: (readonly [string, FileNode])[] = [];
  try {
    makeDirectories(destination, userMode("directory"));
    for (const [path, node] of walk(view)) {
      if (breath.isDue) await breath.take();
      const target = join(destination, path);
      writeNode(node, target);
      if (node.type === "file") await copyContent(node, target, breath);
      if (keepOwners) lchownSync(target, node.uid, node.gid);
      if (node.type === "directory") directories.push([target, node]);
      else finishNode(target, node);
      bytes += node.size;
    }
    // Times of directories last: writing into them moves them.
    for (const [target, node] of directories.toReversed()) finishNode(target, node);
  } catch (error) {
    throw asSlipwayError(error, "unavailable", "EXPORT_FAILED");
  }
  return bytes;
}

function writeNode(node: FileNode, target: string): void {
  const existing = lstatSync(target, { throwIfNoEntry: false });
  if (existing !== undefined && !(existing.isDirectory() && node.type === "directory")) rmSync(target, { recursive: true });
  switch (node.type) {
    case "directory":
      makeDirectories(target, 0o755);
      return;
    case "symlink":
      symlinkSync(node.linkname, target);
      return;
    case "file":
      // its content comes after it
      return;
    default:
      // Devices and fifos are left out, as Docker's local exporter does for users.
      return;
  }
}

/** Large ones that cannot share their blocks go in pieces: nobody waits for a copy that was interrupted. */
async function copyContent({ diskPath = "", size }: FileNode, target: string, breath: Breath): Promise<void> {
  if (size < largeBytes) return copyFileSync(diskPath, target, constants.COPYFILE_FICLONE);
  try {
    copyFileSync(diskPath, target, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    const fd = openSync(target, "wx", 0o600);
    try {
      for (const chunk of readContent(diskPath, size)) {
        for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at);
        if (breath.isDue) await breath.take();
      }
    } finally {
      closeSync(fd);
    }
  }
}

const largeBytes = 4 << 20;

function finishNode(target: string, node: FileNode): void {
  if (node.type !== "file" && node.type !== "directory" && node.type !== "symlink") return;
  if (node.type !== "symlink") chmodSync(target, node.mode);
  lutimesNs(target, node.mtimeNs, node.mtimeNs);
}

const chunkBytes = 256 * 1024;

/** A tree below a directory; "" is the top. */
export interface PlacedView {
  readonly view: FileView;
  readonly directory: string;
  /** files besides, at the tree's top */
  readonly statements?: readonly { readonly name: string; readonly bytes: Buffer }[];
}

export function tarOfView(view: FileView): AsyncGenerator<Uint8Array> {
  return tarOfViews([{ view, directory: "" }]);
}

/** The trees as one deterministic tar. */
export async function* tarOfViews(placed: readonly PlacedView[]): AsyncGenerator<Uint8Array> {
  for (const { view, directory, statements = [] } of placed) {
    if (directory !== "") yield encodeHeader(createEntry({ type: "directory", path: directory }));
    yield* membersOf(view, directory);
    for (const { name, bytes } of statements) {
      yield encodeHeader(createEntry({ type: "file", path: joinPath(directory, name), mode: 0o644, size: bytes.length }));
      yield bytes;
      if (bytes.length % 512 > 0) yield Buffer.alloc(512 - (bytes.length % 512));
    }
  }
  yield endOfArchive;
}

function* membersOf(view: FileView, below: string): Generator<Uint8Array> {
  const links = new Map<string, string>();
  for (const [inside, node] of walk(view)) {
    const path = joinPath(below, inside);
    const linkTo = node.inode === "" ? undefined : links.get(node.inode);
    if (node.inode !== "" && linkTo === undefined) links.set(node.inode, path);
    const type = linkTo === undefined ? node.type : "hardlink";
    yield encodeHeader(
      createEntry({
        type,
        path,
        linkname: linkTo ?? node.linkname,
        mode: node.mode,
        uid: node.uid,
        gid: node.gid,
        size: type === "file" ? node.size : 0,
        mtimeNs: wholeSeconds(node.mtimeNs),
        devmajor: node.devmajor,
        devminor: node.devminor,
        xattrs: view.xattrs(inside),
      }),
    );
    if (type === "file") yield* fileContent(node);
  }
}

function* fileContent(node: FileNode): Generator<Uint8Array> {
  const fd = openSync(node.diskPath ?? "", "r");
  try {
    for (let at = 0; at < node.size;) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, node.size - at));
      const read = readSync(fd, buffer, 0, buffer.length, at);
      if (read === 0) break;
      yield buffer.subarray(0, read);
      at += read;
    }
    const padding = (512 - (node.size % 512)) % 512;
    if (padding > 0) yield Buffer.alloc(padding);
  } finally {
    closeSync(fd);
  }
}
