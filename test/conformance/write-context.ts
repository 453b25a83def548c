/** A case's files on disk, or as the members of a tar; the web server that some of them come from. */
import { spawnSync } from "node:child_process";
import { chmodSync, linkSync, lchownSync, lutimesSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { contextMtime, parseSpec, type FileSpec } from "./case-file.ts";

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
  else if (spec.kind === "tar") writeFileSync(file, tarOf(spec));
  else writeFileSync(file, spec.content);
}

function setAttributes(directory: string, spec: FileSpec): void {
  const file = below(directory, spec.path);
  if (spec.kind === "hardlink") return;
  if (process.getuid?.() === 0) lchownSync(file, spec.uid, spec.gid);
  if (spec.kind !== "symlink") chmodSync(file, spec.mode ?? (spec.kind === "directory" ? 0o755 : 0o644));
  lutimesSync(file, spec.mtime, spec.mtime);
}

const typeflags = { file: "0", hardlink: "1", symlink: "2", directory: "5", fifo: "6", tar: "0" } as const;

/** A ustar archive of the section's lines: what feeds the program must not be written by the program. */
export function tarOf(spec: FileSpec): Buffer {
  const lines = spec.content
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "");
  const members = lines.map((line) => {
    const at = line.indexOf(" :: ");
    const content = at < 0 ? "" : `${line.slice(at + 4).replaceAll("\\n", "\n")}`;
    return parseSpec(Buffer.from(at < 0 ? line : line.slice(0, at), "latin1").toString(), bytes(content));
  });
  const plain = Buffer.concat([...members.flatMap(memberOf), Buffer.alloc(1024)]);
  const cut = spec.attributes["cut"];
  const packed = spec.compression === "none" ? plain : filter(spec.compression, plain);
  return cut === undefined ? packed : packed.subarray(0, Number(cut));
}

function filter(program: string, input: Buffer): Buffer {
  const { stdout, status, stderr } = spawnSync(program, ["-c"], { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${program}: ${stderr.toString()}`);
  return stdout;
}

function memberOf(spec: FileSpec): readonly Buffer[] {
  const device = spec.attributes["char"] ?? spec.attributes["block"];
  const type = spec.attributes["char"] !== undefined ? "3" : spec.attributes["block"] !== undefined ? "4" : typeflags[spec.kind];
  const body = type === "0" ? spec.content : Buffer.alloc(0);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;
  const header = Buffer.alloc(512);
  header.write(spec.path + (spec.kind === "directory" ? "/" : ""), 0, 100, "latin1");
  header.write(octal(spec.mode ?? (spec.kind === "directory" ? 0o755 : 0o644), 8) + octal(spec.uid, 8) + octal(spec.gid, 8), 100);
  header.write(octal(body.length, 12) + octal(Math.max(0, spec.mtime), 12), 124);
  header.write("        ", 148);
  header.write(type, 156);
  header.write(spec.target, 157, 100, "latin1");
  header.write("ustar\0" + "00", 257);
  if (device !== undefined) {
    const [major = 0, minor = 0] = device.split(",").map(Number);
    header.write(octal(major, 8) + octal(minor, 8), 329);
  }
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}

export interface WebServer extends AsyncDisposable {
  /** host:port */
  readonly host: string;
  serve(files: readonly FileSpec[]): void;
}

export async function startWebServer(): Promise<WebServer> {
  let served: readonly FileSpec[] = [];
  const server = createServer((request, response) => {
    const wanted = decodeURIComponent((request.url ?? "/").slice(1).replace(/\?.*$/, ""));
    const spec = served.find(({ path: name }) => name === wanted);
    const { status, modified, location, disposition } = spec?.attributes ?? {};
    const headers = {
      ...(modified === undefined ? {} : { "last-modified": new Date(Number(modified) * 1000).toUTCString() }),
      ...(location === undefined ? {} : { location }),
      ...(disposition === undefined ? {} : { "content-disposition": `attachment; filename=${disposition}` }),
    };
    response.writeHead(spec === undefined ? 404 : Number(status ?? 200), headers);
    response.end(spec === undefined ? "" : spec.kind === "tar" ? tarOf(spec) : spec.content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    host: `127.0.0.1:${port}`,
    serve: (files) => {
      served = files;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "slipway-conformance-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
