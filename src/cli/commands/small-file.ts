/** Files that a command reads whole: keys, certificates, predicates. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import path from "node:path";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import { fileError } from "./archive-file.ts";

const keyBytes = 1 << 20;

/** At most `maxBytes` are read, whatever kind of file it is. Fails with INPUT_FILE (invalid_argument). */
export function readSmallBytes(cli: Cli, name: string, maxBytes: number): Buffer {
  try {
    const fd = openSync(path.resolve(cli.cwd, name), "r");
    try {
      if (fstatSync(fd).isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
      const chunks: Buffer[] = [];
      for (let size = 0; ;) {
        const chunk = Buffer.alloc(64 * 1024);
        const read = readSync(fd, chunk);
        if (read === 0) return Buffer.concat(chunks);
        size += read;
        if (size > maxBytes) throw cliError(`${name} is longer than ${maxBytes} bytes`, "INPUT_FILE");
        chunks.push(chunk.subarray(0, read));
      }
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError("open", name, error, "INPUT_FILE");
  }
}

/** The same of standard input. */
export async function readStdin(cli: Cli, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of cli.stdin.chunks) {
      size += chunk.length;
      if (size > maxBytes) throw cliError(`standard input is longer than ${maxBytes} bytes`, "INPUT_FILE");
      chunks.push(chunk);
    }
  } finally {
    cli.stdin.close();
  }
  return Buffer.concat(chunks);
}

export function readSmallFile(cli: Cli, name: string): string {
  return readSmallBytes(cli, name, keyBytes).toString();
}
