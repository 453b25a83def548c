/** The text of a policy file as a value. Pure: files that it names are read by load-policy.ts. See docs/policy.md. */
import { SlipwayError } from "../../base/errors.ts";
import { parseLocated, type LocatedFields } from "../../oci/located-json.ts";
import { parseReference } from "../../oci/reference.ts";
import { predicateTypeFrom, type SignedNameRule } from "../../trust/signatures/index.ts";
import { parseGate, type Gate } from "../../trust/findings/gate.ts";
import { parseCondition, type Condition } from "./condition.ts";
import { parsePattern, type ScopePattern } from "./scope-pattern.ts";

export type Mode = "enforce" | "audit";

/** Who can make attestations; notation's certificates are for signatures alone. */
export type AttesterRule =
  | {
      readonly kind: "keys";
      readonly files: readonly string[];
      readonly repositories: readonly string[];
      /** instead of the repository; of signatures alone */
      readonly signedName: SignedNameRule | undefined;
    }
  | {
      readonly kind: "identity";
      readonly identity: string | RegExp;
      readonly issuer: string | RegExp;
      readonly trustedRoot: string;
      readonly ignoreLog: boolean;
      readonly ignoreCertificateLog: boolean;
      readonly repositories: readonly string[];
    };

export type SignerRule =
  | AttesterRule
  | { readonly kind: "authorities"; readonly files: readonly string[]; readonly subjects: readonly string[]; readonly repositories: readonly string[] };

export interface AttestationRule {
  /** a URI */
  readonly predicateType: string;
  /** as it was written */
  readonly type: string;
  readonly attester: AttesterRule;
  readonly conditions: readonly Condition[];
}

export interface VulnerabilityRule {
  readonly gate: Gate;
  readonly words: readonly string[];
  readonly graceDays: number;
  /** statements about what does not apply: OpenVEX, CycloneDX */
  readonly vex: readonly string[];
  readonly exceptions: readonly { readonly id: string; readonly until: string | undefined; readonly reason: string }[];
}

export interface Rule {
  /** the scope as it is written, or "default" */
  readonly scope: string;
  readonly line: number;
  readonly mode: Mode;
  readonly action: "accept" | "reject" | "require";
  /** for whoever is refused */
  readonly reason: string;
  /** a signature of any of them */
  readonly signed: readonly SignerRule[];
  /** a signature of each of them */
  readonly signedByAll: readonly SignerRule[];
  /** each of them */
  readonly attested: readonly AttestationRule[];
  readonly vulnerabilities: VulnerabilityRule | undefined;
  readonly maxScanAgeDays: number | undefined;
}

export interface Policy {
  readonly path: string;
  /** what an override may do */
  readonly canOverride: boolean;
  /** images that were made here */
  readonly local: "accept" | "reject";
  /** those that came otherwise than from a registry that is known: archives, layouts, uploads */
  readonly loaded: "accept" | "reject";
  readonly scopes: readonly { readonly pattern: ScopePattern; readonly rule: Rule }[];
  readonly fallback: Rule;
}

export function policyError(path: string, line: number, reason: string, cause?: unknown): SlipwayError {
  return new SlipwayError("invalid_argument", "POLICY_INVALID", `${path}:${line}: ${reason}`, { path, line, bare: true }, cause);
}

/** Fails with POLICY_INVALID, which names the line. */
export function parsePolicy(text: string, path: string): Policy {
  const root = parseLocated(text, (line, reason) => policyError(path, line, reason));
  root.only("version", "mode", "override", "local", "loaded", "scopes", "default");
  if (root.value("version") !== 1) throw root.fail("version", `want "version": 1`);
  const mode = root.oneOf("mode", ["enforce", "audit"]) ?? "enforce";
  const fallback = root.child("default");
  if (fallback === undefined) throw root.fail("default", `"default" is missing: what holds for images of no scope, {"reject": true} or {"accept": true}`);
  return {
    path,
    canOverride: root.boolean("override") ?? true,
    local: root.oneOf("local", ["accept", "reject"]) ?? "accept",
    loaded: root.oneOf("loaded", ["accept", "reject"]) ?? "reject",
    scopes: scopesFrom(path, root, mode),
    fallback: ruleFrom(path, "default", fallback, mode),
  };
}

