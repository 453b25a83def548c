/** Policy files with all that they name: read once, so that a key that changes meanwhile changes nothing. */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { errnoOf, SlipwayError } from "../../base/errors.ts";
import type { PolicyPlaces } from "../policy-gate.ts";
import { parsePolicy, policyError, type Policy, type Rule, type SignerRule } from "./policy-file.ts";
import { specificity } from "./scope-pattern.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Reference } from "../../oci/reference.ts";

const maxPolicyBytes = 1 << 20;
const maxNamedBytes = 4 << 20;

export interface LoadedPolicy extends Policy {
  /** by the names that the policy has for them */
  readonly files: ReadonlyMap<string, Buffer>;
  /** of the policy and all its files: what was judged by one is not judged by another */
  readonly fingerprint: string;
}

/** Fails with an errno, EFBIG for what is too long; a pipe is not waited for. */
function readBounded(path: string, maxBytes: number): { readonly bytes: Buffer; readonly mode: number } {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw Object.assign(new Error("it is no regular file"), { code: "EINVAL" });
    if (stat.size > maxBytes) throw Object.assign(new Error(`it is longer than ${maxBytes} bytes`), { code: "EFBIG" });
    const bytes = Buffer.alloc(stat.size);
    let at = 0;
    for (let read = 1; read > 0 && at < bytes.length; at += read) read = readSync(fd, bytes, at, bytes.length - at, null);
    return { bytes: bytes.subarray(0, at), mode: stat.mode };
  } finally {
    closeSync(fd);
  }
}

/** Fails with POLICY_INVALID; with POLICY_NOT_FOUND where a file that was named is not there. */
export function loadPolicyFiles({ system, user, isGiven }: PolicyPlaces): readonly LoadedPolicy[] {
  const own = loadPolicy(user);
  if (own === undefined && isGiven) throw new SlipwayError("not_found", "POLICY_NOT_FOUND", `there is no policy file ${user}`, { path: user, bare: true });
  return [loadPolicy(system), own].filter((policy) => policy !== undefined);
}

/** undefined where there is none. */
function loadPolicy(path: string): LoadedPolicy | undefined {
  let bytes: Buffer;
  let mode: number;
  try {
    ({ bytes, mode } = readBounded(path, maxPolicyBytes));
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw policyError(path, 1, `it cannot be read: ${error instanceof Error ? error.message : ""}`, error);
  }
  if (isAnybodys(mode)) throw policyError(path, 1, `${anybodys}: chmod o-w makes it one that can be trusted`);
  const text = bytes.toString();
  if (Buffer.compare(Buffer.from(text), bytes) !== 0) throw policyError(path, 1, "it is no UTF-8");
  const policy = parsePolicy(text, path);
  const files = new Map<string, Buffer>();
  const hash = createHash("sha256").update(`${bytes.length}\n`).update(bytes);
  for (const [name, line] of namedFiles(policy)) {
    const content = readNamed(path, name, line);
    files.set(name, content);
    hash.update(`\n${name}\n${content.length}\n`).update(content);
  }
  return { ...policy, files, fingerprint: hash.digest("hex") };
}

const anybodys = "anybody may write this file";

function isAnybodys(mode: number): boolean {
  return (mode & 0o002) !== 0;
}

/** Who may exchange a key needs not change the policy. */
function readTrusted(file: string, maxBytes: number): Buffer {
  const { bytes, mode } = readBounded(file, maxBytes);
  if (isAnybodys(mode)) throw new Error(`${anybodys}, chmod o-w makes it one that can be trusted`);
  return bytes;
}

/** A directory is all files that lie in it, as a trust store of notation's. */
function readFiles(file: string): Buffer {
  const { mode, isDirectory } = kindOf(file);
  if (!isDirectory) return readTrusted(file, maxNamedBytes);
  if (isAnybodys(mode)) throw new Error("anybody may put files into this directory");
  const parts: Buffer[] = [];
  let left = maxNamedBytes;
  for (const entry of readdirSync(file).toSorted()) {
    const bytes = readTrusted(join(file, entry), left);
    left -= bytes.length;
    parts.push(bytes, Buffer.from("\n"));
  }
  return Buffer.concat(parts);
}

function kindOf(file: string): { readonly mode: number; readonly isDirectory: boolean } {
  const found = statSync(file);
  return { mode: found.mode, isDirectory: found.isDirectory() };
}

function readNamed(path: string, name: string, line: number): Buffer {
  try {
    return readFiles(resolve(dirname(path), name));
  } catch (error) {
    throw policyError(path, line, `${name} cannot be read: ${error instanceof Error ? error.message : ""}`, error);
  }
}

function filesOfSigner(signer: SignerRule): readonly string[] {
  return signer.kind === "identity" ? [signer.trustedRoot] : signer.files;
}

function namedFiles({ scopes, fallback }: Policy): ReadonlyMap<string, number> {
  const named = new Map<string, number>();
  for (const { signed, signedByAll, attested, vulnerabilities, line } of [...scopes.map(({ rule }) => rule), fallback]) {
    const signers = [...signed, ...signedByAll, ...attested.map(({ attester }) => attester)];
    for (const file of [...signers.flatMap(filesOfSigner), ...(vulnerabilities?.vex ?? [])]) if (!named.has(file)) named.set(file, line);
  }
  return named;
}

/** The most specific scope's, else the default. */
export function ruleFor({ scopes, fallback }: Policy, reference: Reference, digest: Digest | undefined): Rule {
  let best: { readonly rule: Rule; readonly rank: number } = { rule: fallback, rank: 0 };
  for (const { pattern, rule } of scopes) {
    const rank = specificity(pattern, reference, digest);
    if (rank > best.rank) best = { rule, rank };
  }
  return best.rule;
}
