/** One rule and one image: what holds, and the first thing that does not. What cannot be found out does not hold. */
import { dirname, resolve } from "node:path";
import { asSlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform, hostPlatform } from "../../oci/platform.ts";
import { familiarName, formatReference, repositoryName, withDigest, type Reference } from "../../oci/reference.ts";
import type { PolicyRuleName } from "../policy-api.ts";
import type { GateSurroundings } from "../policy-gate.ts";
import { advisoryAges, exploitedList, oldestImport, quietDays } from "../advisories/age.ts";
import { scanImage } from "../scan/scan-image.ts";
import { isComplete, type Finding, type ScanResult } from "../scan-api.ts";
import { verifyAttestations } from "../signing/attestations.ts";
import { verify } from "../signing/verify.ts";
import type { Signer, VerifyOptions } from "../trust-api.ts";
import { isSignedName } from "../../trust/signatures/index.ts";
import { failsGate } from "../../trust/findings/gate.ts";
import { failingCondition } from "./condition.ts";
import type { LoadedPolicy } from "./load-policy.ts";
import type { AttestationRule, Rule, SignerRule, VulnerabilityRule } from "./policy-file.ts";

export interface Subject {
  /** without tag where it stands for what lies in the store */
  readonly reference: Reference;
  readonly digest: Digest;
  /** what is looked into for packages; undefined: what the registry has */
  readonly imageId: Digest | undefined;
  /** whose image of an index is used; undefined: this machine's */
  readonly platform: string | undefined;
  /** of what is about to be pushed: where it is now, if anywhere */
  readonly places?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Judgement {
  readonly held: readonly string[];
  readonly refused: { readonly rule: PolicyRuleName; readonly reason: string } | undefined;
}

export interface JudgeCall {
  readonly surroundings: GateSurroundings;
  readonly now: Date;
  readonly signal: AbortSignal | undefined;
  /** signatures and attestations were found good before */
  readonly isKnownSigned?: boolean;
  /** nobody can have signed yet what is only about to be pushed */
  readonly isUnsigned?: boolean;
}

class Unmet extends Error {
  readonly rule: PolicyRuleName;

