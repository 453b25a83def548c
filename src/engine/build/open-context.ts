/** Where a build's files come from: a directory, a stream, a git repository, a URL. All end as a directory on this machine. */
import { createReadStream, existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { errnoOf, SlipwayError } from "../../base/errors.ts";
import { isGitContext, isHttpUrl, parseGitUrl } from "../../graph/remote-source.ts";
import type { Store } from "../../store/index.ts";
import { createUnpacker } from "../../store/unpack.ts";
import { decompress, detectCompression, isTarHeader, peek, probeSizeBytes } from "../../tar/compression.ts";
import type { BuildContext, DockerfileSource } from "../api.ts";
import { downloadFile } from "./download.ts";
import { cloneRepository } from "./git-source.ts";

export interface OpenedContext {
  readonly directory: string;
  /** tells this project from others between builds */
  readonly id: string;
  /** the stream or URL was a lone Dockerfile */
  readonly dockerfileText: string | undefined;
}

const maxDockerfileBytes = 16 << 20;
const maxContextBytes = 2 ** 40;

/** Temporary directories go with the store's lease. */
export async function openContext(context: BuildContext, store: Store, signal: AbortSignal): Promise<OpenedContext> {
  switch (context.kind) {
    case "directory":
      return openDirectory(context.path);
    case "stream":
      return await openStream(context.source, "stdin", store, signal);
    case "url":
      return await openUrl(context.url, store, signal);
  }
}

function openDirectory(path: string): OpenedContext {
  const directory = resolve(path);
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) throw contextError(`path ${JSON.stringify(path)} not found`, path);
  if (!stat.isDirectory()) throw contextError(`context must be a directory: ${directory}`, path);
  return { directory, id: directory, dockerfileText: undefined };
}

function contextError(message: string, path: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_CONTEXT", `unable to prepare context: ${message}`, { path });
}

async function openStream(source: AsyncIterable<Uint8Array>, id: string, store: Store, signal: AbortSignal): Promise<OpenedContext> {
  const { head, rest } = await peek(source, probeSizeBytes);
  const directory = store.layers.workDirectory("context");
  const kind = detectCompression(head);
  if (kind === "none" && !isTarHeader(head)) {
    const text = await collectText(rest);
    return { directory, id, dockerfileText: text };
  }
  const unpacker = createUnpacker({ directory, whiteouts: "literal", owners: { mode: "ignore" }, limits: { maxBytes: maxContextBytes } });
  for await (const chunk of decompress(rest, kind, { maxBytes: maxContextBytes, signal })) unpacker.push(chunk);
  unpacker.finish();
  return { directory, id, dockerfileText: undefined };
}

async function collectText(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > maxDockerfileBytes)
      throw new SlipwayError("invalid_argument", "DOCKERFILE_TOO_LARGE", `the Dockerfile is larger than ${maxDockerfileBytes} bytes`, {
        limit: maxDockerfileBytes,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function openUrl(url: string, store: Store, signal: AbortSignal): Promise<OpenedContext> {
  if (isGitContext(url)) {
    const directory = store.layers.workDirectory("git");
    const { path } = await cloneRepository({ ...parseGitUrl(url), keepGitDir: false, checksum: "", directory, signal });
    return { directory: path, id: url, dockerfileText: undefined };
  }
  if (!isHttpUrl(url)) throw contextError(`path ${JSON.stringify(url)} not found`, url);
  const file = store.lease().temporaryPath("download");
  await downloadFile({ url, path: file, checksum: "", signal });
  try {
    return await openStream(createReadStream(file), url, store, signal);
  } finally {
    rmSync(file, { force: true });
  }
}

export interface LoadedDockerfile {
  /** as shown in messages: relative to the context where it lies there */
  readonly name: string;
  readonly text: Buffer;
  /** the rules that hold for this Dockerfile */
  readonly ignoreText: Buffer | undefined;
}

/** Fails with DOCKERFILE_NOT_FOUND (not_found) in BuildKit's words. */
export function loadDockerfile(context: OpenedContext, source: DockerfileSource | undefined): LoadedDockerfile {
  if (source?.kind === "text" || context.dockerfileText !== undefined) {
    const text = source?.kind === "text" ? source.text : (context.dockerfileText ?? "");
    return { name: "Dockerfile", text: Buffer.from(text), ignoreText: readIfThere(join(context.directory, ".dockerignore")) };
  }
  const wanted = source?.path ?? "Dockerfile";
  const path = findDockerfile(context.directory, wanted, source === undefined);
  return {
    name: wanted.startsWith(`${context.directory}/`) ? wanted.slice(context.directory.length + 1) : wanted,
    text: readDockerfile(path, wanted),
    ignoreText: readIfThere(`${path}.dockerignore`) ?? readIfThere(join(context.directory, ".dockerignore")),
  };
}

function findDockerfile(directory: string, wanted: string, isDefault: boolean): string {
  const path = isAbsolute(wanted) ? wanted : join(directory, wanted);
  if (isDefault && !existsSync(path) && existsSync(join(dirname(path), "dockerfile"))) return join(dirname(path), "dockerfile");
  return path;
}

function readDockerfile(path: string, wanted: string): Buffer {
  try {
    const size = statSync(path).size;
    if (size > maxDockerfileBytes)
      throw new SlipwayError("invalid_argument", "DOCKERFILE_TOO_LARGE", `the Dockerfile is larger than ${maxDockerfileBytes} bytes`, {
        limit: maxDockerfileBytes,
      });
    return readFileSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    const name = wanted.slice(wanted.lastIndexOf("/") + 1);
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: "no such file or directory",
      ENOTDIR: "not a directory",
      EISDIR: "is a directory",
      EACCES: "permission denied",
    };
    if (errno === undefined || reasons[errno] === undefined) throw error;
    throw new SlipwayError(
      errno === "EACCES" ? "denied" : "not_found",
      "DOCKERFILE_NOT_FOUND",
      `failed to read dockerfile: open ${name}: ${reasons[errno]}`,
      { path },
      error,
    );
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR" || errnoOf(error) === "EISDIR") return undefined;
    throw error;
  }
}
