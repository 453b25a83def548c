/**
 * Signs with a key that lives for one signature: the authority (Fulcio) certifies it for whoever the identity token names; an entry in the log (Rekor) or
 * a time stamp proves when that was. @see github.com/sigstore/fulcio, docs/how-certificate-issuing-works.md; github.com/sigstore/rekor, types/dsse
 */
import { generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from "node:crypto";
import type { SerializedBundle } from "@sigstore/bundle";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import { bundleMediaType } from "../signatures/bundle.ts";
import { envelopeObject, signEnvelope, type Envelope } from "../signatures/dsse.ts";
import { statementPayloadType } from "../signatures/statement.ts";
import { callService } from "./call-service.ts";
import type { IdentityToken } from "./identity-token.ts";
import { logEntry } from "./log-entry.ts";
import { timestampRequest } from "./timestamp-request.ts";

export interface KeylessServices {
  readonly fulcioUrl: string;
  /** undefined: no entry in a log */
  readonly rekorUrl: string | undefined;
  /** undefined: no time stamp besides the log's */
  readonly timestampUrl: string | undefined;
}

export const publicServices: KeylessServices = { fulcioUrl: "https://fulcio.sigstore.dev", rekorUrl: "https://rekor.sigstore.dev", timestampUrl: undefined };

const json = "application/json";
const limits = { maxBytes: 4 << 20, maxDepth: 16 };

interface Signing {
  readonly token: IdentityToken;
  readonly services: KeylessServices;
  readonly signal?: AbortSignal | undefined;
}

/** The bundle as JSON. Fails with KEYLESS_REFUSED (denied), KEYLESS_UNAVAILABLE (unavailable), KEYLESS_INVALID (data_loss). */
export async function keylessBundle(statement: Buffer, signing: Signing): Promise<Buffer> {
  const { rekorUrl, timestampUrl } = signing.services;
  if (rekorUrl === undefined && timestampUrl === undefined) {
    const message = "a signature for an identity needs a transparency log or a time stamp: its certificate is valid for minutes";
    throw new SlipwayError("invalid_argument", "USAGE", message);
  }
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await certify(signing, publicKey, privateKey);
  const envelope = signEnvelope(statementPayloadType, statement, (bytes) => sign("sha256", bytes, privateKey));
  const [entry, stamp] = await Promise.all([
    rekorUrl === undefined ? Promise.resolve(undefined) : writeToLog(signing, withoutSlash(rekorUrl), envelope, certificate),
    timestampUrl === undefined ? Promise.resolve(undefined) : stampTime(signing, timestampUrl, envelope),
  ]);
  const verificationMaterial = {
    certificate: { rawBytes: certificate.raw.toString("base64") },
    tlogEntries: entry === undefined ? [] : [entry],
    timestampVerificationData: { rfc3161Timestamps: stamp === undefined ? [] : [{ signedTimestamp: stamp.toString("base64") }] },
  };
  return Buffer.from(JSON.stringify({ mediaType: bundleMediaType, verificationMaterial, dsseEnvelope: envelopeObject(envelope) }));
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

function call({ token, signal }: Signing): { readonly secret: string; readonly signal: AbortSignal | undefined } {
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
  if (!certificate.publicKey.equals(publicKey)) throw invalid(url, "certified another key");
  return certificate;
}

function readCertificate(pem: string, url: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid(url, "gave no certificate");
  }
}

async function writeToLog(signing: Signing, rekorUrl: string, envelope: Envelope, certificate: X509Certificate): Promise<TransparencyLogEntry> {
  const verifiers = [Buffer.from(certificate.toString()).toString("base64")];
  const body = JSON.stringify({
    apiVersion: "0.0.1",
    kind: "dsse",
    spec: { proposedContent: { envelope: JSON.stringify(envelopeObject(envelope)), verifiers } },
  });
  const url = `${rekorUrl}/api/v1/log/entries`;
  const answer = parseAnswer(await callService({ ...call(signing), url, failing: "took no entry", contentType: json, body }), url);
  try {
    return logEntry(answer, (why) => invalid(url, why));
  } catch (error) {
    throw isSlipwayError(error, "INVALID_DOCUMENT") ? invalid(url, error.message) : error;
  }
}

type TransparencyLogEntry = SerializedBundle["verificationMaterial"]["tlogEntries"][number];

async function stampTime(signing: Signing, timestampUrl: string, { signatures }: Envelope): Promise<Buffer> {
  const url = new URL(timestampUrl).pathname === "/" ? `${withoutSlash(timestampUrl)}/api/v1/timestamp` : timestampUrl;
  const body = timestampRequest(signatures[0]?.sig ?? Buffer.alloc(0), randomBytes(8));
  return await callService({ ...call(signing), url, failing: "gave no time stamp", contentType: "application/timestamp-query", body });
}

function parseAnswer(bytes: Buffer, url: string): Fields {
  try {
    return new Fields(parseJsonObject(bytes, "answer", limits), "answer");
  } catch (error) {
    throw invalid(url, error instanceof Error ? error.message : String(error));
  }
}

function invalid(url: string, why: string): SlipwayError {
  return new SlipwayError("data_loss", "KEYLESS_INVALID", `${url} ${why}`, { url, bare: true });
}
