/**
 * Blobs on their way to a registry: asked for first, mounted from where the registry has them, else sent in an upload session that
 * survives broken connections and, with a memory of sessions, this process. @see distribution-spec, "Pushing blobs"
 */
import { createHash, type Hash } from "node:crypto";
import { SlipwayError, isSlipwayError } from "../base/errors.ts";
import { algorithmOf, hexOf } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { Reference } from "../oci/reference.ts";
import type { CallOptions, PushBlobOptions, PushedBlob, UploadMemory } from "./client.ts";
import type { Endpoint } from "./endpoint.ts";
import { isTransient } from "./network-error.ts";
import type { Retry } from "./retry.ts";
import { sleep } from "./retry.ts";
import { delayAfter, type RepositoryRequest, type Sender } from "./sender.ts";
import type { TransportResponse } from "./transport.ts";

export interface UploadOptions {
  readonly sender: Sender;
  readonly retry: Retry;
  /** in [0, 1) */
  readonly random: () => number;
  /** a registry that moves an upload to its storage answers late */
  readonly finishMs: number;
}

/** So much is sent at most a second time after a break, whatever the registry does with half a request. */
const defaultChunkBytes = 32 * 1024 * 1024;
/** what a registry may ask for as the least size of a chunk */
const maxChunkBytes = 512 * 1024 * 1024;

/** Registries that take a blob in one request only; their documentation says so. */
const wholeOnly = /(?:^|\.)(?:pkg\.dev|gcr\.io)$/;

/** A blob that a repository is asked about. */
interface Asking {
  readonly endpoint: Endpoint;
  readonly reference: Reference;
  readonly descriptor: Descriptor;
  readonly call: CallOptions;
  readonly options: UploadOptions;
}

interface Upload extends Asking {
  readonly call: PushBlobOptions;
}

/** A place at the registry that bytes are sent to, and how many it has. */
interface Session {
  readonly url: URL;
  readonly offset: number;
  readonly chunkBytes: number;
}

function request(upload: Asking, rest: Pick<RepositoryRequest, "method" | "path" | "statuses"> & Partial<RepositoryRequest>): Promise<TransportResponse> {
  const { endpoint, reference, call, options } = upload;
  return options.sender.send({
    endpoint,
    reference,
    actions: "pull,push",
    subject: "upload",
    contentAddressed: true,
    signal: call.signal,
    ...rest,
    headers: rest.headers ?? {},
  });
}

/** Whether the repository has the blob. */
export async function blobExistsAt(upload: Asking): Promise<boolean> {
  try {
    const response = await request(upload, { method: "HEAD", path: `blobs/${upload.descriptor.digest}`, statuses: [200], subject: "blob" });
    response.discard();
    const length = response.headers["content-length"];
    return length === undefined || Number(length) === upload.descriptor.size;
  } catch (error) {
    if (error instanceof SlipwayError && (error.code === "BLOB_NOT_FOUND" || error.code === "UNEXPECTED_STATUS")) return false;
    throw error;
  }
}

/** Where the answer says that the session goes on. Registries behind a proxy that ends TLS say http of themselves. */
function sessionUrl(response: TransportResponse, upload: Upload): URL {
  const url = URL.parse(response.headers["location"] ?? "", response.url.href);
  const fail = (why: string): SlipwayError =>
    new SlipwayError("unavailable", "BAD_UPLOAD_LOCATION", `${upload.endpoint.host} ${why}`, { host: upload.endpoint.host });
  if (url === null || response.headers["location"] === undefined) throw fail("does not say where the upload goes on");
  if (url.protocol === "http:" && response.url.protocol === "https:") {
    if (url.hostname !== response.url.hostname) throw fail(`sends the upload on to plain http (${url.host})`);
    url.protocol = "https:";
    url.port = response.url.port;
  }
  if (!/^https?:$/.test(url.protocol)) throw fail("sends the upload to an address that is not http or https");
  return url;
}

/** `0-1023`: what the registry has; nothing where it does not say. */
function receivedBytes(response: TransportResponse): number | undefined {
  const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.headers["range"] ?? "") ?? [];
  return last === undefined ? undefined : Number(last) + 1;
}

function chunkSize(response: TransportResponse): number {
  const least = Number(response.headers["oci-chunk-min-length"] ?? 0);
  return Number.isSafeInteger(least) && least > defaultChunkBytes ? Math.min(least, maxChunkBytes) : defaultChunkBytes;
}

function opened(response: TransportResponse, upload: Upload): Session {
  const url = sessionUrl(response, upload);
  response.discard();
  return { url, offset: 0, chunkBytes: chunkSize(response) };
}

/** The blob's path among the saved sessions. */
function memoryKey({ endpoint, descriptor }: Upload): string {
  return `${endpoint.host}/${endpoint.repository}@${descriptor.digest}`;
}

