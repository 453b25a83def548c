/**
 * Image references, `[domain/]path[:tag][@digest]`, normalised as Docker does: `busybox` is `docker.io/library/busybox`,
 * a first component counts as a domain when it holds a dot, a colon or an upper-case letter, or is `localhost`.
 * @see distribution/reference, the grammar in reference.go
 */
import { SlipwayError } from "../base/errors.ts";
import { isDigest } from "./digest.ts";
import type { Digest } from "./digest.ts";

export interface Reference {
  /** "docker.io", "localhost:5000", "[::1]:5000"; case is kept, as Docker keeps it */
  readonly domain: string;
  /** "library/busybox": always with "library/" where Docker Hub's official images are meant */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const hub = "docker.io";
const legacyHub = "index.docker.io";
const officialPrefix = "library/";
const maxPathLength = 255;
/** longer than any reference that can be valid: path, domain, tag and a sha512 digest */
const maxReferenceLength = 1024;

const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const domainLabel = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const tagSource = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const digestSource = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const domainPattern = new RegExp(`^(?:${domainLabel}(?:\\.${domainLabel})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = new RegExp(`^${tagSource}$`);
const remainderPattern = new RegExp(`^([^:@]+)(?::(${tagSource}))?(?:@(${digestSource}))?$`);

function invalid(text: string, message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_REFERENCE", message, { got: text.slice(0, maxReferenceLength) });
}

function isDomainLike(first: string): boolean {
  return /[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first;
}

function splitDomain(text: string): { domain: string; remainder: string } {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  let domain = hub;
  let remainder = text;
  if (slash !== -1 && isDomainLike(first)) {
    domain = first === legacyHub ? hub : first;
    remainder = text.slice(slash + 1);
  }
  if (domain === hub && !remainder.includes("/")) remainder = officialPrefix + remainder;
  return { domain, remainder };
}

function parseReferenceDigest(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest;
  const [algorithm = "", hex = ""] = digest.split(":");
  const length = { sha256: 64, sha512: 128 }[algorithm];
  if (length === undefined) throw invalid(text, "unsupported digest algorithm");
  throw invalid(text, hex.length === length ? "invalid checksum digest format" : "invalid checksum digest length");
}

/** Docker takes `a.b_c/d` as the host `a.b_c`, although its grammar of domains has no underscore. */
function isDomain(domain: string): boolean {
  return domainPattern.test(domain) || pathPattern.test(domain);
}

/**
 * Reads what a user or a Dockerfile wrote. No tag is added: see withDefaultTag.
 * Fails with INVALID_REFERENCE (invalid_argument), in Docker's words.
 * @example parseReference("busybox:1.36") // { domain: "docker.io", path: "library/busybox", tag: "1.36" }
 */
export function parseReference(text: string): Reference {
  if (text.length > maxReferenceLength) throw invalid(text, "invalid reference format");
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw invalid(text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { domain, remainder } = splitDomain(text);
  const colon = remainder.indexOf(":");
  const name = colon === -1 ? remainder : remainder.slice(0, colon);
  if (name.toLowerCase() !== name) throw invalid(text, `invalid reference format: repository name (${name}) must be lowercase`);

  const [whole, path = "", tag, digest] = remainderPattern.exec(remainder) ?? [];
  if (whole === undefined || !isDomain(domain) || !pathPattern.test(path)) throw invalid(text, "invalid reference format");
  if (path.length > maxPathLength) throw invalid(text, `repository name must not be more than ${maxPathLength} characters`);
  return {
    domain,
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest: parseReferenceDigest(text, digest) }),
  };
}

/** Fails with INVALID_REFERENCE (invalid_argument) unless `tag` has 1 to 128 of Docker's characters. */
export function withTag(reference: Reference, tag: string): Reference {
  if (!tagPattern.test(tag)) throw invalid(tag, "invalid tag format");
  return { domain: reference.domain, path: reference.path, tag };
}

export function withDigest(reference: Reference, digest: Digest): Reference {
  return { ...reference, digest };
}

/** Adds `latest` where neither a tag nor a digest was given. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

/** The repository without tag and digest: "docker.io/library/busybox". */
export function repositoryName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

function suffix(reference: Reference): string {
  return (reference.tag === undefined ? "" : `:${reference.tag}`) + (reference.digest === undefined ? "" : `@${reference.digest}`);
}

/** The full form, which parses to the same reference: "docker.io/library/busybox:latest". */
export function formatReference(reference: Reference): string {
  return repositoryName(reference) + suffix(reference);
}

/** The repository as Docker shows it: "busybox", "grafana/grafana", "localhost:5000/app". */
export function familiarRepository(reference: Reference): string {
  if (reference.domain !== hub) return repositoryName(reference);
  const short = reference.path.startsWith(officialPrefix) ? reference.path.slice(officialPrefix.length) : "";
  return short === "" || short.includes("/") ? reference.path : short;
}

/** The reference as Docker shows it: "busybox:latest". */
export function familiarName(reference: Reference): string {
  return familiarRepository(reference) + suffix(reference);
}
