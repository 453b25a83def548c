/** Holds one of notation's signatures against certificates that are trusted. */
import type { X509Certificate } from "node:crypto";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import { describeKey } from "../keys/index.ts";
import { Refused, type Evidence } from "../signatures/evidence.ts";
import { checkAnnotations, type Claim, type Expectation } from "../signatures/expectation.ts";
import type { CertificateSigner } from "../signatures/signer.ts";
import { algorithmOf } from "./algorithm.ts";
import { checkChain, nameOf, parseChain, thumbprint } from "./chain.ts";
import { parseCose } from "./cose.ts";
import type { SignedContent } from "./envelope.ts";
import { parseJws } from "./jws.ts";

export const jwsMediaType = "application/jose+json";
export const coseMediaType = "application/cose";

export interface Authorities {
  /** certificates that a chain has to have one of */
  readonly anchors: readonly X509Certificate[];
  /** attributes that the signer's subject has to have, all of one of these lists: { CN: "release", O: "Acme" }; none: any signer */
  readonly subjects: readonly Readonly<Record<string, string>>[];
  readonly now: Date;
  /** authorities whose time stamps count */
  readonly timestampAnchors: readonly X509Certificate[];
}

export interface VerifiedNotation {
  readonly signer: CertificateSigner;
  readonly claim: Claim;
}

const parsers: Readonly<Record<string, (bytes: Uint8Array) => SignedContent>> = { [jwsMediaType]: parseJws, [coseMediaType]: parseCose };

/** Throws Refused, INVALID_DOCUMENT, KEY_UNSUPPORTED. */
export async function verifyNotation(
  evidence: Evidence & { readonly kind: "notation" },
  authorities: Authorities,
  expected: Expectation,
): Promise<VerifiedNotation> {
  const parse = Object.hasOwn(parsers, evidence.mediaType) ? parsers[evidence.mediaType] : undefined;
  if (parse === undefined) throw new Refused("unreadable", `its envelope is ${evidence.mediaType}`);
  const content = parse(evidence.bytes);
  const chain = parseChain(content.certificates);
  const leaf = await holdingLeaf(chain, content, authorities);
  const algorithm = algorithmOf(leaf.publicKey, nameOf(leaf));
  if (!content.isSignedBy(leaf.publicKey, algorithm)) throw new Refused("signer", "it was not made with the key of its certificate, or was changed since");
  const anchor = chain.find((certificate) => authorities.anchors.some((one) => one.raw.equals(certificate.raw)));
  if (anchor === undefined) throw new Refused("signer", `it ends at ${nameOf(chain.at(-1) ?? leaf)}, which is not trusted`);
  checkSubject(leaf, authorities.subjects);
  if (content.expiry !== undefined && !(authorities.now <= content.expiry)) throw new Refused("certificate", "it has expired by its own words");
  const description = describeKey(leaf.publicKey, nameOf(leaf));
  const signer: CertificateSigner = {
    kind: "certificate",
    name: nameOf(leaf),
    description,
    fingerprint: `sha256:${thumbprint(leaf)}`,
    authority: nameOf(anchor),
  };
  return { signer, claim: claimOf(content.payload, expected) };
}

/** The chain holds now, or held when a trusted authority stamped the signature. */
async function holdingLeaf(
  chain: readonly X509Certificate[],
  { timeStamp, signature }: SignedContent,
  { now, timestampAnchors }: Authorities,
): Promise<X509Certificate> {
  try {
    return await checkChain(chain, now);
  } catch (error) {
    if (!(error instanceof Refused) || timeStamp === undefined || timestampAnchors.length === 0) throw error;
    const { stampedTime } = await import("./time-stamp.ts");
    const { earliest, latest } = await stampedTime(timeStamp, signature, timestampAnchors);
    await checkChain(chain, earliest);
    return await checkChain(chain, latest);
  }
}

function checkSubject(leaf: X509Certificate, subjects: Authorities["subjects"]): void {
  if (subjects.length === 0) return;
  // what is special in a name is written "\\,"; control characters stay written as they are
  const attributes = leaf.subject.split("\n").map((attribute) => attribute.replaceAll(/\\([^0-9A-Fa-f])/g, "$1"));
  const fits = subjects.some((wanted) => Object.entries(wanted).every(([name, value]) => attributes.includes(`${name}=${value}`)));
  if (!fits) throw new Refused("signer", `it was made by ${nameOf(leaf)}`);
}

/** Notation signs a descriptor and names no repository: it counts for the digest, wherever that is. */
function claimOf(payload: Uint8Array, expected: Expectation): Claim {
  const artifact = new Fields(
    parseJsonObject(payload, "signed payload", { maxBytes: payload.length, maxDepth: 16, isUnambiguous: true }),
    "signed payload",
  ).child("targetArtifact");
  const digest = artifact?.string("digest");
  if (digest !== expected.digest) throw new Refused("subject", `it is about ${digest ?? "nothing"}`);
  const annotations = artifact?.stringMap("annotations") ?? {};
  checkAnnotations(expected, annotations);
  return { reference: undefined, annotations };
}
