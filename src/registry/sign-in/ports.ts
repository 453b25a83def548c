/** What signing in at a cloud needs of the world, so that it can be tried without the cloud. */
import type { ConfigFiles, Env } from "../config-files.ts";
import type { Credential } from "../credentials.ts";

export interface SignInWorld {
  readonly env: Env;
  readonly home: string;
  readonly files: ConfigFiles;
  readonly fetch: typeof globalThis.fetch;
  /** what a command line of the user's configuration prints; undefined where it fails */
  readonly run: (command: string) => Promise<string | undefined>;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

/** Tells of each source that was tried why it was not used; no secret in it. */
export type Tell = (source: string, why: string) => undefined;

export interface SignIn {
  /** hosts that it is for */
  matches(host: string, env: Env): boolean;
  /** undefined where no source has anything */
  signIn(host: string, world: SignInWorld, tell: Tell): Promise<Credential | undefined>;
}

/** Metadata servers answer at once or are not there. */
const metadataTimeoutMs = 1_000;
const serviceTimeoutMs = 15_000;
const maxAnswerLength = 256 * 1024;

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Redirects are not followed: what is sent is a secret. Undefined where nobody answers; `tell` hears of it. */
export async function call(
  world: SignInWorld,
  tell: Tell,
  source: string,
  url: string,
  init: RequestInit & { readonly metadata?: boolean } = {},
): Promise<Answer | undefined> {
  const { metadata = false, ...request } = init;
  try {
    const signal = AbortSignal.timeout(metadata ? metadataTimeoutMs : serviceTimeoutMs);
    const response = await world.fetch(url, { ...request, redirect: "error", signal });
    const text = await boundedText(response);
    if (!response.ok) {
      tell(source, `${new URL(url).host} answered ${response.status}`);
      return undefined;
    }
    return { status: response.status, text };
  } catch {
    tell(source, `no answer from ${URL.parse(url)?.host ?? "an address that is none"}`);
    return undefined;
  }
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > maxAnswerLength) throw new Error("answer too long");
  }
  return text;
}

export function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function stringIn(object: Readonly<Record<string, unknown>>, key: string): string {
  const value = object[key];
  return typeof value === "string" ? value : "";
}

export function objectIn(object: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> | undefined {
  const value = object[key];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

export function form(values: Readonly<Record<string, string>>): RequestInit {
  return { method: "POST", body: new URLSearchParams(values).toString(), headers: { "content-type": "application/x-www-form-urlencoded" } };
}
