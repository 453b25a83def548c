/** Failures below HTTP, in the words that Docker's users search for. */
import { SlipwayError, errnoOf } from "../base/errors.ts";
import type { ErrorKind } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { networkRemedy } from "./network-remedy.ts";

interface Failure {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly text: string;
}

const untrusted = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);
const notTls = new Set(["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_PACKET_LENGTH_TOO_LONG", "ERR_SSL_UNEXPECTED_MESSAGE"]);
const lost = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "ECONNABORTED"]);

/** The address that was dialled; Node gathers those of one host in an AggregateError. */
function dialled(error: unknown, url: URL): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (first instanceof Error && "address" in first && "port" in first) {
    const address = String(first.address);
    return `${address.includes(":") ? `[${address}]` : address}:${String(first.port)}`;
  }
  return `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
}

/** The names a certificate is for, out of Node's "DNS:a.example, IP Address:10.0.0.1". */
function certifiedNames(error: unknown): string {
  const names = error instanceof Error && "cert" in error ? (error.cert as { readonly subjectaltname?: unknown } | undefined)?.subjectaltname : undefined;
  return typeof names === "string" && names !== "" ? printable(names.replaceAll(/(?:DNS|IP Address):/g, "")).slice(0, 300) : "no name";
}

function certificateFailure(code: string, error: unknown, url: URL): Failure | undefined {
  const prefix = "tls: failed to verify certificate: x509:";
  const kind = "failed_precondition";
  if (untrusted.has(code)) return { kind, code: "CERTIFICATE_UNTRUSTED", text: `${prefix} certificate signed by unknown authority` };
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return { kind, code: "CERTIFICATE_EXPIRED", text: `${prefix} certificate has expired or is not yet valid` };
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return { kind, code: "CERTIFICATE_HOST_MISMATCH", text: `${prefix} certificate is valid for ${certifiedNames(error)}, not ${url.hostname}` };
  }
  return undefined;
}

function connectionFailure(code: string, error: unknown, url: URL): Failure | undefined {
  switch (code) {
    case "ENOTFOUND":
      return { kind: "unavailable", code: "HOST_NOT_FOUND", text: `dial tcp: lookup ${url.hostname}: no such host` };
    case "EAI_AGAIN":
      return { kind: "unavailable", code: "NAME_RESOLUTION_FAILED", text: `dial tcp: lookup ${url.hostname}: Temporary failure in name resolution` };
    case "ECONNREFUSED":
      return { kind: "unavailable", code: "CONNECTION_REFUSED", text: `dial tcp ${dialled(error, url)}: connect: connection refused` };
    case "EHOSTUNREACH":
      return { kind: "unavailable", code: "HOST_UNREACHABLE", text: `dial tcp ${dialled(error, url)}: connect: no route to host` };
    case "ENETUNREACH":
      return { kind: "unavailable", code: "HOST_UNREACHABLE", text: `dial tcp ${dialled(error, url)}: connect: network is unreachable` };
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
      return { kind: "deadline_exceeded", code: "CONNECT_TIMEOUT", text: `dial tcp ${dialled(error, url)}: i/o timeout` };
    case "UND_ERR_HEADERS_TIMEOUT":
      return { kind: "deadline_exceeded", code: "RESPONSE_TIMEOUT", text: "net/http: timeout awaiting response headers" };
    case "UND_ERR_BODY_TIMEOUT":
      return { kind: "deadline_exceeded", code: "RESPONSE_TIMEOUT", text: "timeout awaiting more of the response's body" };
    default:
      return undefined;
  }
}

function failureOf(error: unknown, url: URL): Failure {
  const code = errnoOf(error) ?? "";
  const message = error instanceof Error ? error.message : String(error);
  const known = certificateFailure(code, error, url) ?? connectionFailure(code, error, url);
  if (known !== undefined) return known;
  if (notTls.has(code)) return { kind: "failed_precondition", code: "PLAIN_HTTP_REGISTRY", text: "http: server gave HTTP response to HTTPS client" };
  if (lost.has(code))
    return { kind: "unavailable", code: "CONNECTION_LOST", text: code === "ECONNRESET" ? "connection reset by peer" : `unexpected EOF (${message})` };
  const unreadable = code.startsWith("HPE_") || code.startsWith("UND_ERR_") || (error instanceof Error && error.name === "HTTPParserError");
  if (unreadable) return { kind: "unavailable", code: "PROTOCOL_ERROR", text: `malformed HTTP response: ${message}` };
  return { kind: "unavailable", code: "REQUEST_FAILED", text: message };
}

/** Without its query: what stands there in a redirect to a blob store is a password for it. */
export function displayUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** `Get`, as Go writes the method in its errors. */
function goMethod(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase();
}

/** Why the caller's signal ended the call: its own reason where that is ours, canceled or deadline_exceeded otherwise. */
export function abortError(signal: AbortSignal): SlipwayError {
  const reason: unknown = signal.reason;
  if (reason instanceof SlipwayError) return reason;
  if (reason instanceof Error && reason.name === "TimeoutError") {
    return new SlipwayError("deadline_exceeded", "DEADLINE_EXCEEDED", "context deadline exceeded", {}, reason);
  }
  return new SlipwayError("canceled", "CANCELED", "context canceled", {}, reason);
}

/** Where a proxy is between, what is not reached is the proxy, or it refuses: in Go's words. */
function proxyFailure(error: unknown, method: string, url: URL, proxy: URL): SlipwayError | undefined {
  const refused = /Proxy response \((\d{3})\)/.exec(error instanceof Error ? error.message : "")?.[1];
  const lost = refused === undefined ? connectionFailure(errnoOf(error) ?? "", error, proxy) : undefined;
  // who does not answer in time may be the registry
  if (lost?.code === "RESPONSE_TIMEOUT" || (lost === undefined && refused === undefined)) return undefined;
  const { kind, code, text } = lost ?? { kind: "unavailable" as const, code: "PROXY_REFUSED", text: `the proxy answered ${String(refused)}` };
  const remedy =
    refused === "407"
      ? `the proxy ${proxy.host} wants a name and a password: http://NAME:PASSWORD@${proxy.host}`
      : `check the proxy ${proxy.host} (HTTPS_PROXY, HTTP_PROXY; NO_PROXY goes past it)`;
  const message = `failed to do request: ${goMethod(method)} ${JSON.stringify(displayUrl(url))}: proxyconnect tcp: ${text}`;
  return new SlipwayError(kind, code, message, { host: url.host, url: displayUrl(url), proxy: proxy.host, remedy }, error);
}