/** Two spellings of one scope would be two rules for the same images. */
function scopesFrom(path: string, root: LocatedFields, mode: Rule["mode"]): Policy["scopes"] {
  const scopes = root.entries("scopes").map(([name, fields]) => ({
    pattern: wrapped(path, fields, () => parsePattern(name)),
    rule: ruleFrom(path, name, fields, mode),
  }));
  const seen = new Map<string, string>();
  for (const { pattern, rule } of scopes) {
    const other = seen.get(pattern.text);
    if (other !== undefined) throw policyError(path, rule.line, `the scope ${JSON.stringify(rule.scope)} is ${JSON.stringify(other)} in another spelling`);
    seen.set(pattern.text, rule.scope);
  }
  return scopes;
}

/** Failures of parsers that know no lines. */
function wrapped<T>(path: string, fields: LocatedFields, parse: () => T, key = ""): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.code === "POLICY_INVALID") throw error;
    throw policyError(path, fields.lineOf(key), error.message.replace(/^--fail-on/, "failOn"), error);
  }
}

function ruleFrom(path: string, scope: string, fields: LocatedFields, fallback: Mode): Rule {
  fields.only("accept", "reject", "mode", "reason", "signed", "signedByAll", "attested", "vulnerabilities", "maxScanAgeDays");
  const actions = (["accept", "reject"] as const).filter((key) => fields.has(key));
  for (const key of actions) if (fields.boolean(key) !== true) throw fields.fail(key, `"${key}" is true or left out`);
  const demands = ["signed", "signedByAll", "attested", "vulnerabilities", "maxScanAgeDays"].filter((key) => fields.has(key));
  if (actions.length > 1 || (actions.length === 1 && demands.length > 0)) throw fields.fail("", `${scope} has to be one: accept, reject, or what it demands`);
  if (actions.length + demands.length === 0) throw fields.fail("", `${scope} says nothing: want accept, reject, signed, attested or vulnerabilities`);
  const vulnerabilities = fields.child("vulnerabilities");
  const maxScanAgeDays = fields.count("maxScanAgeDays");
  const signed = (fields.children("signed") ?? []).map((signer) => signerFrom(path, signer));
  const signedByAll = (fields.children("signedByAll") ?? []).map((signer) => signerFrom(path, signer));
  const attested = (fields.children("attested") ?? []).map((attestation) => attestationFrom(path, attestation));
  for (const [key, list] of [
    ["signed", signed],
    ["signedByAll", signedByAll],
    ["attested", attested],
  ] as const) {
    if (fields.has(key) && list.length === 0) throw fields.fail(key, `"${key}" names nobody`);
  }
  return {
    scope,
    line: fields.line,
    mode: fields.oneOf("mode", ["enforce", "audit"]) ?? fallback,
    action: actions[0] ?? "require",
    reason: fields.string("reason") ?? "",
    signed,
    signedByAll,
    attested,
    vulnerabilities: vulnerabilities === undefined ? undefined : vulnerabilitiesFrom(path, vulnerabilities),
    maxScanAgeDays,
  };
}

function filesOf(fields: LocatedFields, key: string): readonly string[] {
  const files = fields.strings(key) ?? [];
  if (files.length === 0) throw fields.fail(key, `"${key}" names no file`);
  return files;
}

function signerFrom(path: string, fields: LocatedFields): SignerRule {
  if (!fields.has("authorities")) return attesterFrom(path, fields);
  fields.only("authorities", "subjects", "signedFor");
  const [subjects, repositories] = [fields.strings("subjects") ?? [], fields.strings("signedFor") ?? []];
  return { kind: "authorities", files: filesOf(fields, "authorities"), subjects, repositories };
}

