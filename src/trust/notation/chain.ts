/**
 * Chains of certificates that sign images: the leaf first, each issued by the next, the last by itself. Node verifies names and
 * signatures; what certificates may be used for is in extensions that it does not tell. @see notaryproject, signature-specification.md
 */
import { createHash, X509Certificate } from "node:crypto";
import { describeKey } from "../keys/index.ts";
import { Refused } from "../signatures/evidence.ts";

const maxChainLength = 10;
const codeSigning = "1.3.6.1.5.5.7.3.3";
const anyUsage = "2.5.29.37.0";

/** Throws Refused for what is no certificate. */
export function parseChain(ders: readonly Uint8Array[]): readonly X509Certificate[] {
  if (ders.length === 0 || ders.length > maxChainLength)
    throw new Refused("certificate", `it has ${ders.length} certificates: 1 to ${maxChainLength} are taken`);
  try {
    return ders.map((der) => new X509Certificate(der));
  } catch {
    throw new Refused("certificate", "one of its certificates cannot be read");
  }
}

/** Throws Refused unless the whole chain holds at that time and its leaf may sign images. */
export async function checkChain(chain: readonly X509Certificate[], now: Date): Promise<X509Certificate> {
  const [leaf] = chain;
  if (leaf === undefined) throw new Refused("certificate", "it has no certificate");
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1] ?? certificate;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      throw new Refused(
        "certificate",
        `${nameOf(certificate)} was not issued by ${issuer === certificate ? "itself, and its issuer is not in the chain" : nameOf(issuer)}`,
      );
    }
    checkValidity(certificate, now);
    await checkUsage(certificate, index);
  }
  checkKey(leaf);
  return leaf;
}

/** Throws Refused unless all but the first may issue certificates. */
export async function checkIssuers(chain: readonly X509Certificate[]): Promise<void> {
  for (const [index, certificate] of chain.entries()) if (index > 0) await checkUsage(certificate, index);
}

export function nameOf({ subject }: X509Certificate): string {
  return subject.split("\n").join(", ");
}

function checkValidity(certificate: X509Certificate, now: Date): void {
  if (now < certificate.validFromDate)
    throw new Refused("certificate", `${nameOf(certificate)} is valid from ${certificate.validFromDate.toISOString()} on only`);
  if (now > certificate.validToDate) throw new Refused("certificate", `${nameOf(certificate)} expired at ${certificate.validToDate.toISOString()}`);
}

function checkKey(leaf: X509Certificate): void {
  describeKey(leaf.publicKey, nameOf(leaf));
  if (leaf.publicKey.asymmetricKeyType === "ed25519") throw new Refused("certificate", "its key is of type Ed25519");
}

async function checkUsage(certificate: X509Certificate, index: number): Promise<void> {
  const { X509Certificate: Parsed } = await import("@sigstore/core");
  let parsed;
  try {
    parsed = Parsed.parse(Buffer.from(certificate.raw));
    const { extKeyUsage, extBasicConstraints } = parsed;
    const name = nameOf(certificate);
    if (index === 0) {
      if (extBasicConstraints?.isCA === true) throw new Refused("certificate", `${name} is an authority's certificate, which signs no images`);
      if (extKeyUsage?.digitalSignature !== true) throw new Refused("certificate", `${name} may not be used for signatures`);
      const usages = certificate.keyUsage ?? [];
      if (usages.length > 0 && (!usages.includes(codeSigning) || usages.includes(anyUsage)))
        throw new Refused("certificate", `${name} is not for code signing`);
      return;
    }
    if (extBasicConstraints?.isCA !== true) throw new Refused("certificate", `${name} is no authority, and issued a certificate`);
    if (extKeyUsage?.keyCertSign !== true) throw new Refused("certificate", `${name} may not sign certificates`);
    const { pathLenConstraint } = extBasicConstraints;
    if (pathLenConstraint !== undefined && BigInt(index - 1) > pathLenConstraint)
      throw new Refused("certificate", `${name} has more authorities below it than it allows`);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused("certificate", `the extensions of ${nameOf(certificate)} cannot be read`);
  }
}

export function thumbprint(certificate: X509Certificate): string {
  return createHash("sha256").update(certificate.raw).digest("hex");
}
