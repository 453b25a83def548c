/** The registry on a port: HTTP or TLS, every wait bounded. node:http is loaded when a server starts. */
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { refuse, type Answer, type DistributionRequest } from "./answer.ts";

export interface TlsFiles {
  /** PEM */
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** when given, clients need a certificate that one of these signed */
  readonly clientCa?: string | Uint8Array;
}

export interface Exchange {
  readonly request: DistributionRequest;
  readonly status: number;
  readonly sentBytes: number;
  readonly durationMs: number;
  readonly remoteAddress: string;
}

/** "hang up" closes the connection without another word. */
export type Serve = (request: DistributionRequest, signal: AbortSignal) => Promise<Answer | "hang up">;

export interface HttpServerOptions {
  readonly host?: string;
  /** 0, the default: any free one */
  readonly port?: number;
  readonly tls?: TlsFiles;
  /** how long a connection may be without a byte either way; five minutes by default */
  readonly idleTimeoutMs?: number;
  /** how long the head of a request may take to come; one minute by default */
  readonly headersTimeoutMs?: number;
  /** called when an exchange has ended */
  readonly onExchange?: (exchange: Exchange) => void;
}

export interface HttpServer extends AsyncDisposable {
  /** "127.0.0.1:5000" */
  readonly host: string;
  readonly url: string;
  /** Takes no new requests; `graceMs` later, 0 by default, it breaks the open ones. */
  close(graceMs?: number): Promise<void>;
}

function requestOf(incoming: IncomingMessage, scheme: string, host: string): DistributionRequest {
  const target = incoming.url ?? "/";
  const mark = target.indexOf("?");
  const named = incoming.headers.host ?? "";
  return {
    method: incoming.method ?? "GET",
    path: mark === -1 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? "" : target.slice(mark + 1)),
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value])),
    // left early, the connection has still to carry the answer
    body: incoming.iterator({ destroyOnReturn: false }),
    // what comes back in a challenge must not bring a quote along
    origin: `${scheme}://${/^[\w.:[\]-]+$/.test(named) ? named : host}`,
  };
}

/** Waits while the client reads; false when it is gone. */
async function written(response: ServerResponse, chunk: Uint8Array, gone: AbortSignal): Promise<boolean> {
  if (gone.aborted) return false;
  if (!response.write(chunk)) await once(response, "drain", { signal: gone }).catch(() => undefined);
  return !gone.aborted;
}

/** Answers the bytes that were sent of the body. */
async function send(response: ServerResponse, answer: Answer, isHead: boolean, gone: AbortSignal): Promise<number> {
  response.writeHead(answer.status, answer.headers);
  const { body } = answer;
  if (isHead || body === undefined) {
    response.end();
    return 0;
  }
  if (body instanceof Uint8Array) {
    response.end(body);
    return body.length;
  }
  let sent = 0;
  response.flushHeaders();
  for await (const chunk of body) {
    if (!(await written(response, chunk, gone))) return sent;
    sent += chunk.length;
  }
  response.end();
  return sent;
}

function failure(error: unknown): Answer {
  if (isSlipwayError(error) && error.kind === "resource_exhausted") return refuse(507, "UNKNOWN", error.message);
  return refuse(500, "UNKNOWN", "unknown error");
}

function listener(serve: Serve, options: HttpServerOptions, address: () => string): RequestListener {
  const scheme = options.tls === undefined ? "http" : "https";
  return (incoming, response) => {
    const begun = performance.now();
    const { socket } = incoming;
    const controller = new AbortController();
    response.once("close", () => controller.abort());
    const request = requestOf(incoming, scheme, address());
    const finished = (status: number, sentBytes: number): void =>
      options.onExchange?.({
        request,
        status,
        sentBytes,
        durationMs: performance.now() - begun,
        remoteAddress: socket.remoteAddress ?? "",
      });
    const work = async (): Promise<void> => {
      let answer: Answer | "hang up";
      try {
        answer = await serve(request, controller.signal);
      } catch (error) {
        answer = controller.signal.aborted || incoming.destroyed ? "hang up" : failure(error);
      }
      if (answer === "hang up") {
        socket.destroy();
        return finished(0, 0);
      }
      // the rest of a body that nobody wants is not waited for
      if (!incoming.complete) response.setHeader("connection", "close");
      let sent = 0;
      try {
        sent = await send(response, answer, request.method === "HEAD", controller.signal);
      } catch {
        socket.destroySoon();
      }
      finished(answer.status, sent);
    };
    void work();
  };
}

/** Fails with ADDRESS_IN_USE (already_exists) or CANNOT_LISTEN (failed_precondition). */
export async function startHttpServer(serve: Serve, options: HttpServerOptions = {}): Promise<HttpServer> {
  const { host = "127.0.0.1", port = 0, tls, idleTimeoutMs = 5 * 60_000, headersTimeoutMs = 60_000 } = options;
  let address = "";
  const listen = listener(serve, options, () => address);
  const bounds: ServerOptions = {
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: Math.min(30_000, headersTimeoutMs),
    requestTimeout: 0,
    maxHeaderSize: 32 * 1024,
    keepAliveTimeout: 30_000,
  };
  let server: Server;
  if (tls === undefined) {
    const { createServer } = await import("node:http");
    server = createServer(bounds, listen);
  } else {
    const { createServer } = await import("node:https");
    const client = tls.clientCa === undefined ? {} : { ca: Buffer.from(tls.clientCa), requestCert: true, rejectUnauthorized: true };
    server = createServer({ ...bounds, cert: Buffer.from(tls.cert), key: Buffer.from(tls.key), ...client }, listen);
  }
  server.setTimeout(idleTimeoutMs);
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const message = `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`;
    throw inUse
      ? new SlipwayError("already_exists", "ADDRESS_IN_USE", message, { host, port }, error)
      : new SlipwayError("failed_precondition", "CANNOT_LISTEN", message, { host, port }, error);
  }
  const bound = server.address() as AddressInfo;
  address = `${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;

  async function close(graceMs = 0): Promise<void> {
    const closed = server.listening ? once(server, "close") : Promise.resolve();
    server.close();
    if (graceMs === 0) server.closeAllConnections();
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  return { host: address, url: `${tls === undefined ? "http" : "https"}://${address}`, close, [Symbol.asyncDispose]: () => close() };
}
