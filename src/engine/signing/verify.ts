/** `verify`: whether somebody who is trusted has signed what a name means now. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { isAttestation } from "../../oci/attestation.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { formatPlatform, parsePlatform } from "../../oci/platform.ts";
import { selectManifest, type FetchedManifest, type RegistryClient } from "../../registry/index.ts";
import { familiarName, formatReference, parseReference, repositoryName, withDefaultTag, withDigest, type Reference } from "../../oci/reference.ts";
import { readPublicKey } from "../../trust/keys/index.ts";
import { isKeyless, readTrustedRoot, verifyKeyless, type KeylessTrust } from "../../trust/keyless/index.ts";
import { parseAuthorities, parseSubject, verifyNotation, type Authorities } from "../../trust/notation/index.ts";
import {
  judgeEvidence,
  Refused,
  verifyWithKeys,
  type Claim,
  type Evidence,
  type Expectation,
  type Findings,
  type NamedKey,
  type Signer,
} from "../../trust/signatures/index.ts";
import type { PublicKeySource, Verification, VerifiedImage, VerifyOptions } from "../trust-api.ts";
import { placeOf, type SigningSurroundings } from "./sign.ts";

/** cosign's exit codes, for scripts that look at them */
const unsignedExitCode = 10;
const refusedExitCode = 12;

export async function verify({ client }: SigningSurroundings, name: string, options: VerifyOptions): Promise<Verification> {
  const reference = withDefaultTag(parseReference(name));
  const keys = (options.keys ?? []).map(namedKey);
  const authorities: Authorities = {
    anchors: (options.authorities ?? []).flatMap(({ pem, name: file = "the authorities" }) => parseAuthorities(pem, file)),
    subjects: (options.subjects ?? []).map(parseSubject),
    now: options.now ?? new Date(),
    timestampAnchors: (options.timestampAuthorities ?? []).flatMap(({ pem, name: file = "the time stamps' authorities" }) => parseAuthorities(pem, file)),
  };
  const keyless = await keylessTrust(options);
  if (keys.length + authorities.anchors.length === 0 && keyless === undefined) {
    throw new SlipwayError(
      "invalid_argument",
      "USAGE",
      "whose signatures are to be accepted? --key names a public key, --ca an authority's certificate, --identity a signer",
    );
  }
  const registry = await client();
  const subjects = subjectsOf(await registry.resolve(reference, { signal: options.signal }), options);
  const verifyOne = async (digest: Digest): Promise<Verification> =>
    await verifyDigest({ registry, reference, options, trusted: { keys, authorities, keyless } }, digest);
  const first = await verifyOne(subjects.digest);
  if (options.recursive !== true) return first;
  const images: VerifiedImage[] = [];
  // one after the other: the first that fails names itself
  for (const { digest, platform } of subjects.images) {
    const { signatures, refused, unread } = await verifyOne(digest);
    images.push({ digest, platform, signatures, refused, unread });
  }
  return { ...first, images };
}

interface Subjects {
  readonly digest: Digest;
  /** those of an index, without what BuildKit says of them in it */
  readonly images: readonly { readonly digest: Digest; readonly platform: string }[];
}

/** Of an index with a platform the image for that: what runs is what was verified. Fails with NO_MATCHING_PLATFORM (not_found). */
export function subjectsOf({ bytes, descriptor }: FetchedManifest, { platform, recursive = false }: VerifyOptions): Subjects {
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  const wanted = platform === undefined ? undefined : parsePlatform(platform);
  if (wanted !== undefined && recursive)
    throw new SlipwayError("invalid_argument", "USAGE", "one platform or all of them: --platform and --recursive exclude each other");
  if (parsed.kind !== "index") return { digest: descriptor.digest, images: [] };
  if (wanted !== undefined) return { digest: selectManifest(parsed.index, wanted).digest, images: [] };
  const images = parsed.index.manifests.filter((entry) => !isAttestation(entry));
  return {
    digest: descriptor.digest,
    images: images.map((one) => ({ digest: one.digest, platform: one.platform === undefined ? "" : formatPlatform(one.platform) })),
  };
}

interface Verifying {
  readonly registry: RegistryClient;
  readonly reference: Reference;
  readonly options: VerifyOptions;
  readonly trusted: Trusted;
}

