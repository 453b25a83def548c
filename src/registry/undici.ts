/**
 * The parts of undici that are used, loaded when the first request is made. The whole package takes 100 ms to load,
 * these parts 40: a build whose base is at hand should not wait for a fetch() that nobody calls.
 */
import { createRequire } from "node:module";
import type { Agent, Dispatcher, ProxyAgent } from "undici";

type Request = (this: Dispatcher, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;

const load = createRequire(import.meta.url);

export function loadAgent(): typeof Agent {
  return load("undici/lib/dispatcher/agent.js") as typeof Agent;
}

/** A proxy needs methods that only the whole package adds. */
export function loadProxyAgent(): typeof ProxyAgent {
  return (load("undici") as { readonly ProxyAgent: typeof ProxyAgent }).ProxyAgent;
}

export function loadRequest(): Request {
  return load("undici/lib/api/api-request.js") as Request;
}
