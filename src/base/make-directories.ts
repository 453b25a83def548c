/** Directories with their parents, where users say that something is to be written. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf } from "./errors.ts";

/** As mkdirSync, and a directory that is there is none to make. */
function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST" || statSync(path).isDirectory() === false) throw error;
  }
}

/**
 * As `mkdir -p`; `mode` is what each new one gets, less the umask. Node's own recursion never ends below a directory that takes no
 * children, such as /proc: this one fails with the system's error there.
 */
export function makeDirectories(path: string, mode = 0o777): void {
  try {
    makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== "ENOENT" || statSync(parent, { throwIfNoEntry: false }) !== undefined) throw error;
    makeDirectories(parent, mode);
    makeOne(path, mode);
  }
}