/** so many repositories are tried */
const maxMounts = 3;

/** A new session, or the blob itself where the registry could mount it. */
async function start(upload: Upload): Promise<Session | { readonly mountedFrom: string }> {
  const others = (upload.call.mountFrom ?? []).filter((from) => from !== upload.endpoint.repository);
  let session: Session | undefined;
  for (const from of others.slice(0, maxMounts)) {
    const answer = await tryMount(upload, from);
    if (answer !== undefined && "mountedFrom" in answer) return answer;
    session = answer ?? session;
  }
  if (session !== undefined) return session;
  return opened(await request(upload, { method: "POST", path: "blobs/uploads/", statuses: [202], headers: { "content-length": "0" } }), upload);
}

async function tryMount(upload: Upload, from: string): Promise<Session | { readonly mountedFrom: string } | undefined> {
  const query = new URLSearchParams({ mount: upload.descriptor.digest, from });
  try {
    const path = `blobs/uploads/?${query.toString()}`;
    const response = await request(upload, { method: "POST", path, statuses: [201, 202], headers: { "content-length": "0" }, from });
    if (response.status === 202) return opened(response, upload);
    response.discard();
    return { mountedFrom: from };
  } catch (error) {
    // no right to read there, or a registry without mounts: the bytes are sent
    if (error instanceof SlipwayError && ["ACCESS_DENIED", "UNAUTHORIZED", "LOGIN_REFUSED", "UNEXPECTED_STATUS", "REPOSITORY_NOT_FOUND"].includes(error.code))
      return undefined;
    throw error;
  }
}

/** What the registry has of a session; undefined where it knows it no longer. */
async function resumed(upload: Upload, url: URL, chunkBytes: number): Promise<Session | undefined> {
  try {
    const response = await request(upload, { method: "GET", path: url, statuses: [204, 202, 200] });
    response.discard();
    const next = response.headers["location"] === undefined ? url : sessionUrl(response, upload);
    const offset = receivedBytes(response) ?? 0;
    // "0-0" is what some registries say of a session without a byte, and others of one with one
    return offset > upload.descriptor.size ? undefined : { url: next, offset: offset === 1 ? 0 : offset, chunkBytes };
  } catch (error) {
    if (upload.call.signal?.aborted === true || !(error instanceof SlipwayError) || isTransient(error)) throw error;
    return undefined;
  }
}

/** Bytes of the blob from `offset` on, hashed in their order where nobody has done so: what is wrong here is found before the registry finds it. */
class Source {
  readonly #upload: Upload;
  readonly #hash: Hash | undefined;
  #hashed = 0;

  constructor(upload: Upload) {
    this.#upload = upload;
    this.#hash = upload.call.verified === true ? undefined : createHash(algorithmOf(upload.descriptor.digest));
  }