/** `besides`: keys that the fields have for something else. */
function attesterFrom(path: string, fields: LocatedFields, besides: readonly string[] = []): AttesterRule {
  const repositories = fields.strings("signedFor") ?? [];
  if (fields.has("keys")) {
    const isSignature = besides.length === 0;
    fields.only("keys", "signedFor", ...(isSignature ? ["signedName"] : besides));
    const name = fields.child("signedName");
    if (name !== undefined && fields.has("signedFor")) throw fields.fail("signedName", "signedName and signedFor exclude each other");
    return { kind: "keys", files: filesOf(fields, "keys"), repositories, signedName: name === undefined ? undefined : signedNameFrom(path, name) };
  }
  fields.only("identity", "identityPattern", "issuer", "issuerPattern", "trustedRoot", "ignoreLog", "ignoreCertificateLog", "signedFor", ...besides);
  return {
    kind: "identity",
    identity: textOrPattern(path, fields, "identity"),
    issuer: textOrPattern(path, fields, "issuer"),
    trustedRoot: fields.requiredString("trustedRoot"),
    ignoreLog: fields.boolean("ignoreLog") ?? false,
    ignoreCertificateLog: fields.boolean("ignoreCertificateLog") ?? false,
    repositories,
  };
}

function signedNameFrom(path: string, fields: LocatedFields): SignedNameRule {
  fields.only("match", "reference", "repository", "prefix", "signedPrefix");
  const named = (key: string): string => wrapped(path, fields, () => (parseReference(fields.requiredString(key)), fields.requiredString(key)), key);
  const kinds = ["match", "reference", "repository", "prefix"].filter((key) => fields.has(key));
  if (kinds.length !== 1) throw fields.fail("", "signedName has one of match, reference, repository, and prefix with signedPrefix");
  if (fields.has("prefix")) return { kind: "prefix", prefix: fields.requiredString("prefix"), signedPrefix: fields.requiredString("signedPrefix") };
  if (fields.has("reference")) return { kind: "reference", reference: named("reference") };
  if (fields.has("repository")) return { kind: "repository", repository: named("repository") };
  return { kind: fields.oneOf("match", ["exact", "exactOrDigest"]) ?? "exact" };
}

/** Patterns are for the whole text. */
function textOrPattern(path: string, fields: LocatedFields, key: string): string | RegExp {
  const pattern = fields.string(`${key}Pattern`);
  if (pattern === undefined) return fields.requiredString(key);
  if (fields.has(key)) throw fields.fail(key, `${key} and ${key}Pattern exclude each other`);
  try {
    return new RegExp(`^(?:${pattern})$`, "u");
  } catch (error) {
    throw policyError(path, fields.lineOf(`${key}Pattern`), `${key}Pattern is no pattern: ${error instanceof Error ? error.message : ""}`, error);
  }
}

function attestationFrom(path: string, fields: LocatedFields): AttestationRule {
  if (fields.has("authorities")) throw fields.fail("authorities", "attestations are made with keys or for an identity, not with notation's certificates");
  const attester = attesterFrom(path, fields, ["type", "where"]);
  const type = fields.requiredString("type");
  return {
    type,
    predicateType: wrapped(path, fields, () => predicateTypeFrom(type), "type"),
    attester,
    conditions: (fields.children("where") ?? []).map(parseCondition),
  };
}

function vulnerabilitiesFrom(path: string, fields: LocatedFields): VulnerabilityRule {
  fields.only("failOn", "graceDays", "exceptions", "vex");
  const words = fields.strings("failOn") ?? [];
  const gate = wrapped(path, fields, () => parseGate(words), "failOn");
  if (gate === undefined) throw fields.fail("failOn", `"failOn" is missing: ["high", "fixable"] for instance`);
  if (gate.isNew || gate.exposures.length > 0) throw fields.fail("failOn", "failOn takes critical, high, medium, low, unknown, any, fixable and kev here");
  return {
    gate,
    words,
    graceDays: fields.count("graceDays") ?? 0,
    vex: fields.strings("vex") ?? [],
    exceptions: (fields.children("exceptions") ?? []).map(exceptionFrom),
  };
}

function exceptionFrom(fields: LocatedFields): VulnerabilityRule["exceptions"][number] {
  fields.only("id", "until", "reason");
  const until = fields.string("until");
  if (until !== undefined && (!/^\d{4}-\d\d-\d\d$/.test(until) || Number.isNaN(Date.parse(until))))
    throw fields.fail("until", `until has to be a date, as 2026-12-31`);
  return { id: fields.requiredString("id"), until, reason: fields.requiredString("reason") };
}
