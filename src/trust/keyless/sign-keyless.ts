/**
 * Signs with a key that lives for one signature: the authority (Fulcio) certifies it for whoever the identity token names; an entry in the log (Rekor) or
 * a time stamp proves when that was. @see github.com/sigstore/fulcio, docs/how-certificate-issuing-works.md; github.com/sigstore/rekor, types/dsse
 */
import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from "node:crypto";
import { SlipwayError } from "../../base/errors.ts";
import { bundleMediaType } from "../signatures/bundle.ts";
import { envelopeObject, signEnvelope, type Envelope } from "../signatures/dsse.ts";
import { statementPayloadType } from "../signatures/statement.ts";
import { callService } from "./call-service.ts";
import type { IdentityToken } from "./identity-token.ts";
import type { KeylessServices } from "./services.ts";
import { requestStamp } from "./request-stamp.ts";
import { invalidAnswer, parseAnswer, withoutSlash, writeToLog, type LogCall } from "./write-log.ts";

const json = "application/json";

interface Signing {
  readonly token: IdentityToken;
  readonly services: KeylessServices;
  readonly signal?: AbortSignal | undefined;
}

/** The bundle as JSON. Fails with KEYLESS_REFUSED (denied), KEYLESS_UNAVAILABLE (unavailable), KEYLESS_INVALID (data_loss). */
export async function keylessBundle(statement: Buffer, signing: Signing): Promise<Buffer> {
  const { logs, timestampUrls } = signing.services;
  if (timestampUrls.length === 0 && !logs.some(({ version }) => version === 1)) {
    const message =
      "a signature for an identity needs something that tells when it was made, as its certificate is valid for minutes: a log of Rekor 1, or a time stamp";
    throw new SlipwayError("invalid_argument", "USAGE", message);
  }
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await certify(signing, publicKey, privateKey);
  const envelope = signEnvelope(statementPayloadType, statement, (bytes) => sign("sha256", bytes, privateKey));
  const [tlogEntries, stamps] = await Promise.all([
    Promise.all(logs.map(async (log) => await writeToLog(log, envelope, certificate, call(signing)))),
    Promise.all(timestampUrls.map(async (url) => await stampTime(signing, url, envelope))),
  ]);
  const verificationMaterial = {
    certificate: { rawBytes: certificate.raw.toString("base64") },
    tlogEntries,
    timestampVerificationData: { rfc3161Timestamps: stamps.map((stamp) => ({ signedTimestamp: stamp.toString("base64") })) },
  };
  return Buffer.from(JSON.stringify({ mediaType: bundleMediaType, verificationMaterial, dsseEnvelope: envelopeObject(envelope) }));
}

function call({ token, signal }: Signing): LogCall {
  return { secret: token.text, signal };
}

/** That it holds the key, the caller proves with a signature over the token's subject. */
async function certify(signing: Signing, publicKey: KeyObject, privateKey: KeyObject): Promise<X509Certificate> {
  const { token, services } = signing;
  const body = JSON.stringify({
    credentials: { oidcIdentityToken: token.text },
    publicKeyRequest: {
      publicKey: { algorithm: "ECDSA", content: publicKey.export({ type: "spki", format: "pem" }) },
      proofOfPossession: sign("sha256", Buffer.from(token.subject), privateKey).toString("base64"),
    },
  });
  const url = `${withoutSlash(services.fulcioUrl)}/api/v2/signingCert`;
  const answer = parseAnswer(await callService({ ...call(signing), url, failing: "gave no certificate", contentType: json, body }), url);
  const chain = (answer.child("signedCertificateEmbeddedSct") ?? answer.child("signedCertificateDetachedSct"))?.child("chain")?.strings("certificates") ?? [];
  const certificate = readCertificate(chain[0] ?? "", url);
  if (!certificate.publicKey.equals(publicKey)) throw invalidAnswer(url, "certified another key");
  return certificate;
}

function readCertificate(pem: string, url: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalidAnswer(url, "gave no certificate");
  }
}

async function stampTime(signing: Signing, timestampUrl: string, { signatures }: Envelope): Promise<Buffer> {
  const url = new URL(timestampUrl).pathname === "/" ? `${withoutSlash(timestampUrl)}/api/v1/timestamp` : timestampUrl;
  return await requestStamp(url, signatures[0]?.sig ?? Buffer.alloc(0), call(signing));
}
