/** The beginning of the program that a command starts in a root file system: scripts lead to their interpreter. Synchronous, as mounts ask for. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { posix } from "node:path";
import { openInRoot } from "../store/syscalls.ts";

export interface CommandInRoot {
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** what lies at and below their destinations is not the root file system's */
  readonly mounts?: readonly { readonly destination: string }[] | undefined;
}

/** as many as the kernel follows */
const maxInterpreters = 4;
const headerBytes = 256;
const nothing = Buffer.alloc(0);

/** Empty when there is no such program, or a mount may bring it. */
export function readProgramHeader({ rootfs, args, env, cwd, mounts = [] }: CommandInRoot): Buffer {
  const [name = ""] = args;
  const path = env.findLast((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "";
  const covered = (file: string): boolean => mounts.some(({ destination }) => isBelow(file, posix.resolve("/", cwd, destination)));
  const root = openSync(rootfs, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    let header = firstOf(root, candidates(name, path, cwd), covered);
    for (let depth = 0; depth < maxInterpreters; depth++) {
      const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(header.toString("latin1"))?.[1];
      if (interpreter === undefined) return header;
      header = firstOf(root, [posix.resolve("/", cwd, interpreter)], covered);
    }
    return header;
  } finally {
    closeSync(root);
  }
}

function candidates(name: string, path: string, cwd: string): readonly string[] {
  if (name === "") return [];
  if (name.includes("/")) return [posix.resolve("/", cwd, name)];
  return path.split(":").map((directory) => posix.resolve("/", cwd, directory, name));
}

function isBelow(file: string, directory: string): boolean {
  return directory === "/" || file === directory || file.startsWith(`${directory}/`);
}

function firstOf(root: number, paths: readonly string[], covered: (path: string) => boolean): Buffer {
  for (const path of paths) {
    if (covered(path)) return nothing;
    const header = headerOf(root, path);
    if (header !== undefined) return header;
  }
  return nothing;
}

function headerOf(root: number, path: string): Buffer | undefined {
  let fd: number;
  try {
    // O_NONBLOCK: a fifo in the program's place must not hang the open
    fd = openInRoot(root, path.slice(1), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || (stat.mode & 0o111) === 0) return undefined;
    const buffer = Buffer.alloc(headerBytes);
    return buffer.subarray(0, readSync(fd, buffer, 0, headerBytes, 0));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
