/** Whole applications, each a folder as its author would keep it: test/applications. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { parseSpec, type FileSpec } from "./case-file.ts";

const folders = path.resolve(import.meta.dirname, "../applications");

/** Its files as a context's: a checkout's own times and modes are given up, but for the executable bit. */
export function readApplication(name: string): readonly FileSpec[] {
  const folder = path.join(folders, name);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .toSorted()
    .map((file) => readFileSpec(folder, file));
}

function readFileSpec(folder: string, file: string): FileSpec {
  const full = path.join(folder, file);
  const status = lstatSync(full);
  const spec = parseSpec(JSON.stringify(file), status.isFile() ? readFileSync(full) : Buffer.alloc(0));
  if (status.isDirectory()) return { ...spec, kind: "directory", mode: 0o755 };
  if (status.isSymbolicLink()) return { ...spec, kind: "symlink", target: readlinkSync(full) };
  return { ...spec, mode: (status.mode & 0o111) === 0 ? 0o644 : 0o755 };
}
