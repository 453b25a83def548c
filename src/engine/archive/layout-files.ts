/** The files of an OCI layout's directory: replaced at once, so that whoever reads it meanwhile sees it as it was. @see image-spec, image-layout.md */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../base/errors.ts";
import { userMode } from "../../base/umask.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { parseIndex } from "../../oci/parse-manifest.ts";

export function partialName(path: string): string {
  return `${path}.partial-${process.pid}`;
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

/** What index.json lists; nothing where there is none yet. Fails with INVALID_DOCUMENT (invalid_argument). */
export function layoutEntries(directory: string): readonly Descriptor[] {
  try {
    return parseIndex(readFileSync(join(directory, "index.json"))).manifests;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