async function verifyDigest({ registry, reference, options, trusted }: Verifying, digest: Digest): Promise<Verification> {
  const expected: Expectation = {
    digest,
    repositories: acceptedRepositories(reference, options.repositories),
    isName: options.isSignedName,
    annotations: options.annotations ?? {},
  };
  const findings = await judgeEvidence(
    { client: registry, reference: placeOf(reference, options.signatureRepository), digest, wanted: "signatures", signal: options.signal },
    async (evidence) => {
      const { signer, claim } = await verifyEvidence(evidence, trusted, expected);
      return { signer, ...claim };
    },
  );
  const verified = formatReference(withDigest(reference, digest));
  if (findings.accepted.length === 0) throw refusal(reference, digest, findings, "signature");
  return { reference: verified, digest, signatures: findings.accepted, refused: findings.refused, unread: findings.unread };
}

interface Trusted {
  readonly keys: readonly NamedKey[];
  readonly authorities: Authorities;
  readonly keyless: KeylessTrust | undefined;
}

export async function keylessTrust({ identities = [], trustedRoot }: Pick<VerifyOptions, "identities" | "trustedRoot">): Promise<KeylessTrust | undefined> {
  if (identities.length === 0) return undefined;
  if (trustedRoot === undefined) throw new SlipwayError("invalid_argument", "USAGE", "--identity wants --trusted-root: whose certificates are to be believed?");
  const { json, name = "the trusted root", ignoreLog = false, ignoreCertificateLog = false } = trustedRoot;
  const material = await readTrustedRoot(json, name);
  return { material, identities, logEntries: ignoreLog ? 0 : 1, certificateLogEntries: ignoreCertificateLog ? 0 : 1 };
}

async function verifyEvidence(
  evidence: Evidence,
  { keys, authorities, keyless }: Trusted,
  expected: Expectation,
): Promise<{ readonly signer: Signer; readonly claim: Claim }> {
  if (keyless !== undefined && evidence.kind !== "notation") {
    const byKey = keys.length === 0 ? undefined : () => verifyWithKeys(evidence, keys, expected);
    return await byKeyOrIdentity(evidence, byKey, async () => await verifyKeyless(evidence, keyless, expected));
  }
  const trusted = evidence.kind === "notation" ? authorities.anchors.length : keys.length;
  if (trusted > 0) return evidence.kind === "notation" ? await verifyNotation(evidence, authorities, expected) : verifyWithKeys(evidence, keys, expected);
  if (evidence.kind === "unreadable") throw new Refused("unreadable", evidence.reason);
  throw new Refused(
    "signer",
    evidence.kind === "notation" ? "it was made with a certificate, and no authority is trusted (--ca)" : "it was made with a key, and none is trusted (--key)",
  );
}

/** Anybody may put a certificate beside a signature that a key has made: the key is asked first. */
export async function byKeyOrIdentity<T>(evidence: Evidence, byKey: (() => T) | undefined, byIdentity: () => Promise<T>): Promise<T> {
  try {
    if (byKey !== undefined) return byKey();
  } catch (error) {
    if (!(error instanceof Refused) || error.refusal !== "signer" || !isKeyless(evidence)) throw error;
  }
  return await byIdentity();
}

export function namedKey({ pem, name = "the key" }: PublicKeySource): NamedKey {
  return { ...readPublicKey(pem, name), name };
}

export function acceptedRepositories(reference: Reference, others: readonly string[] = []): readonly string[] {
  return [repositoryName(reference), ...others.map((one) => repositoryName(parseReference(one)))];
}

/** `what`: "signature", "attestation of type …" */
export function refusal(reference: Reference, digest: Digest, { refused: attempts, unread }: Omit<Findings<unknown>, "accepted">, what: string): SlipwayError {
  const image = familiarName(withDigest(reference, digest));
  const details = { reference: formatReference(withDigest(reference, digest)), digest, attempts, unread, bare: true };
  if (attempts.length + unread.length === 0) {
    return new SlipwayError("denied", "SIGNATURE_MISSING", `${image} has no ${what}`, { ...details, exitCode: unsignedExitCode });
  }
  const lines = attempts.map(({ format, manifest, message }) => `\n  ${format} ${manifest}: ${message}`);
  const rest = unread.map((why) => `\n  not all was looked at: ${why}`);
  const message = `${image}: no ${what} is accepted${[...lines, ...rest].join("")}`;
  return new SlipwayError("denied", "SIGNATURE_REFUSED", message, { ...details, exitCode: refusedExitCode });
}
