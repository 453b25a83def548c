/** Attestations for an identity as cosign 1 and 2 wrote them: an envelope under the tag `.att`, with certificate, log entry and time stamp in annotations. */
import { generateKeyPairSync, hash, randomBytes, sign, X509Certificate } from "node:crypto";
import { timestampRequest } from "../../src/trust/keyless/timestamp-request.ts";
import type { KeylessServer } from "./keyless-services.ts";
import { manifestType, type Repository } from "./repository.ts";

export interface OlderAttestation {
  readonly repository: Repository;
  readonly digest: string;
  readonly token: string;
  readonly subject: string;
  readonly services: KeylessServer;
  readonly entry: "intoto" | "none";
  readonly stamp: "envelope" | "none";
  /** sees what the log is to write, and what is put there */
  readonly change?: (parts: OlderParts) => void;
}

export interface OlderParts {
  /** of the entry */
  hashed: string;
  certificate: string;
  /** what is stamped */
  stamped: Buffer;
  annotations: Record<string, string>;
}

type LogAnswer = Readonly<Record<string, { readonly body: string; readonly verification: { readonly signedEntryTimestamp: string } }>>;

async function post(url: string, body: string | Uint8Array<ArrayBuffer>): Promise<Buffer> {
  const response = await fetch(url, { method: "POST", body });
  return Buffer.from(await response.arrayBuffer());
}

async function certify({ services, token, subject }: OlderAttestation, pem: string, proof: Buffer): Promise<string> {
  const publicKeyRequest = { publicKey: { algorithm: "ECDSA", content: pem }, proofOfPossession: proof.toString("base64") };
  const asked = JSON.stringify({ credentials: { oidcIdentityToken: token }, publicKeyRequest, subject });
  const answer = JSON.parse((await post(`${services.url}/api/v2/signingCert`, asked)).toString()) as {
    readonly signedCertificateEmbeddedSct: { readonly chain: { readonly certificates: readonly string[] } };
  };
  return new X509Certificate(answer.signedCertificateEmbeddedSct.chain.certificates[0] ?? "").toString();
}

async function logged({ services }: OlderAttestation, { hashed, certificate }: OlderParts): Promise<string> {
  const content = { hash: { algorithm: "sha256", value: hashed } };
  const entry = { apiVersion: "0.0.1", kind: "intoto", spec: { content, publicKey: Buffer.from(certificate).toString("base64") } };
  const answer = JSON.parse((await post(`${services.url}/api/v1/log/entries`, JSON.stringify(entry))).toString()) as LogAnswer;
  const [written] = Object.values(answer);
  const { verification, ...Payload } = written ?? { verification: undefined };
  return JSON.stringify({ SignedEntryTimestamp: verification?.signedEntryTimestamp, Payload });
}

/** Puts an attestation of OpenVEX beside the image. */
export async function attestOlder(request: OlderAttestation): Promise<void> {
  const { repository, digest, services, subject, entry, stamp, change = () => undefined } = request;
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await certify(request, publicKey.export({ type: "spki", format: "pem" }).toString(), sign("sha256", Buffer.from(subject), privateKey));
  const about = [{ name: repository.name, digest: { sha256: digest.slice(7) } }];
  const statement = { _type: "https://in-toto.io/Statement/v0.1", subject: about, predicateType: "https://openvex.dev/ns", predicate: { statements: [] } };
  const payload = Buffer.from(JSON.stringify(statement));
  const payloadType = "application/vnd.in-toto+json";
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload]);
  const signatures = [{ sig: sign("sha256", signed, privateKey).toString("base64") }];
  const envelope = Buffer.from(JSON.stringify({ payloadType, payload: payload.toString("base64"), signatures }));
  const parts: OlderParts = { hashed: hash("sha256", envelope), certificate, stamped: envelope, annotations: {} };
  change(parts);
  const bundle = entry === "none" ? {} : { "dev.sigstore.cosign/bundle": await logged(request, parts) };
  const stamping = async (): Promise<string> =>
    (await post(`${services.url}/api/v1/timestamp`, new Uint8Array(timestampRequest(parts.stamped, randomBytes(8))))).toString("base64");
  const stamps = stamp === "none" ? {} : { "dev.sigstore.cosign/rfc3161timestamp": JSON.stringify({ SignedRFC3161Timestamp: await stamping() }) };
  const annotations = {
    "dev.sigstore.cosign/certificate": certificate,
    "dev.sigstore.cosign/chain": "",
    predicateType: statement.predicateType,
    ...bundle,
    ...stamps,
  };
  const layer = await repository.pushBlob(envelope, "application/vnd.dsse.envelope.v1+json");
  const config = await repository.pushBlob("{}", "application/vnd.oci.image.config.v1+json");
  const layers = [{ ...layer, annotations: { ...annotations, ...parts.annotations } }];
  await repository.pushManifest(`${digest.replace(":", "-")}.att`, JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers }));
}
