/** The files of an OCI layout's directory: replaced at once, so that whoever reads it meanwhile sees it as it was. @see image-spec, image-layout.md */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../base/errors.ts";
import { userMode } from "../../base/umask.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { parseIndex } from "../../oci/parse-manifest.ts";
import { flock } from "../../store/syscalls.ts";

let partials = 0;

/** Beside the file, another one each time: several tasks of one process may bring the same blob. */
export function partialName(path: string): string {
  return `${path}.partial-${process.pid}-${++partials}`;
}

export function replaceFile(path: string, content: string | Uint8Array): void {
  const partial = partialName(path);
  try {
    writeFileSync(partial, content, { mode: userMode("file") });
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/**
 * Replaces index.json by what `change` makes of its entries. Two programs that add to one layout wait for each other, each for the moment
 * that the other needs, so that no entry is lost.
 */
export function changeLayoutIndex(directory: string, change: (entries: readonly Descriptor[]) => string | Uint8Array): void {
  const fd = openSync(directory, "r");
  try {
    lockIfPossible(fd);
    replaceFile(join(directory, "index.json"), change(layoutEntries(directory)));
  } finally {
    closeSync(fd);
  }
}

/** Some network file systems know no locks. */
function lockIfPossible(fd: number): void {
  try {
    flock(fd, "exclusive");
  } catch (error) {
    if (!["ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"].includes(errnoOf(error) ?? "")) throw error;
  }
}

/** What index.json lists; nothing where there is none yet. Fails with INVALID_DOCUMENT (invalid_argument). */
export function layoutEntries(directory: string): readonly Descriptor[] {
  try {
    return parseIndex(readFileSync(join(directory, "index.json"))).manifests;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
