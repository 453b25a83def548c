/** Where a build's files come from: a directory, a stream, a git repository, a URL. All end as a directory on this machine. */
import { goQuote } from "../../base/go-text.ts";
import { createReadStream, realpathSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { isGitContext, isHttpUrl, parseGitUrl } from "../../graph/remote-source.ts";
import type { Store } from "../../store/index.ts";
import type { BuildContext } from "../api.ts";
import { commitDigest, type ContextSource } from "../provenance/build-facts.ts";
import { downloadFile } from "./download.ts";
import { cloneRepository } from "./git-source.ts";
import { dockerfileTooLarge, maxDockerfileBytes } from "./load-dockerfile.ts";

export interface OpenedContext {
  readonly directory: string;
  /** tells this project from others between builds */
  readonly id: string;
  /** somebody else made its files: their links must not lead to this machine's */
  readonly foreign: boolean;
  /** the stream or URL was a lone Dockerfile */
  readonly dockerfileText: string | undefined;
  /** of the commit that it is, in seconds */
  readonly commitTime?: string;
  /** what a context of elsewhere was found to be */
  readonly source?: ContextSource;
}

const maxContextBytes = 2 ** 40;

export interface ContextOptions {
  /** a repository's own directory is part of the context, whatever its address says */
  readonly keepGitDir: boolean;
}

/** Temporary directories go with the store's lease. */
export async function openContext(context: BuildContext, store: Store, signal: AbortSignal, options?: ContextOptions): Promise<OpenedContext> {
  switch (context.kind) {
    case "directory":
      return openDirectory(context.path);
    case "stream":
      return await openStream(context.source, "stdin", store, signal);
    case "url":
      return await openUrl(context.url, store, signal, options?.keepGitDir ?? false);
  }
}

function openDirectory(path: string): OpenedContext {
  const directory = resolve(path);
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) throw contextError(`path ${goQuote(path)} not found`, path);
  if (!stat.isDirectory()) throw contextError(`context must be a directory: ${directory}`, path);
  const real = realpathSync(directory);
  return { directory: real, id: real, foreign: false, dockerfileText: undefined };
}

function contextError(message: string, path: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_CONTEXT", `unable to prepare context: ${message}`, { path });
}

async function openStream(source: AsyncIterable<Uint8Array>, id: string, store: Store, signal: AbortSignal): Promise<OpenedContext> {
  const { decompress, detectCompression, isTarHeader, peek, probeSizeBytes } = await import("../../tar/compression.ts");
  const { head, rest } = await peek(source, probeSizeBytes);
  const directory = store.layers.workDirectory("context");
  const kind = detectCompression(head);
  if (kind === "none" && !isTarHeader(head)) {
    const text = await collectText(rest);
    return { directory, id, foreign: true, dockerfileText: text };
  }
  const { createUnpacker } = await import("../../store/unpack.ts");
  const unpacker = createUnpacker({ directory, whiteouts: "literal", owners: { mode: "ignore" }, limits: { maxBytes: maxContextBytes } });
  for await (const chunk of decompress(rest, kind, { maxBytes: maxContextBytes, signal })) unpacker.push(chunk);
  unpacker.finish();
  return { directory, id, foreign: true, dockerfileText: undefined };
}

async function collectText(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > maxDockerfileBytes) throw dockerfileTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What the step is called that fetches a context. */
export function remoteStepName(url: string): string {
  return isGitContext(url) ? `[internal] load git source ${url.replace(/\/\/[^/@]*@/, "//")}` : "[internal] load remote build context";
}

async function openUrl(url: string, store: Store, signal: AbortSignal, keepGitDir: boolean): Promise<OpenedContext> {
  if (isGitContext(url)) {
    const directory = store.layers.workDirectory("git");
    const source = parseGitUrl(url);
    const { path, commit, timestamp } = await cloneRepository({ ...source, keepGitDir: keepGitDir || source.keepGitDir, directory, signal });
    return { directory: path, id: url, foreign: true, dockerfileText: undefined, commitTime: timestamp, source: { url, digest: commitDigest(commit) } };
  }
  if (!isHttpUrl(url)) throw contextError(`path ${goQuote(url)} not found`, url);
  const file = store.lease().temporaryPath("download");
  const { sha256 } = await downloadFile({ url, path: file, checksum: "", signal });
  try {
    return { ...(await openStream(createReadStream(file), url, store, signal)), source: { url, digest: { sha256 } } };
  } finally {
    rmSync(file, { force: true });
  }
}
