/** Signatures that were found good, by policy and image: what is signed stays so, and a machine without network runs what it has verified. */
import { createHash } from "node:crypto";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LoadedPolicy } from "./load-policy.ts";
import type { Subject } from "./judge.ts";
import type { Rule } from "./policy-file.ts";
import { formatPlatform, hostPlatform, normalizePlatform, parsePlatform } from "../../oci/platform.ts";
import { repositoryName } from "../../oci/reference.ts";

const certificateLifeMs = 86_400_000;

/** Of an index the attestations may be about the image that is used: another platform's has its own. */
function platformOf({ platform }: Subject): string {
  return formatPlatform(normalizePlatform(platform === undefined || platform === "" ? hostPlatform() : parsePlatform(platform)));
}

function pathOf(root: string, policy: LoadedPolicy, { scope, attested }: Rule, subject: Subject): string {
  const { reference, digest } = subject;
  const about = attested.length === 0 ? [] : [platformOf(subject)];
  const key = [policy.fingerprint, scope, repositoryName(reference), digest, ...about].join("\n");
  return join(root, "policy", "signed", createHash("sha256").update(key).digest("hex"));
}

/** With certificates, which end, for a day. */
export function isKnownSigned(root: string, policy: LoadedPolicy, rule: Rule, subject: Subject, now: Date): boolean {
  const signers = [...rule.signed, ...rule.signedByAll, ...rule.attested.map(({ attester }) => attester)];
  if (signers.length === 0 || rule.attested.some(({ conditions }) => conditions.length > 0)) return false;
  const known = statSync(pathOf(root, policy, rule, subject), { throwIfNoEntry: false });
  if (known === undefined) return false;
  return signers.every(({ kind }) => kind === "keys") || now.getTime() - known.mtimeMs < certificateLifeMs;
}

export function rememberSigned(root: string, policy: LoadedPolicy, rule: Rule, subject: Subject): void {
  if (rule.signed.length + rule.signedByAll.length + rule.attested.length === 0) return;
  mkdirSync(join(root, "policy", "signed"), { recursive: true, mode: 0o700 });
  writeFileSync(pathOf(root, policy, rule, subject), "", { mode: 0o600 });
}
