/**
 * The process's own streams. Writing is synchronous on the descriptors, which spares the start-up of Node's stream classes
 * and loses nothing at exit; a reader that has gone away ends the program quietly.
 */
import { readFileSync, write as writeCallback, writeSync } from "node:fs";
import { errnoOf } from "../base/errors.ts";
import type { Input, Output } from "./cli.ts";

const exitOnBrokenPipe = 141;
const pause = new Int32Array(new SharedArrayBuffer(4));

function onWriteError(error: unknown): void {
  const errno = errnoOf(error);
  if (errno === "EPIPE") process.exit(exitOnBrokenPipe);
  if (errno !== "EAGAIN") throw error;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      onWriteError(error);
      // somebody made the descriptor non-blocking (a shared terminal): wait for the reader
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}

function writeOnce(fd: number, bytes: Uint8Array, offset: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  writeCallback(fd, bytes, offset, bytes.length - offset, null, (error, written) => (error === null ? resolve(written) : reject(error)));
  return promise;
}

async function writeAllSlowly(fd: number, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += await writeOnce(fd, bytes, offset);
    } catch (error) {
      onWriteError(error);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function isTerminal(fd: number): boolean {
  return process.getBuiltinModule("node:tty").isatty(fd);
}

function terminalSize(fd: number): { readonly columns: number; readonly rows: number } {
  if (!isTerminal(fd)) return { columns: 80, rows: 24 };
  const stream = fd === 1 ? process.stdout : process.stderr;
  const [columns, rows] = stream.getWindowSize();
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

export function openOutput(fd: 1 | 2): Output {
  let terminal: boolean | undefined;
  return {
    write: (data) => writeAll(fd, typeof data === "string" ? Buffer.from(data) : data),
    writeSlowly: (data) => writeAllSlowly(fd, data),
    get isTTY() {
      return (terminal ??= isTerminal(fd));
    },
    get columns() {
      return terminalSize(fd).columns;
    },
    get rows() {
      return terminalSize(fd).rows;
    },
  };
}

export function openInput(): Input {
  const reader = { opened: false, closed: false };
  const read = async function* (): AsyncIterable<Uint8Array> {
    reader.opened = true;
    try {
      for await (const chunk of process.stdin) yield chunk as Uint8Array;
    } catch (error) {
      // closing ends the reader in the middle, on purpose
      if (!reader.closed) throw error;
    }
  };
  return {
    get isTTY() {
      return isTerminal(0);
    },
    get chunks() {
      return read();
    },
    setRaw: (raw) => {
      if (isTerminal(0)) setRawMode(raw);
    },
    close: () => {
      if (!reader.opened) return;
      reader.closed = true;
      process.stdin.destroy();
    },
  };
}

/** As `stty -g` told it, while the terminal is raw. */
let savedMode: string | undefined;

/**
 * Bytes pass as they are in both directions. Node's own raw mode would go on to write a carriage return before each newline, and the
 * container's terminal has written one already; it stands in where there is no stty.
 */
function setRawMode(raw: boolean): void {
  const stty = raw ? "stty -g && stty raw -echo -echonl -iexten cs8 -parenb" : `stty ${savedMode ?? ""}`;
  if (!raw && savedMode === undefined) return void process.stdin.setRawMode(false);
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { status, stdout } = spawnSync("/bin/sh", ["-c", stty], { stdio: ["inherit", "pipe", "ignore"], encoding: "utf8" });
  savedMode = raw && status === 0 ? stdout.trim() : undefined;
  if (raw && status !== 0) process.stdin.setRawMode(true);
}

/** The version in package.json, two folders up. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
