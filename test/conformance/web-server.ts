/** The server that cases' remote files and git repositories come from. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import type { FileSpec } from "./case-file.ts";
import { createRepository } from "./git-repository.ts";
import { tarOf } from "./write-tar.ts";

export interface WebServer extends AsyncDisposable {
  /** host:port */
  readonly host: string;
  serve(files: readonly FileSpec[]): void;
}

export async function startWebServer(): Promise<WebServer> {
  let served: readonly FileSpec[] = [];
  const repositories = mkdtempSync(path.join(tmpdir(), "slipway-conformance-git-"));
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (/^\/[^/]+\.git\//.test(url.pathname)) serveGit(repositories, url, request, response);
    else serveFile(served, decodeURIComponent(url.pathname.slice(1)).replace(/\/$/, ""), response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    host: `127.0.0.1:${port}`,
    serve: (files) => {
      served = files.filter(({ kind }) => kind !== "git");
      for (const spec of files) if (spec.kind === "git") createRepository(path.join(repositories, spec.path), spec);
    },
    async [Symbol.asyncDispose]() {
      rmSync(repositories, { recursive: true, force: true });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serveFile(served: readonly FileSpec[], wanted: string, response: ServerResponse): void {
  const spec = served.find(({ path: name }) => name === wanted);
  const { status, modified, location, disposition, etag } = spec?.attributes ?? {};
  const headers = {
    ...(modified === undefined ? {} : { "last-modified": new Date(Number(modified) * 1000).toUTCString() }),
    ...(location === undefined ? {} : { location }),
    ...(disposition === undefined ? {} : { "content-disposition": `attachment; filename=${disposition}` }),
    ...(etag === undefined ? {} : { etag: `"${etag}"` }),
  };
  response.writeHead(spec === undefined ? 404 : Number(status ?? 200), headers);
  response.end(spec === undefined ? "" : spec.kind === "tar" ? tarOf(spec) : spec.content);
}

/** git's own CGI program. */
function serveGit(root: string, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const header = (name: string): string => String(request.headers[name] ?? "");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method ?? "GET",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: header("content-type"),
      HTTP_CONTENT_ENCODING: header("content-encoding"),
      HTTP_GIT_PROTOCOL: header("git-protocol"),
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => answerFromCgi(Buffer.concat(chunks), response));
}

/** @see RFC 3875 section 6 */
function answerFromCgi(output: Buffer, response: ServerResponse): void {
  const end = output.indexOf("\r\n\r\n");
  const headers: OutgoingHttpHeaders = {};
  for (const line of output.subarray(0, Math.max(0, end)).toString("latin1").split("\r\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 2);
  }
  const { status, ...rest } = headers;
  response.writeHead(end < 0 ? 500 : Number.parseInt(String(status ?? "200"), 10), rest);
  response.end(end < 0 ? "" : output.subarray(end + 4));
}
