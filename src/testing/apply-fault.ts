/** Carries out one fault around the right answer. */
import { setTimeout as delay } from "node:timers/promises";
import { empty, refuse, type Answer, type DistributionRequest } from "../distribution/answer.ts";
import type { Fault } from "./fault.ts";

export type Outcome = Answer | "hang up";
type Next = (request: DistributionRequest) => Promise<Outcome>;

export interface FaultSurroundings {
  /** fires when the client is gone or the server closes */
  readonly signal: AbortSignal;
  /** the second address, started when first wanted: "http://127.0.0.1:1234" */
  storageUrl(): Promise<string>;
}

/** The connection is to break here. */
class Broken extends Error {}

function untilGone(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function* bodyOf({ body }: Answer): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else if (body !== undefined) yield* body;
}

async function* firstBytes(bytes: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  if (left === 0) return;
  for await (const chunk of bytes) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

async function* thenBreak(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* bytes;
  throw new Broken();
}

async function* thenWait(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* bytes;
  await untilGone(signal);
  throw new Broken();
}

async function* flipped(bytes: AsyncIterable<Uint8Array>, at: number): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for await (const chunk of bytes) {
    const copy = Buffer.from(chunk);
    const here = at - offset;
    if (here >= 0 && here < copy.length) copy[here] = (copy[here] ?? 0) ^ 0xff;
    offset += chunk.length;
    yield copy;
  }
}

async function* endless(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* bytes;
  const more = Buffer.alloc(64 * 1024);
  while (!signal.aborted) yield more;
}

function withoutLength(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "content-length"));
}

async function cutUpload(request: DistributionRequest, afterBytes: number, next: Next): Promise<Outcome> {
  let isCut = false;
  async function* body(): AsyncGenerator<Uint8Array> {
    let left = afterBytes;
    for await (const chunk of request.body) {
      if (chunk.length >= left) {
        if (left > 0) yield chunk.subarray(0, left);
        isCut = true;
        throw new Broken();
      }
      left -= chunk.length;
      yield chunk;
    }
  }
  try {
    const answer = await next({ ...request, body: body() });
    return isCut ? "hang up" : answer;
  } catch (error) {
    if (error instanceof Broken) return "hang up";
    throw error;
  }
}

/** Faults that change the right answer. */
function changed(answer: Answer, fault: Fault, signal: AbortSignal): Answer {
  const bytes = bodyOf(answer);
  switch (fault.type) {
    case "cut":
    case "stall": {
      const first = firstBytes(bytes, fault.afterBytes ?? 0);
      return { ...answer, body: fault.type === "cut" ? thenBreak(first) : thenWait(first, signal) };
    }
    case "flip":
      return { ...answer, body: flipped(bytes, fault.at) };
    case "truncate":
      return { ...answer, body: thenBreak(firstBytes(bytes, fault.to)) };
    case "endless":
      return { ...answer, headers: withoutLength(answer.headers), body: endless(bytes, signal) };
    case "lie":
      return { ...answer, headers: { ...answer.headers, "content-length": String(fault.contentLength) }, body: thenBreak(bytes) };
    case "headers":
      return { ...answer, headers: { ...answer.headers, ...fault.headers } };
    default:
      return answer;
  }
}

export async function applyFault(fault: Fault, request: DistributionRequest, next: Next, around: FaultSurroundings): Promise<Outcome> {
  switch (fault.type) {
    case "status": {
      const { status, headers = {}, code, message = "", body = "" } = fault;
      if (code !== undefined) return refuse(status, code, message, undefined, headers);
      return body === ""
        ? empty(status, headers)
        : { status, headers: { "content-length": String(Buffer.byteLength(body)), ...headers }, body: Buffer.from(body) };
    }
    case "delay":
      await delay(fault.ms, undefined, { signal: around.signal });
      return next(request);
    case "stall":
      if (fault.afterBytes !== undefined) break;
      await untilGone(around.signal);
      return "hang up";
    case "cut":
      if (fault.afterBytes !== undefined) break;
      return "hang up";
    case "cut-upload":
      return cutUpload(request, fault.afterBytes, next);
    case "lose-answer":
      await next(request);
      return "hang up";
    case "redirect": {
      const query = request.query.size === 0 ? "" : `?${request.query.toString()}`;
      const location = fault.to ?? `${await around.storageUrl()}${request.path}${query}`;
      return empty(fault.status ?? 307, { location });
    }
    case "forget-upload":
      await next({ ...request, method: "DELETE" });
      return next(request);
    default:
      break;
  }
  const answer = await next(request);
  return answer === "hang up" ? answer : changed(answer, fault, around.signal);
}
