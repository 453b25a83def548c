/**
 * The standard streams of a step as real pipes. Node would give a child sockets, and a program that opens /dev/stdout or /dev/stderr
 * (`echo … >/dev/stderr` in a shell) fails on a socket with ENXIO.
 */
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mknod } from "../store/syscalls.ts";

const fifoMode = 0o010600;

export interface OutputPipe {
  /** for the child; close it here once the child is started */
  readonly writeFd: number;
  /** Ends when the last writer is gone. Reading in a loop that awaits is what slows the writer down. */
  readonly chunks: AsyncIterable<Buffer>;
  destroy(): void;
}

export function createOutputPipe(directory: string, name: string): OutputPipe {
  const path = join(directory, name);
  mknod(path, fifoMode, { major: 0, minor: 0 });
  // the reader first: opening the writing end would wait for it
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY);
  rmSync(path);
  const { Socket } = process.getBuiltinModule("node:net");
  const socket = new Socket({ fd: readFd, readable: true, writable: false });
  return { writeFd, chunks: socket as AsyncIterable<Buffer>, destroy: () => socket.destroy() };
}

export interface InputPipe {
  /** for the child; close it here once the child is started */
  readonly readFd: number;
  /** Writes everything and closes. A child that stops reading ends it quietly. */
  pump(source: AsyncIterable<Uint8Array>): Promise<void>;
}

export function createInputPipe(directory: string, name: string): InputPipe {
  const path = join(directory, name);
  mknod(path, fifoMode, { major: 0, minor: 0 });
  // with both ends open neither of the two others waits
  const both = openSync(path, constants.O_RDWR);
  const readFd = openSync(path, constants.O_RDONLY);
  const writeFd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  closeSync(both);
  rmSync(path);
  const { Socket } = process.getBuiltinModule("node:net");
  const socket = new Socket({ fd: writeFd, readable: false, writable: true });
  return {
    readFd,
    pump: (source) =>
      process
        .getBuiltinModule("node:stream")
        .promises.pipeline(source, socket)
        .catch(() => undefined),
  };
}
