/**
 * containers' policy.json (skopeo, podman, CRI-O) as a policy of ours. What cannot be said here is refused rather than accepted, and noted.
 * @see containers-policy.json(5)
 */
import { createHash, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve, dirname } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { parseLocated, type LocatedFields } from "../../oci/located-json.ts";
import type { ImportedPolicy } from "../policy-api.ts";

export function importError(path: string, line: number, reason: string): SlipwayError {
  return new SlipwayError("invalid_argument", "POLICY_IMPORT", `${path}:${line}: ${reason}`, { path, line, bare: true });
}

type ScopeJson = Readonly<Record<string, unknown>>;

interface Converted {
  readonly notes: string[];
  readonly files: { readonly name: string; readonly text: string }[];
  readonly path: string;
}

/** Transports whose images come from no registry. */
const otherTransports = 'what comes otherwise than from a registry is judged by "loaded"';
const fileTransports = ["dir", "docker-archive", "oci", "oci-archive"];

export function importContainersPolicy(text: string, path: string): ImportedPolicy {
  const root = parseLocated(text, (line, reason) => importError(path, line, reason));
  root.only("default", "transports");
  const call: Converted = { notes: [], files: [], path };
  let fallback = scopeFrom(call, "default", requirementsOf(root, "default"));
  const scopes: Record<string, ScopeJson> = {};
  const transports = root.child("transports");
  for (const transport of transports?.keys() ?? []) {
    const fields = transports?.child(transport);
    for (const scope of fields?.keys() ?? []) {
      if (fields === undefined) continue;
      const requirements = requirementsOf(fields, scope);
      if (transport !== "docker") call.notes.push(`transports.${transport}${scope === "" ? "" : ` ${scope}`} is left out: ${otherTransports}`);
      else if (scope === "") fallback = scopeFrom(call, "default", requirements);
      else scopes[scope] = scopeFrom(call, scope, requirements);
    }
  }
  const acceptsFiles = fileTransports.every((name) => isAnything(transports?.child(name)?.children("") ?? root.children("default") ?? []));
  return { text: policyText({ loaded: acceptsFiles ? "accept" : "reject", scopes, default: fallback }), files: call.files, notes: call.notes };
}

function isAnything(requirements: readonly LocatedFields[]): boolean {
  return requirements.every((fields) => fields.string("type") === "insecureAcceptAnything");
}

export function policyText(body: {
  readonly loaded?: "accept" | "reject";
  readonly scopes: Readonly<Record<string, ScopeJson>>;
  readonly default: ScopeJson;
}): string {
  return `${JSON.stringify({ version: 1, mode: "enforce", ...body }, null, 2)}\n`;
}

function requirementsOf(fields: LocatedFields, key: string): readonly LocatedFields[] {
  const list = fields.children(key) ?? [];
  if (list.length === 0) throw fields.fail(key, `${key} has no requirement`);
  return list;
}

const rejected = (reason: string): ScopeJson => ({ reject: true, reason });

/** All requirements of a list have to be met. */
function scopeFrom(call: Converted, scope: string, requirements: readonly LocatedFields[]): ScopeJson {
  const demands = requirements.filter((fields) => fields.string("type") !== "insecureAcceptAnything");
  if (demands.some((fields) => fields.string("type") === "reject")) return { reject: true };
  const scopes = demands.map((demand) => demandFrom(call, scope, demand));
  const [first, ...more] = scopes;
  if (first === undefined) return { accept: true };
  return more.length === 0 ? first : (scopes.find((each) => each["signed"] === undefined) ?? { signedByAll: scopes.flatMap((each) => each["signed"]) });
}

function demandFrom(call: Converted, scope: string, demand: LocatedFields): ScopeJson {
  switch (demand.string("type")) {
    case "signedBy":
      return refuse(call, scope, "signedBy wants GPG signatures, which cannot be verified: sign with slipway sign or cosign");
    case "sigstoreSigned":
      return sigstoreScope(call, scope, demand);
    default:
      throw demand.fail("type", `unknown type ${JSON.stringify(demand.string("type") ?? "")}`);
  }
}

function refuse({ notes }: Converted, scope: string, why: string): ScopeJson {
  notes.push(`${scope}: ${why}; everything of it is refused`);
  return rejected(why);
}

function sigstoreScope(call: Converted, scope: string, fields: LocatedFields): ScopeJson {
  fields.only(
    "type",
    "keyPath",
    "keyPaths",
    "keyData",
    "keyDatas",
    "fulcio",
    "pki",
    "rekorPublicKeyPath",
    "rekorPublicKeyPaths",
    "rekorPublicKeyData",
    "rekorPublicKeyDatas",
    "signedIdentity",
  );
  const identity = signedNameFrom(fields.child("signedIdentity"));
  if (fields.has("pki")) return refuse(call, scope, "pki (certificates of one's own in cosign's format) cannot be verified");
  const own = pathsOf(call, scope, fields, ["keyPath", "keyPaths"], ["keyData", "keyDatas"], "key", ".pub");
  const fulcio = fields.child("fulcio");
  if (fulcio !== undefined) return fulcioScope(call, scope, fields, fulcio);
  if (own.length === 0) throw fields.fail("keyPath", "sigstoreSigned names no key");
  if (["rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"].some((key) => fields.has(key))) {
    call.notes.push(`${scope}: entries in a transparency log are not asked of signatures by keys`);
  }
  return { signed: [{ keys: own, ...identity }] };
}

interface SignedNameJson {
  readonly signedName?: Readonly<Record<string, string>>;
}

