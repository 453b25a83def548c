/** A case's files on disk. */
import { spawnSync } from "node:child_process";
import { chmodSync, linkSync, lchownSync, lutimesSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { contextMtime, parseSpec, type FileSpec } from "./case-file.ts";
import { tarOf } from "./write-tar.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const below = (directory: string, name: string): Buffer => Buffer.concat([Buffer.from(`${directory}/`), bytes(name)]);

/** Writes all files, then modes, owners and times from the deepest up, so that directories keep theirs. */
export function writeContext(directory: string, files: readonly FileSpec[]): void {
  mkdirSync(directory, { recursive: true });
  const explicit = new Set(files.map(({ path: name }) => name));
  const implied = [...new Set(files.flatMap(({ path: name }) => ancestorsOf(name)))].filter((name) => !explicit.has(name));
  const directories = implied.map((name) => ({ ...parseSpec("implied/", Buffer.alloc(0)), path: name }));
  const all = [...directories, ...files];
  for (const spec of all.toSorted((a, b) => depthOf(a) - depthOf(b))) writeOne(directory, spec);
  for (const spec of all.toSorted((a, b) => depthOf(b) - depthOf(a))) setAttributes(directory, spec);
  lutimesSync(directory, contextMtime, contextMtime);
}

/** Hard links come after what they point to. */
function depthOf({ path: name, kind }: FileSpec): number {
  return name.split("/").length + (kind === "hardlink" ? 100 : 0);
}

function ancestorsOf(name: string): readonly string[] {
  const parts = name.split("/").slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

function writeOne(directory: string, spec: FileSpec): void {
  const file = below(directory, spec.path);
  if (spec.kind === "directory") mkdirSync(file, { recursive: true });
  else if (spec.kind === "symlink") symlinkSync(bytes(spec.target), file);
  else if (spec.kind === "hardlink") linkSync(below(directory, spec.target), file);
  else if (spec.kind === "fifo") spawnSync("mkfifo", [path.join(directory, spec.path)]);
  else if (spec.kind === "socket") makeSocket(path.join(directory, spec.path));
  else if (spec.attributes["char"] ?? spec.attributes["block"]) makeDevice(path.join(directory, spec.path), spec);
  else if (spec.kind === "tar") writeFileSync(file, tarOf(spec));
  else writeFileSync(file, spec.content);
}

function makeDevice(file: string, { attributes: { char, block } }: FileSpec): void {
  spawnSync("mknod", [file, char === undefined ? "b" : "c", ...(char ?? block ?? "").split(",")]);
}

/** A process that ends without closing its socket leaves the file. */
function makeSocket(file: string): void {
  spawnSync(process.execPath, ["-e", "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))", file]);
}

function setAttributes(directory: string, spec: FileSpec): void {
  const file = below(directory, spec.path);
  if (spec.kind === "hardlink") return;
  if (process.getuid?.() === 0) lchownSync(file, spec.uid, spec.gid);
  if (spec.kind !== "symlink") chmodSync(file, spec.mode ?? (spec.kind === "directory" ? 0o755 : 0o644));
  lutimesSync(file, spec.mtime, spec.mtime);
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "slipway-conformance-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
