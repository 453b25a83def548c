/**
 * The small init of `--init`: the first process of the container, which hands signals on and reaps what nobody waits for. It is the
 * machine's own (Docker's, Podman's, tini, dumb-init), and must be static: the image has not its libraries.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { findProgram, installCommand } from "./programs.ts";

/** where the container finds it, as Docker's */
export const initDestination = "/sbin/docker-init";

const names = ["docker-init", "catatonit", "tini-static", "tini", "dumb-init"];
/** Podman and Docker keep theirs off the PATH. */
const furtherDirectories = ["/usr/libexec/podman", "/usr/lib/podman", "/usr/libexec/docker"];

/** Undefined when there is none. `path`: directories in the form of PATH. */
export function findInit(path?: string): string | undefined {
  const candidates = path === undefined ? [undefined, ...furtherDirectories] : [path];
  return candidates
    .flatMap((directories) => names.map((name) => findProgram(name, directories)))
    .find((file) => file !== undefined && isStaticProgram(readHead(file)));
}

/** INIT_MISSING (failed_precondition), naming the command that installs one. */
export function requireInit(): string {
  const init = findInit();
  if (init !== undefined) return init;
  const install = installCommand("catatonit");
  throw new SlipwayError(
    "failed_precondition",
    "INIT_MISSING",
    `--init needs a static init (catatonit, tini), and none is installed; install one with: ${install}`,
    {
      install,
    },
  );
}

const interpreterSegment = 3;

/** Whether a 64-bit ELF file names no dynamic loader. Pure. */
export function isStaticProgram(head: Buffer): boolean {
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return false;
  const [offset, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  for (let index = 0; index < count; index++) {
    const at = offset + index * size;
    if (at + 4 > head.length || head.readUInt32LE(at) === interpreterSegment) return false;
  }
  return true;
}

/** The program headers stand at the beginning. */
function readHead(file: string): Buffer {
  const fd = openSync(file, "r");
  try {
    const head = Buffer.alloc(4096);
    return head.subarray(0, readSync(fd, head));
  } finally {
    closeSync(fd);
  }
}
