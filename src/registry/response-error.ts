/** HTTP statuses of a registry as errors in Docker's words. @see distribution-spec, "Error Codes" */
import { SlipwayError } from "../base/errors.ts";
import type { ErrorDetails, ErrorKind } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import { familiarName, familiarRepository, formatReference } from "../oci/reference.ts";
import type { Reference } from "../oci/reference.ts";
import { parseChallenges } from "./challenge.ts";
import { displayUrl } from "./network-error.ts";
import { rateLimitRemedy } from "./rate-limit.ts";
import { readBeginning } from "./read-body.ts";
import { parseRetryAfter } from "./retry.ts";
import type { TransportResponse } from "./transport.ts";

/** What was asked for, for the words of the error. */
export interface Asked {
  readonly reference: Reference;
  /** upload: a blob's session; push: a manifest that is written or deleted */
  readonly subject: "manifest" | "blob" | "tags" | "token" | "upload" | "push";
  readonly method: string;
}

/** The first error that a registry's body tells: `manifest unknown: manifest unknown`. */
interface RegistryMessage {
  /** "MANIFEST_UNKNOWN"; empty where the body is not the specification's */
  readonly code: string;
  readonly text: string;
}

const maxErrorBytes = 16 * 1024;
const maxMessageLength = 500;

export function parseRegistryMessage(body: string): RegistryMessage {
  try {
    const fields = new Fields(parseJsonObject(Buffer.from(body), "error", { maxBytes: maxErrorBytes, maxDepth: 32 }), "error");
    const error = fields.children("errors")?.[0] ?? fields;
    const code = printable(error.string("code") ?? "").slice(0, 100);
    const message = printable(error.string("message") ?? error.string("details") ?? "").slice(0, maxMessageLength);
    const words = code.toLowerCase().replaceAll("_", " ");
    return { code, text: [words, message].filter((part) => part !== "").join(": ") };
  } catch {
    return { code: "", text: "" };
  }
}

const statusTexts: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  416: "Requested Range Not Satisfiable",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** containerd's words, in which BuildKit reports what it did not expect. */
function unexpectedStatus(asked: Asked, response: TransportResponse): string {
  const status = `${response.status} ${statusTexts[response.status] ?? ""}`.trim();
  return `unexpected status from ${asked.method} request to ${displayUrl(response.url)}: ${status}`;
}

function withCause(text: string, message: RegistryMessage): string {
  return message.text === "" ? text : `${text}: ${message.text}`;
}

function repositoryNotFound(asked: Asked, message: RegistryMessage, details: ErrorDetails): SlipwayError {
  return new SlipwayError("not_found", "REPOSITORY_NOT_FOUND", withCause(`repository ${familiarRepository(asked.reference)} not found`, message), details);
}

const writes = new Set(["upload", "push"]);

/** What registries say no to when something is written, by their codes and by the words of those that have none. */
const refusals: readonly { readonly pattern: RegExp; readonly kind: ErrorKind; readonly code: string; readonly remedy: string }[] = [
  { pattern: /immutable|cannot be overwritten/i, kind: "denied", code: "TAG_IMMUTABLE", remedy: "push under another tag" },
  {
    pattern: /quota|storage limit|insufficient storage/i,
    kind: "resource_exhausted",
    code: "QUOTA_EXCEEDED",
    remedy: "remove images there, or ask for more room",
  },
  { pattern: /NAME_INVALID|invalid repository name/i, kind: "denied", code: "NAME_REFUSED", remedy: "choose another name: the registry has rules of its own" },
  { pattern: /SIZE_INVALID|too large/i, kind: "resource_exhausted", code: "TOO_LARGE_FOR_REGISTRY", remedy: "make the layer smaller" },
  { pattern: /BLOB_UNKNOWN/i, kind: "unavailable", code: "BLOB_NOT_FOUND", remedy: "push again: the registry lost a blob meanwhile" },
  { pattern: /UNSUPPORTED/i, kind: "denied", code: "UNSUPPORTED", remedy: "the registry does not do that" },
];

function refusedWrite(asked: Asked, status: number, message: RegistryMessage, details: ErrorDetails): SlipwayError | undefined {
  if (!writes.has(asked.subject) || status < 400 || status > 499 || status === 408 || status === 429) return undefined;
  const said = `${message.code} ${message.text}`;
  const known = refusals.find(({ pattern }) => pattern.test(said));
  if (known !== undefined) return new SlipwayError(known.kind, known.code, message.text, { ...details, remedy: known.remedy });
  if (status === 413) return new SlipwayError("resource_exhausted", "TOO_LARGE_FOR_REGISTRY", withCause("413 Request Entity Too Large", message), details);
  if (status === 405) return new SlipwayError("failed_precondition", "UNSUPPORTED", withCause("the registry does not do that", message), details);
  return undefined;
}

