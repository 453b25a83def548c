/** Whom a certificate of Fulcio names, and who vouched for that, by its own words: nothing of it is verified. @see github.com/sigstore/fulcio, docs/oid-info.md */
import type { X509Certificate } from "@sigstore/core";

export interface CertificateClaims {
  /** an address or a workflow; undefined where it names nobody so */
  readonly name: string | undefined;
  readonly issuer: string | undefined;
}

const issuerV1 = "1.3.6.1.4.1.57264.1.1";
const issuerV2 = "1.3.6.1.4.1.57264.1.8";

/** undefined where it cannot be read. */
export async function certificateClaims(der: Uint8Array): Promise<CertificateClaims | undefined> {
  const library = await import("@sigstore/core");
  try {
    const certificate = library.X509Certificate.parse(Buffer.from(der));
    return { name: certificate.subjectAltName, issuer: issuerOf(certificate) };
  } catch {
    return undefined;
  }
}

function issuerOf(certificate: X509Certificate): string | undefined {
  const later = certificate.extension(issuerV2);
  return later === undefined ? certificate.extension(issuerV1)?.value.toString() : later.valueObj.subs[0]?.value.toString();
}
