/** Docker's own API, as far as images go in and out of it: `DOCKER_HOST`, else /var/run/docker.sock. @see Engine API, /images/{name}/get, /images/load */
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { pipeline } from "node:stream/promises";
import { SlipwayError, errnoOf } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";

const maxAnswerBytes = 1024 * 1024;

/** Fails with DOCKER_UNREACHABLE (unavailable) for a DOCKER_HOST of another kind than unix:// and tcp://. */
export function dockerAddress(host: string | undefined): RequestOptions {
  if (host === undefined || host === "") return { socketPath: "/var/run/docker.sock" };
  const url = URL.parse(host);
  if (url?.protocol === "unix:") return { socketPath: decodeURIComponent(url.host + url.pathname) };
  if (url?.protocol === "tcp:" || url?.protocol === "http:") return { host: url.hostname, port: url.port === "" ? 2375 : Number(url.port) };
  throw new SlipwayError("unavailable", "DOCKER_UNREACHABLE", `DOCKER_HOST=${host}: only unix:// and tcp:// are spoken`, { host, bare: true });
}

interface DockerCall {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

function unreachable(error: unknown, { socketPath, host }: RequestOptions): SlipwayError {
  const where = socketPath ?? host ?? "";
  const why = errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
  const message = `Cannot connect to the Docker daemon at ${where}. Is the docker daemon running? (${why})`;
  return new SlipwayError("unavailable", "DOCKER_UNREACHABLE", message, { address: where, bare: true, remedy: "start Docker, or set DOCKER_HOST" }, error);
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxAnswerBytes) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function messageOf(answer: string): string {
  try {
    const { message } = JSON.parse(answer) as { readonly message?: unknown };
    if (typeof message === "string") return printable(message).slice(0, 500);
  } catch {
    // no JSON: the text itself is what there is to show
  }
  return printable(answer).slice(0, 500);
}

/** The answer's body has to be read. Fails with DOCKER_UNREACHABLE (unavailable), DOCKER_REFUSED (not_found or failed_precondition). */
export async function callDocker(host: string | undefined, { method, path, body, signal }: DockerCall): Promise<IncomingMessage> {
  const address = dockerAddress(host);
  const headers = body === undefined ? {} : { "content-type": "application/x-tar" };
  const { request } = process.getBuiltinModule("node:http");
  const call: ClientRequest = request({ ...address, method, path, headers, agent: false, ...(signal === undefined ? {} : { signal }) });
  const answered = new Promise<IncomingMessage>((resolve, reject) => call.on("response", resolve).on("error", reject));
  const sent = body === undefined ? Promise.resolve(call.end()) : pipeline(body, call);
  sent.catch(() => {});
  let response: IncomingMessage;
  try {
    response = await answered;
  } catch (error) {
    // what the source of the body fails with says more than the connection that it broke
    await sent.catch((cause: unknown) => {
      if (cause instanceof SlipwayError) throw cause;
    });
    throw unreachable(error, address);
  }
  const status = response.statusCode ?? 0;
  if (status < 400) return response;
  const kind = status === 404 ? "not_found" : "failed_precondition";
  throw new SlipwayError(kind, "DOCKER_REFUSED", messageOf(await readAnswer(response)), { status });
}

/** Loads an archive. Docker tells a failure within an answer of success, and an image without its layers in a line of progress. Fails with DOCKER_REFUSED too. */
export async function loadIntoDocker(host: string | undefined, archive: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
  const answer = await readAnswer(await callDocker(host, { method: "POST", path: "/images/load?quiet=1", body: archive, signal }));
  for (const line of answer.split("\n")) {
    const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? /"stream":"(Error unpacking (?:[^"\\]|\\.)*)"/.exec(line)?.[1];
    if (error !== undefined) throw new SlipwayError("failed_precondition", "DOCKER_REFUSED", printable((JSON.parse(`"${error}"`) as string).trim()), {});
  }
}