function notFound(asked: Asked, message: RegistryMessage, details: ErrorDetails): SlipwayError {
  const name = familiarName(asked.reference);
  switch (asked.subject) {
    case "manifest":
      return new SlipwayError(
        "not_found",
        "MANIFEST_NOT_FOUND",
        withCause(`manifest for ${name} not found`, message.text === "" ? { code: "", text: "manifest unknown" } : message),
        details,
      );
    case "blob":
      return new SlipwayError("not_found", "BLOB_NOT_FOUND", withCause(`blob of ${name} not found`, message), details);
    case "tags":
      return repositoryNotFound(asked, message, details);
    case "upload":
      if (message.code === "NAME_UNKNOWN" || asked.method === "POST") return repositoryNotFound(asked, message, details);
      return new SlipwayError("unavailable", "UPLOAD_UNKNOWN", withCause(`the registry no longer knows the upload of a blob of ${name}`, message), details);
    case "push":
      if (message.code === "NAME_UNKNOWN" || asked.method === "PUT") return repositoryNotFound(asked, message, details);
      return new SlipwayError("not_found", "MANIFEST_NOT_FOUND", withCause(`manifest for ${name} not found`, message), details);
    case "token":
      return new SlipwayError("unavailable", "TOKEN_SERVER_FAILED", `failed to authorize: ${String(details["resolveMessage"])}`, details);
  }
}

function refused(asked: Asked, status: number, message: RegistryMessage, details: ErrorDetails): SlipwayError {
  if (asked.subject === "token") {
    const text = withCause("failed to authorize: failed to fetch token", message.text === "" ? { code: "", text: String(details["resolveMessage"]) } : message);
    return new SlipwayError("unauthenticated", "LOGIN_REFUSED", text, details);
  }
  if (writes.has(asked.subject)) {
    const host = asked.reference.domain;
    const denied = { ...details, remedy: `slipway login ${host === "docker.io" ? "" : host}`.trim(), resolveMessage: `push access denied: ${message.text}` };
    const words =
      message.text === "" ? (status === 401 ? "unauthorized: authentication required" : "denied: requested access to the resource is denied") : message.text;
    return status === 401 ? new SlipwayError("unauthenticated", "UNAUTHORIZED", words, denied) : new SlipwayError("denied", "ACCESS_DENIED", words, denied);
  }
  const text = withCause(`pull access denied for ${familiarRepository(asked.reference)}, repository does not exist or may require 'docker login'`, message);
  return status === 401 ? new SlipwayError("unauthenticated", "UNAUTHORIZED", text, details) : new SlipwayError("denied", "ACCESS_DENIED", text, details);
}

function resolveMessage(asked: Asked, response: TransportResponse, message: RegistryMessage): string {
  if (response.status === 404 && asked.subject !== "token") return `${formatReference(asked.reference)}: not found`;
  const challengeError = parseChallenges(response.headers["www-authenticate"]).find(({ parameters }) => parameters["error"] !== undefined)?.parameters["error"];
  if (response.status === 401 && asked.subject !== "token" && challengeError !== undefined) {
    const reason = `server message: ${printable(challengeError).slice(0, 100)}: authorization failed`;
    return `pull access denied, repository does not exist or may require authorization: ${reason}`;
  }
  if (response.status === 429) return `${unexpectedStatus(asked, response)}${message.text === "" ? "" : ` - Server message: ${message.text}`}`;
  return unexpectedStatus(asked, response);
}

/**
 * The error for a response that is not the wanted one; reads at most 16 KiB of its body.
 * `details.resolveMessage` is how BuildKit and Docker's containerd store say the same, to follow "failed to resolve
 * source metadata for …: " or "failed to resolve reference "…": ". `details.retryAfterMs` is what the registry asks for.
 */
export async function responseError(asked: Asked, response: TransportResponse, nowMs: number): Promise<SlipwayError> {
  const message = parseRegistryMessage(await readBeginning(response.body, maxErrorBytes));
  const retryAfterMs = parseRetryAfter(response.headers["retry-after"], nowMs);
  const details = {
    reference: formatReference(asked.reference),
    host: response.url.host,
    status: response.status,
    registryCode: message.code,
    resolveMessage: resolveMessage(asked, response, message),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  const write = refusedWrite(asked, response.status, message, details);
  if (write !== undefined) return write;
  switch (response.status) {
    case 401:
    case 403:
      return refused(asked, response.status, message, details);
    case 404:
      return notFound(asked, message, details);
    case 429:
      return new SlipwayError(
        "resource_exhausted",
        "TOO_MANY_REQUESTS",
        message.text === "" ? "toomanyrequests: too many requests to the registry" : message.text,
        { ...details, remedy: rateLimitRemedy(response.headers, retryAfterMs) },
      );
    case 416:
      return new SlipwayError("unavailable", "RANGE_REFUSED", unexpectedStatus(asked, response), details);
    default:
      return new SlipwayError(
        "unavailable",
        response.status >= 500 || response.status === 408 ? "REGISTRY_UNAVAILABLE" : "UNEXPECTED_STATUS",
        withCause(unexpectedStatus(asked, response), message),
        details,
      );
  }
}
