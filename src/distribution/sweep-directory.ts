/** What servers that were killed left in a registry's directory; only while none runs there. */
import { globSync, rmSync, statSync } from "node:fs";
import path from "node:path";

/** Removes half-written files, bytes that no repository names, and uploads that nobody touched since `beforeMs`. */
export function sweepDirectory(root: string, beforeMs: number): void {
  rmSync(path.join(root, "temporary"), { recursive: true, force: true });
  const named = new Set(globSync("repositories/**/{_blobs,_manifests}/*", { cwd: root }).map((file) => path.basename(file)));
  for (const file of globSync("blobs/*/*", { cwd: root })) {
    const [, algorithm = "", hex = ""] = file.split(path.sep);
    if (!named.has(`${algorithm}:${hex}`)) rmSync(path.join(root, file), { force: true });
  }
  for (const file of globSync("repositories/**/_uploads/*", { cwd: root })) {
    if (statSync(path.join(root, file)).mtimeMs < beforeMs) rmSync(path.join(root, file), { force: true });
  }
}
