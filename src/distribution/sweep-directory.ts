/** What servers that were killed left in a registry's directory; only while none runs there. */
import { existsSync, globSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { parseManifestOrIndex } from "../oci/parse-manifest.ts";

/** Removes half-written files, bytes that no repository names, and uploads and blobs without a manifest that nobody touched since `beforeMs`. */
export function sweepDirectory(root: string, beforeMs: number): void {
  rmSync(path.join(root, "temporary"), { recursive: true, force: true });
  for (const directory of globSync("repositories/**/_blobs", { cwd: root })) dropUnnamed(root, path.dirname(directory), beforeMs);
  const named = new Set(globSync("repositories/**/{_blobs,_manifests}/*", { cwd: root }).map((file) => path.basename(file)));
  for (const file of globSync("blobs/*/*", { cwd: root })) {
    const [, algorithm = "", hex = ""] = file.split(path.sep);
    if (!named.has(`${algorithm}:${hex}`)) rmSync(path.join(root, file), { force: true });
  }
  for (const file of globSync("repositories/**/_uploads/*", { cwd: root })) {
    if (statSync(path.join(root, file)).mtimeMs < beforeMs) rmSync(path.join(root, file), { force: true });
  }
}

/** A push that was given up leaves blobs behind: a client that comes back within the time finds them. */
function dropUnnamed(root: string, repository: string, beforeMs: number): void {
  const manifests = globSync(`${repository}/_manifests/*`, { cwd: root }).map((file) => path.basename(file));
  const named = new Set<string>(manifests.flatMap((digest) => blobsOf(path.join(root, "blobs", digest.replace(":", path.sep)))));
  for (const file of globSync(`${repository}/_blobs/*`, { cwd: root })) {
    if (!named.has(path.basename(file)) && statSync(path.join(root, file)).mtimeMs < beforeMs) rmSync(path.join(root, file), { force: true });
  }
}

function blobsOf(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  const parsed = parseManifestOrIndex(readFileSync(file));
  return parsed.kind === "index" ? [] : [parsed.manifest.config, ...parsed.manifest.layers].map(({ digest }) => digest);
}
