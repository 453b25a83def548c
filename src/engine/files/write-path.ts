/** `cp IMAGE:/path DEST`: a path of an image into a directory of this machine, by the rules of Docker's cp. */
import { chmodSync, closeSync, lchownSync, linkSync, lstatSync, mkdirSync, openSync, readlinkSync, rmSync, statSync, symlinkSync, writeSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Breath } from "../../base/breath.ts";
import { SlipwayError, asSlipwayError } from "../../base/errors.ts";
import { lutimesNs } from "../../store/syscalls.ts";
import { filesOf, type PathCopy, type PlacedNode } from "./archive-path.ts";
import type { ImageFiles } from "./image-files.ts";

export interface WriteOptions {
  /** give files their owners of the image; else they are the caller's */
  readonly keepOwners: boolean;
  readonly signal?: AbortSignal;
}

function refused(message: string, destination: string): SlipwayError {
  return new SlipwayError("invalid_argument", "COPY_DESTINATION", message, { destination, bare: true });
}

/**
 * Where the copy goes: into a directory that is there under its own name, else to the name that was given.
 * Fails with COPY_DESTINATION (invalid_argument) in Docker's words.
 */
export function destinationOf(destination: string, name: string, isDirectory: boolean): string {
  const existing = statSync(destination, { throwIfNoEntry: false });
  if (existing?.isDirectory() === true) return name === "" ? destination : join(destination, name);
  if (existing !== undefined) {
    if (isDirectory) throw refused("cannot copy directory", destination);
    return behindLink(destination);
  }
  if (destination.endsWith("/") && !isDirectory) {
    const file = lstatSync(destination.replace(/\/+$/, ""), { throwIfNoEntry: false });
    throw refused(file === undefined ? "no such directory" : `stat ${destination}: not a directory`, destination);
  }
  if (!statSync(dirname(destination), { throwIfNoEntry: false })?.isDirectory()) {
    throw refused(`invalid output path: directory ${JSON.stringify(dirname(destination))} does not exist`, destination);
  }
  return behindLink(destination);
}

/** Whoever names a link means what it leads to, also where that is not there yet. */
function behindLink(destination: string): string {
  let path = destination;
  for (let hop = 0; hop < 16 && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true; hop++) path = resolve(dirname(path), readlinkSync(path));
  return path;
}

/** Answers the bytes written. What is there under a file's name is replaced, directories are merged; links at the destination are not followed. */
export async function writePath(files: ImageFiles, copy: PathCopy, target: string, options: WriteOptions): Promise<number> {
  const placed = new Map(copy.nodes.map((node) => [node.path, node]));
  const place = ({ inside }: PlacedNode): string => (inside === "" ? target : join(target, inside));
  let bytes = 0;
  try {
    for (const node of placed.values()) if (node.node.type !== "file") makeNode(place(node), node);
    for await (const { paths, bytes: content } of files.contents(filesOf(copy))) {
      const [first, ...others] = paths.flatMap((path) => placed.get(path) ?? []);
      if (first === undefined) continue;
      bytes += await writeFile(place(first), content, options.signal);
      for (const other of others) {
        makeRoom(place(other), false);
        linkSync(place(first), place(other));
      }
    }
    // times of directories last: writing into them moves them
    for (const node of [...placed.values()].toReversed()) finish(place(node), node, options.keepOwners);
  } catch (error) {
    throw asSlipwayError(error, "unavailable", "EXPORT_FAILED");
  }
  return bytes;
}

/** A link at the very top may be the user's own and lead on; below it nothing is written through a link. */
function makeRoom(path: string, keepDirectory: boolean): boolean {
  const existing = lstatSync(path, { throwIfNoEntry: false });
  if (existing === undefined) return true;
  if (existing.isDirectory()) {
    if (keepDirectory) return false;
    throw refused(`cannot overwrite directory ${JSON.stringify(path)} with non-directory`, path);
  }
  if (keepDirectory && statSync(path, { throwIfNoEntry: false })?.isFile() === true) {
    throw refused(`cannot overwrite non-directory ${JSON.stringify(path)} with directory`, path);
  }
  rmSync(path);
  return true;
}

function makeNode(path: string, { node, inside }: PlacedNode): void {
  switch (node.type) {
    case "directory":
      if (inside === "" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
      if (makeRoom(path, true)) mkdirSync(path, { mode: 0o700 });
      return;
    case "symlink":
      makeRoom(path, false);
      symlinkSync(node.linkname, path);
      return;
    default:
      // devices and fifos are left out, as for users of Docker's cp
      return;
  }
}

async function writeFile(path: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<number> {
  makeRoom(path, false);
  const fd = openSync(path, "wx", 0o600);
  const breath = new Breath(signal);
  let bytes = 0;
  try {
    for await (const chunk of content) {
      signal?.throwIfAborted();
      if (breath.isDue) await breath.take();
      for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at);
      bytes += chunk.length;
    }
  } finally {
    closeSync(fd);
  }
  return bytes;
}

function finish(path: string, { node }: PlacedNode, keepOwners: boolean): void {
  if (node.type !== "file" && node.type !== "directory" && node.type !== "symlink") return;
  if (keepOwners) lchownSync(path, node.uid, node.gid);
  if (node.type !== "symlink") chmodSync(path, node.mode);
  lutimesNs(path, node.mtimeNs, node.mtimeNs);
}
