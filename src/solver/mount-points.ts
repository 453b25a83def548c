/** Mount points that the layers below a step lack: made in a layer of their own below the step's upper, so that the step leaves none. */
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MountTarget } from "../runtime/step-mounts.ts";
import { parentOf, type FileView } from "../store/index.ts";
import { lutimesNs } from "../store/syscalls.ts";
import { resolveInTree } from "./resolve-path.ts";

/** Makes in `stubs` what the targets need and `view` has not, and answers those paths, with parents, the deepest first. */
export function makeMountPoints(view: FileView, stubs: string, targets: readonly MountTarget[]): readonly string[] {
  const made = new Set<string>();
  for (const target of targets) {
    const path = resolveInTree(view, target.path);
    if (view.lookup(path) !== undefined) continue;
    makeStub(stubs, path, target.kind);
    for (let missing = path; missing !== "" && view.lookup(missing) === undefined; missing = parentOf(missing)) made.add(missing);
  }
  return [...made].toSorted((a, b) => b.length - a.length);
}

function makeStub(root: string, path: string, kind: MountTarget["kind"]): void {
  const full = join(root, path);
  if (kind === "directory") {
    mkdirSync(full, { recursive: true, mode: 0o755 });
    return;
  }
  mkdirSync(join(full, ".."), { recursive: true, mode: 0o755 });
  closeSync(openSync(full, "a", 0o644));
}

/** A step that changed a mount point's mode or owner has it in its upper: what is empty goes all the same, as in Docker. */
export function dropMountPoints(upper: string, made: readonly string[]): void {
  for (const path of made) if (leadsThroughDirectories(upper, path)) dropEmpty(join(upper, path));
}

function leadsThroughDirectories(upper: string, path: string): boolean {
  for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
    if (lstatSync(join(upper, parent), { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  }
  return true;
}

/** The parent keeps its times. */
function dropEmpty(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || (!stat.isDirectory() && !(stat.isFile() && stat.size === 0))) return;
  if (stat.isDirectory() && readdirSync(path).length > 0) return;
  const { atimeNs, mtimeNs } = lstatSync(dirname(path), { bigint: true });
  if (stat.isDirectory()) rmdirSync(path);
  else unlinkSync(path);
  lutimesNs(dirname(path), atimeNs, mtimeNs);
}