/** What undici or the system threw, as an error of ours; `signal` tells a cancellation from a failure. */
export function networkError(error: unknown, method: string, url: URL, signal?: AbortSignal, proxy?: URL): SlipwayError {
  if (error instanceof SlipwayError) return error;
  if (signal?.aborted === true) return abortError(signal);
  const ofProxy = proxy === undefined ? undefined : proxyFailure(error, method, url, proxy);
  if (ofProxy !== undefined) return ofProxy;
  const { kind, code } = failureOf(error, url);
  return new SlipwayError(
    kind,
    code,
    `failed to do request: ${networkFailureText(error, method, url)}`,
    { host: url.host, url: displayUrl(url), ...networkRemedy(code, url.host) },
    error,
  );
}

/** `Get "http://example.com/x": dial tcp 10.0.0.1:80: connect: connection refused` */
export function networkFailureText(error: unknown, method: string, url: URL): string {
  return `${goMethod(method)} ${JSON.stringify(displayUrl(url))}: ${failureOf(error, url).text}`;
}

const transient = new Set(["CONNECTION_LOST", "NAME_RESOLUTION_FAILED", "RESPONSE_TIMEOUT"]);

/** Whether the same request may well succeed in a moment. A refused connection or an unknown host does not. */
export function isTransient(error: unknown): boolean {
  return error instanceof SlipwayError && transient.has(error.code);
}
