/** `--cidfile`: taken before the container is made, so that no container is made whose id cannot be told. */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { errnoOf } from "../../base/errors.ts";
import { userMode } from "../../base/umask.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import { fileError } from "./archive-file.ts";

export interface IdFile extends Disposable {
  /** The first id counts. */
  write(id: string): void;
}

/** "" for no file. Disposing removes one that never got its id. Fails with OUTPUT_FILE. */
export function openIdFile(cli: Cli, path: string): IdFile {
  if (path === "") return { write: () => undefined, [Symbol.dispose]: () => undefined };
  const file = resolve(cli.cwd, path);
  const fd = open(file, path);
  let written = false;
  return {
    write: (id) => {
      if (!written) writeSync(fd, id);
      written = true;
    },
    [Symbol.dispose]: () => {
      closeSync(fd);
      if (!written) rmSync(file, { force: true });
    },
  };
}

function open(file: string, shown: string): number {
  try {
    return openSync(file, "wx", userMode("file"));
  } catch (error) {
    if (errnoOf(error) === "EEXIST") {
      throw cliError(`container ID file found, make sure the other container isn't running or delete ${shown}`, "OUTPUT_FILE", { late: true });
    }
    throw fileError("failed to create the container ID file: open", shown, error, "OUTPUT_FILE");
  }
}