function signedNameFrom(fields: LocatedFields | undefined): SignedNameJson {
  const type = fields?.string("type") ?? "matchRepoDigestOrExact";
  switch (type) {
    case "matchRepoDigestOrExact":
      return { signedName: { match: "exactOrDigest" } };
    case "matchExact":
      return { signedName: { match: "exact" } };
    case "matchRepository":
      return {};
    case "exactReference":
      return { signedName: { reference: fields?.requiredString("dockerReference") ?? "" } };
    case "exactRepository":
      return { signedName: { repository: fields?.requiredString("dockerRepository") ?? "" } };
    case "remapIdentity":
      return { signedName: { prefix: fields?.requiredString("prefix") ?? "", signedPrefix: fields?.requiredString("signedPrefix") ?? "" } };
    default:
      throw (fields as LocatedFields).fail("type", `unknown signedIdentity ${JSON.stringify(type)}`);
  }
}

/** Signatures for identities are bundles, which say no tag. */
function signedForIdentity(call: Converted, scope: string, fields: LocatedFields | undefined): { readonly signedFor?: readonly string[] } {
  const { signedName } = signedNameFrom(fields);
  if (signedName === undefined) return {};
  const { repository, reference, prefix } = signedName;
  if (prefix !== undefined)
    throw (fields as LocatedFields).fail("type", "remapIdentity with fulcio cannot be taken over: name the original repository in exactRepository");
  if (repository === undefined) call.notes.push(`${scope}: signatures for identities say no tag, so a signature has to be for the repository and the digest`);
  const name = repository ?? reference;
  return name === undefined ? {} : { signedFor: [name.replace(/@.*$/, "").replace(/:[^/:]*$/, "")] };
}

/** Files that are named, whole, and those that are made of what stands in the text. */
function pathsOf(
  call: Converted,
  scope: string,
  fields: LocatedFields,
  names: readonly string[],
  data: readonly string[],
  what: string,
  ending: string,
): readonly string[] {
  const named = names.flatMap((key) => fields.strings(key) ?? []).map((name) => resolve(dirname(call.path), name));
  const made = data
    .flatMap((key) => fields.strings(key) ?? [])
    .map((encoded) => {
      const name = `${what}-${scope.replace(/[^a-z0-9.-]+/gi, "-")}-${call.files.length + 1}${ending}`;
      call.files.push({ name, text: Buffer.from(encoded, "base64").toString() });
      return name;
    });
  return [...named, ...made];
}

function textsOf(call: Converted, fields: LocatedFields, names: readonly string[], data: readonly string[]): readonly string[] {
  const named = names.flatMap((key) =>
    (fields.strings(key) ?? []).map((name) => {
      try {
        return readFileSync(resolve(dirname(call.path), name), "utf8");
      } catch (error) {
        throw fields.fail(key, `${name} cannot be read: ${error instanceof Error ? error.message : ""}`);
      }
    }),
  );
  return [...named, ...data.flatMap((key) => fields.strings(key) ?? []).map((encoded) => Buffer.from(encoded, "base64").toString())];
}

/** An authority's certificates and a log's key become a trusted root, as sigstore's clients have it. */
function fulcioScope(call: Converted, scope: string, fields: LocatedFields, fulcio: LocatedFields): ScopeJson {
  fulcio.only("caPath", "caData", "oidcIssuer", "subjectEmail");
  const authorities = textsOf(call, fulcio, ["caPath"], ["caData"]);
  const logs = textsOf(call, fields, ["rekorPublicKeyPath", "rekorPublicKeyPaths"], ["rekorPublicKeyData", "rekorPublicKeyDatas"]);
  if (authorities.length === 0) throw fulcio.fail("caPath", "fulcio names no certificate");
  if (logs.length === 0) throw fields.fail("rekorPublicKeyPath", "with fulcio the log's key is needed");
  const name = `trusted-root-${scope.replace(/[^a-z0-9.-]+/gi, "-")}.json`;
  call.files.push({ name, text: trustedRoot(fields, authorities, logs) });
  const signer = {
    identity: fulcio.requiredString("subjectEmail"),
    issuer: fulcio.requiredString("oidcIssuer"),
    trustedRoot: name,
    ignoreCertificateLog: true,
    ...signedForIdentity(call, scope, fields.child("signedIdentity")),
  };
  return { signed: [signer] };
}

const since = "1970-01-01T00:00:00Z";

function trustedRoot(fields: LocatedFields, authorities: readonly string[], logs: readonly string[]): string {
  const certificates = authorities.flatMap((pem) =>
    [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)].map(([, body = ""]) => ({ rawBytes: body.replace(/\s+/g, "") })),
  );
  if (certificates.length === 0) throw fields.fail("fulcio", "its file holds no certificate");
  const tlogs = logs.map((pem) => {
    let der: Buffer;
    try {
      der = createPublicKey(pem).export({ type: "spki", format: "der" });
    } catch (error) {
      throw fields.fail("rekorPublicKeyPath", `the log's key cannot be read: ${error instanceof Error ? error.message : ""}`);
    }
    return {
      baseUrl: "https://rekor",
      hashAlgorithm: "SHA2_256",
      publicKey: { rawBytes: der.toString("base64"), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor: { start: since } },
      logId: { keyId: createHash("sha256").update(der).digest("base64") },
    };
  });
  const certificateAuthorities = [
    { subject: { organization: "", commonName: "" }, uri: "https://fulcio", certChain: { certificates }, validFor: { start: since } },
  ];
  return `${JSON.stringify({ mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1", tlogs, certificateAuthorities }, null, 2)}\n`;
}
