/** notation's trustpolicy.json as a policy of ours; certificates stay in notation's trust store. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseLocated, type LocatedFields } from "../../oci/located-json.ts";
import type { ImportedPolicy } from "../policy-api.ts";
import { importError, policyText } from "./import-containers.ts";

export function importNotationPolicy(text: string, path: string): ImportedPolicy {
  const root = parseLocated(text, (line, reason) => importError(path, line, reason));
  root.only("version", "trustPolicies");
  if (root.string("version") !== "1.0") throw root.fail("version", `want "version": "1.0"`);
  const notes: string[] = [];
  const scopes: Record<string, object> = {};
  let fallback: object = { reject: true, reason: "no trust policy is about it" };
  for (const policy of root.children("trustPolicies") ?? []) {
    policy.only("name", "registryScopes", "signatureVerification", "trustStores", "trustedIdentities");
    const rule = ruleFrom(policy, path, notes);
    for (const scope of policy.strings("registryScopes") ?? []) {
      if (scope === "*") fallback = rule;
      else scopes[scope] = rule;
    }
  }
  if (Object.keys(scopes).length > 0) notes.push("notation's scopes are single repositories; here they hold for those below them too");
  return { text: policyText({ scopes: scopes as never, default: fallback as never }), files: [], notes };
}

function ruleFrom(policy: LocatedFields, path: string, notes: string[]): object {
  const name = policy.requiredString("name");
  const verification = policy.child("signatureVerification");
  if (verification === undefined) throw policy.fail("signatureVerification", `${name} has no signatureVerification`);
  verification.only("level", "override", "verifyTimestamp");
  const level = verification.oneOf("level", ["strict", "permissive", "audit", "skip"]);
  if (level === undefined) throw verification.fail("level", `${name} has no level`);
  if (level === "skip") return { accept: true };
  if (verification.has("override")) notes.push(`${name}: override is left out, what is signed is verified in full`);
  if (level === "permissive") notes.push(`${name}: permissive lets expired certificates pass in notation, here they do not`);
  const authorities = (policy.strings("trustStores") ?? []).flatMap((store) => certificatesOf(policy, path, store, name, notes));
  if (authorities.length === 0) throw policy.fail("trustStores", `${name} has no trust store of type ca`);
  const subjects = (policy.strings("trustedIdentities") ?? []).flatMap((identity) => subjectOf(policy, identity));
  return { ...(level === "audit" ? { mode: "audit" } : {}), signed: [{ authorities, ...(subjects.length === 0 ? {} : { subjects }) }] };
}

function certificatesOf(policy: LocatedFields, path: string, store: string, name: string, notes: string[]): readonly string[] {
  const [, type, label = ""] = /^(ca|signingAuthority|tsa):([A-Za-z0-9_.-]+)$/.exec(store) ?? [];
  if (type === undefined || label === "." || label === "..") throw policy.fail("trustStores", `${name}: ${JSON.stringify(store)} is no trust store`);
  if (type !== "ca") {
    notes.push(`${name}: the trust store ${store} is left out, those of type ca count`);
    return [];
  }
  const directory = join(dirname(path), "truststore", "x509", "ca", label);
  try {
    if (readdirSync(directory).length > 0) return [directory];
  } catch (error) {
    throw policy.fail("trustStores", `${name}: ${directory} cannot be read: ${error instanceof Error ? error.message : ""}`);
  }
  throw policy.fail("trustStores", `${name}: ${directory} holds no certificate`);
}

function subjectOf(policy: LocatedFields, identity: string): readonly string[] {
  if (identity === "*") return [];
  const subject = /^x509\.subject:\s*(.+)$/.exec(identity)?.[1];
  if (subject === undefined) throw policy.fail("trustedIdentities", `${JSON.stringify(identity)} is no x509.subject`);
  return [subject];
}