  constructor(rule: PolicyRuleName, reason: string) {
    super(reason);
    this.rule = rule;
  }
}

export async function judge(policy: LoadedPolicy, rule: Rule, subject: Subject, call: JudgeCall): Promise<Judgement> {
  const held: string[] = [];
  try {
    if (rule.action === "accept") return { held: [`accepted by ${rule.scope}`], refused: undefined };
    if (rule.action === "reject") throw new Unmet("reject", rule.reason === "" ? `nothing of ${repositoryName(subject.reference)} is to be used` : rule.reason);
    if (call.isKnownSigned === true) held.push("signatures were verified before");
    else if (call.isUnsigned !== true) {
      if (rule.signed.length > 0) held.push(await requireSigned(policy, rule.signed, subject, call));
      for (const signer of rule.signedByAll) held.push(await requireSigned(policy, [signer], subject, call));
      for (const attestation of rule.attested) held.push(await requireAttested(policy, attestation, subject, call));
    }
    if (rule.vulnerabilities !== undefined || rule.maxScanAgeDays !== undefined) held.push(...(await requireScanned(policy.path, rule, subject, call)));
    return { held, refused: undefined };
  } catch (error) {
    call.signal?.throwIfAborted();
    if (!(error instanceof Unmet)) throw error;
    const said = rule.reason === "" || rule.action === "reject" ? "" : ` (${rule.reason})`;
    return { held, refused: { rule: error.rule, reason: `${error.message}${said}` } };
  }
}

function pinned({ reference, digest }: Subject): string {
  return formatReference(withDigest(reference, digest));
}

function pems({ files }: LoadedPolicy, names: readonly string[]): readonly { readonly pem: string; readonly name: string }[] {
  return names.map((name) => ({ name, pem: files.get(name)?.toString() ?? "" }));
}

function trustOf(policy: LoadedPolicy, signer: SignerRule, { reference, digest }: Subject): VerifyOptions {
  switch (signer.kind) {
    case "keys": {
      const { signedName } = signer;
      // beside a digest anybody may write any tag
      const { domain, path } = reference;
      const asked = reference.digest === undefined && reference.tag !== undefined ? reference : { domain, path, digest };
      return {
        keys: pems(policy, signer.files),
        ...(signedName === undefined ? {} : { isSignedName: (signed: string) => isSignedName(signedName, asked, signed) }),
      };
    }
    case "authorities":
      return { authorities: pems(policy, signer.files), subjects: signer.subjects };
    case "identity": {
      const { identity, issuer, trustedRoot, ignoreLog, ignoreCertificateLog } = signer;
      const json = policy.files.get(trustedRoot) ?? Buffer.alloc(0);
      return { identities: [{ identity, issuer }], trustedRoot: { json, name: trustedRoot, ignoreLog, ignoreCertificateLog } };
    }
  }
}

function nameOf(signer: Signer): string {
  return signer.name;
}

async function requireSigned(
  policy: LoadedPolicy,
  signers: readonly SignerRule[],
  subject: Subject,
  { surroundings, now, signal }: JudgeCall,
): Promise<string> {
  const reasons: string[] = [];
  for (const signer of signers) {
    try {
      const options = { ...trustOf(policy, signer, subject), repositories: signer.repositories, now, ...(signal === undefined ? {} : { signal }) };
      const { signatures } = await verify(surroundings, pinned(subject), options);
      return `signed by ${[...new Set(signatures.map((signature) => nameOf(signature.signer)))].join(", ")}`;
    } catch (error) {
      signal?.throwIfAborted();
      reasons.push(reasonOf(error, subject));
    }
  }
  throw new Unmet("signed", [...new Set(reasons)].join("\n"));
}

/** A failure that is no refusal says so: the image may be good, but nobody can tell. */
function reasonOf(error: unknown, { reference, digest }: Subject): string {
  const { kind, message } = asSlipwayError(error);
  const image = familiarName(withDigest(reference, digest));
  const rest = message.startsWith(image)
    ? message
        .slice(image.length)
        .replace(/^: /, "")
        .replace(/^ has /, "it has ")
    : message;
  return kind === "denied" ? rest : `it cannot be verified: ${message}`;
}

async function requireAttested(policy: LoadedPolicy, rule: AttestationRule, subject: Subject, { surroundings, now, signal }: JudgeCall): Promise<string> {
  const { attester, predicateType: type } = rule;
  const options = { ...trustOf(policy, attester, subject), repositories: attester.repositories, type, ...(signal === undefined ? {} : { signal }) };
  const reasons = new Set<string>();
  // of the index, or of its image that is used: builds attest to that
  for (const platform of [undefined, subject.platform ?? formatPlatform(hostPlatform())]) {
    try {
      const { attestations } = await verifyAttestations(surroundings, pinned(subject), { ...options, ...(platform === undefined ? {} : { platform }) });
      const failing = attestations.map(({ predicate }) => failingCondition(rule.conditions, predicate, now));
      if (failing.includes(undefined)) return `attested: ${rule.type}`;
      reasons.add(`no attestation of type ${rule.type} says that ${failing.find((condition) => condition !== undefined)?.text ?? ""}`);
    } catch (error) {
      signal?.throwIfAborted();
      reasons.add(reasonOf(error, subject));
    }
  }
  throw new Unmet("attested", [...reasons].join("\n"));
}

const dayMs = 86_400_000;
const shownFindings = 5;

async function scanned(
  path: string,
  place: string,
  { cwd = "/", env = {}, platform, imageId }: Subject,
  vex: readonly string[],
  call: JudgeCall,
): Promise<ScanResult> {
  const scanning = { ...call.surroundings, cwd, env, ...(call.signal === undefined ? {} : { signal: call.signal }) };
  const files = vex.map((file) => resolve(dirname(path), file));
  return await scanImage(scanning, place, { nowMs: call.now.getTime(), vex: files, ...(platform === undefined || imageId !== undefined ? {} : { platform }) });
}

async function requireScanned(path: string, rules: Rule, subject: Subject, call: JudgeCall): Promise<readonly string[]> {
  const { vulnerabilities } = rules;
  const rule: PolicyRuleName = vulnerabilities === undefined ? "maxScanAgeDays" : "vulnerabilities";
  const places = subject.places ?? (call.isUnsigned !== true || subject.imageId !== undefined ? [subject.imageId ?? pinned(subject)] : []);
  if (places.length === 0) throw new Unmet(rule, "it is not kept in the store, so it cannot be scanned before it is pushed: build it first, then push it");
  let held: readonly string[] = [];
  for (const place of places) {
    let result;
    try {
      result = await scanned(path, place, subject, vulnerabilities?.vex ?? [], call);
    } catch (error) {
      call.signal?.throwIfAborted();
      const { message, details } = asSlipwayError(error);
      const remedy = typeof details["remedy"] === "string" ? ` (${details["remedy"]})` : "";
      throw new Unmet(rule, `it cannot be scanned: ${message}${remedy}`);
    }
    held = heldByScan(rules, result, call.now);
  }
  return held;
}

function heldByScan({ vulnerabilities, maxScanAgeDays }: Rule, result: ScanResult, now: Date): readonly string[] {
  const held: string[] = [];
  const isExploitedAsked = vulnerabilities?.gate.exploited === true;
  if (isExploitedAsked && result.database?.exploited === 0)
    throw new Unmet("vulnerabilities", "it is not known which vulnerabilities are exploited: slipway db import known_exploited_vulnerabilities.json");
  if (maxScanAgeDays !== undefined) held.push(heldByAge(maxScanAgeDays, result, isExploitedAsked, now));
  if (vulnerabilities === undefined) return held;
  if (!isComplete(result)) {
    const missing = result.missing.map(({ ecosystem }) => ecosystem).join(", ");
    throw new Unmet("vulnerabilities", `not all of its packages could be compared${missing === "" ? "" : `: the database lacks ${missing}`}`);
  }
  const counting = result.findings.filter((finding) => failsGate(vulnerabilities.gate, finding) && !isExcused(vulnerabilities, finding, now));
  if (counting.length === 0) return [...held, `no vulnerability that is ${vulnerabilities.words.join(" and ")}`];
  const shown = counting.slice(0, shownFindings).map((finding) => `${findingText(finding)}${endedText(vulnerabilities, finding)}`);
  const rest = counting.length > shownFindings ? `, and ${counting.length - shownFindings} more` : "";
  throw new Unmet("vulnerabilities", `it has ${counting.length} of ${vulnerabilities.words.join(", ")}: ${shown.join(", ")}${rest}`);
}

/** Import today what ended a year ago, and what is known is a year old; but a feed may be quiet for a while. */
function heldByAge(allowed: number, { database, ecosystems }: ScanResult, isExploitedAsked: boolean, now: Date): string {
  const ages = database === undefined ? [] : advisoryAges(database, [...ecosystems, ...(isExploitedAsked ? [exploitedList] : [])], now.getTime());
  const remedy = "slipway db pull or db import";
  const imported = oldestImport(ages)?.importedDays ?? (now.getTime() - (database?.createdSeconds ?? 0) * 1000) / dayMs;
  if (imported > allowed) {
    const of = oldestImport(ages)?.ecosystem;
    const what = `what is known of vulnerabilities${of === undefined ? "" : ` (${of})`}`;
    throw new Unmet("maxScanAgeDays", `${what} is ${Math.floor(imported)} days old, ${allowed} are allowed: ${remedy}`);
  }
  const ended = ages.find(({ records }) => (records?.days ?? 0) > allowed + quietDays);
  if (ended?.records !== undefined) {
    const { days, text } = ended.records;
    const what = `what is known of vulnerabilities (${ended.ecosystem}) ends ${Math.floor(days)} days ago, however lately it was imported (${text})`;
    throw new Unmet("maxScanAgeDays", `${what}; ${allowed} are allowed, and ${quietDays} in which a feed may be quiet: ${remedy}`);
  }
  const age = Math.max(0, Math.floor(imported));
  return `scanned with advisories of ${age === 0 ? "today" : `${age} days ago`}`;
}

function findingText({ id, severity, name, version, fixedVersion }: Finding): string {
  return `${id} (${severity}, ${name} ${version}${fixedVersion === undefined ? "" : `, fixed in ${fixedVersion}`})`;
}

/** Who made the exception wants to know. */
function endedText({ exceptions }: VulnerabilityRule, { id, aliases }: Finding): string {
  const ended = exceptions.find((each) => [id, ...aliases].includes(each.id));
  return ended?.until === undefined ? "" : `, excused until ${ended.until}`;
}

/** An exception ends with its day; what is not known to be younger has no grace. */
export function isExcused({ exceptions, graceDays }: VulnerabilityRule, { id, aliases, published }: Finding, now: Date): boolean {
  const today = now.toISOString().slice(0, 10);
  if (exceptions.some((each) => [id, ...aliases].includes(each.id) && (each.until === undefined || each.until >= today))) return true;
  const age = published === undefined ? Number.NaN : now.getTime() - Date.parse(published);
  return age >= 0 && age < graceDays * dayMs;
}