  async *range(offset: number, length: number): AsyncGenerator<Uint8Array, void> {
    const { call, descriptor } = this.#upload;
    if (this.#hash !== undefined && this.#hashed < offset) await this.#skipTo(offset);
    let position = offset;
    const end = offset + length;
    for await (const bytes of call.open(offset)) {
      const chunk = position + bytes.length > end ? bytes.subarray(0, end - position) : bytes;
      this.#take(chunk, position);
      position += chunk.length;
      // the last bytes wait until all of them are known to be right
      if (position === descriptor.size) this.#verify();
      yield chunk;
      call.onProgress?.(position);
      if (position === end) return;
    }
    if (position < end) throw wrongSource(this.#upload, `${position} bytes`);
  }

  async #skipTo(offset: number): Promise<void> {
    let position = this.#hashed;
    for await (const bytes of this.#upload.call.open(position)) {
      const chunk = position + bytes.length > offset ? bytes.subarray(0, offset - position) : bytes;
      this.#take(chunk, position);
      position += chunk.length;
      if (position === offset) return;
    }
    throw wrongSource(this.#upload, `${position} bytes`);
  }

  #take(chunk: Uint8Array, position: number): void {
    if (position + chunk.length <= this.#hashed) return;
    this.#hash?.update(position < this.#hashed ? chunk.subarray(this.#hashed - position) : chunk);
    this.#hashed = position + chunk.length;
  }

  #verify(): void {
    if (this.#hash === undefined) return;
    const { digest } = this.#upload.descriptor;
    const got = this.#hash.copy().digest("hex");
    if (got !== hexOf(digest)) throw wrongSource(this.#upload, `${algorithmOf(digest)}:${got}`);
  }
}

function wrongSource({ descriptor }: Upload, got: string): SlipwayError {
  return new SlipwayError("data_loss", "DIGEST_MISMATCH", `blob ${descriptor.digest}: got ${got}, want ${descriptor.size} bytes of that digest`, {
    expected: descriptor.digest,
    actual: got,
  });
}

/** Sends one piece; the answer is where the session goes on. */
async function sendChunk(upload: Upload, session: Session, source: Source, length: number, ranged: boolean): Promise<Session> {
  const { url, offset, chunkBytes } = session;
  const response = await request(upload, {
    method: "PATCH",
    path: url,
    statuses: [202, 201, 204, 200],
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(length),
      ...(ranged ? { "content-range": `${offset}-${offset + length - 1}` } : {}),
    },
    body: () => source.range(offset, length),
    headersMs: upload.options.finishMs,
    once: true,
  });
  const next = response.headers["location"] === undefined ? url : sessionUrl(response, upload);
  response.discard();
  return { url: next, offset: receivedBytes(response) ?? offset + length, chunkBytes };
}

/** The request that names the digest; with what is left of the blob, or with nothing. */
async function finish(upload: Upload, { url, offset }: Session, source: Source): Promise<void> {
  const target = new URL(url);
  target.searchParams.set("digest", upload.descriptor.digest);
  const length = upload.descriptor.size - offset;
  if (length === 0) await Array.fromAsync(source.range(offset, 0));
  const response = await request(upload, {
    method: "PUT",
    path: target,
    statuses: [201, 200, 202, 204],
    headers: { "content-type": "application/octet-stream", "content-length": String(length) },
    ...(length === 0 ? {} : { body: () => source.range(offset, length) }),
    headersMs: upload.options.finishMs,
    once: true,
  });
  response.discard();
}

/** Errors that end a session and not the upload: the registry forgot it, or sees it elsewhere than we do. */
function isLostSession(error: unknown): boolean {
  return isSlipwayError(error, "UPLOAD_UNKNOWN") || isSlipwayError(error, "RANGE_REFUSED");
}

/** Sends what the session lacks. A request that fails on the way leaves the session to `resumed`. */
async function sendRest(upload: Upload, first: Session, source: Source, remember: (url: URL) => void): Promise<void> {
  const { size } = upload.descriptor;
  const whole = wholeOnly.test(upload.endpoint.host);
  let session = first;
  while (!whole && size - session.offset > session.chunkBytes) {
    session = await sendChunk(upload, session, source, session.chunkBytes, true);
    remember(session.url);
  }
  await finish(upload, session, source);
}

const maxLostSessions = 4;

async function sendBlob(upload: Upload, first: Session, memory: UploadMemory | undefined): Promise<void> {
  const { call, options } = upload;
  const key = memoryKey(upload);
  const source = new Source(upload);
  let session: Session | undefined = first;
  let latest = first.url;
  const remember = (url: URL): void => {
    latest = url;
    memory?.save(key, url.href);
  };
  let reached = 0;
  let lost = 0;
  for (let failures = 1; ; failures++) {
    try {
      if (session === undefined) {
        const started = await start(upload);
        if ("mountedFrom" in started) break;
        session = started;
      }
      remember(session.url);
      await sendRest(upload, session, source, remember);
      break;
    } catch (error) {
      if (call.signal?.aborted === true) throw error;
      const lostHere = isLostSession(error);
      if (lostHere && ++lost > maxLostSessions) throw error;
      const delay = lostHere ? 0 : delayAfter(error, failures, options.retry, options.random());
      if (delay === undefined) throw error;
      await sleep(delay, call.signal);
      // the last request may have been the one that did it
      if (await blobExistsAt(upload)) break;
      session = lostHere && isSlipwayError(error, "UPLOAD_UNKNOWN") ? undefined : await resumed(upload, latest, session?.chunkBytes ?? defaultChunkBytes);
      if (session !== undefined && session.offset > reached) {
        reached = session.offset;
        failures = 0;
      }
    }
  }
  memory?.forget(key);
}

/** Sees to it that the repository has the blob. Fails with DIGEST_MISMATCH (data_loss) where the source gives other bytes. */
export async function pushBlobAt(upload: Upload): Promise<PushedBlob> {
  const { descriptor, call } = upload;
  if (await blobExistsAt(upload)) return { outcome: "exists" };
  const memory = call.memory;
  const saved = memory?.load(memoryKey(upload));
  const url = saved === undefined ? null : URL.parse(saved);
  const former = url === null ? undefined : await resumed(upload, url, defaultChunkBytes);
  const session = former ?? (await start(upload));
  if ("mountedFrom" in session) return { outcome: "mounted", from: session.mountedFrom };
  if (session.offset > 0) call.onProgress?.(session.offset);
  await sendBlob(upload, session, memory);
  return { outcome: "uploaded", sentFrom: session.offset, size: descriptor.size };
}
