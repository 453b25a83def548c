/** A transparency log of the second kind, as Rekor 2 is: it promises nothing and tells no time; a signed checkpoint and a path of hashes prove that an entry is in it. */
import { generateKeyPairSync, hash, sign } from "node:crypto";
import { canonicalJson } from "../../src/base/canonical-json.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { parseIdentityToken } from "../../src/trust/keyless/identity-token.ts";
import { keylessBundle } from "../../src/trust/keyless/sign-keyless.ts";
import { formatStatement, signaturePredicateType } from "../../src/trust/signatures/statement.ts";
import type { KeylessServer } from "./keyless-services.ts";
import { manifestType, sha256 as digestText, type Repository } from "./repository.ts";

export interface LoggedBundle {
  readonly verificationMaterial: {
    readonly certificate: { readonly rawBytes: string };
    readonly tlogEntries: readonly object[];
    readonly timestampVerificationData: { readonly rfc3161Timestamps: readonly object[] };
  };
  readonly dsseEnvelope: { readonly payload: string; readonly payloadType: string; readonly signatures: readonly { readonly sig: string }[] };
}

export interface TiledEntry {
  readonly logIndex: string;
  readonly logId: { keyId: string };
  readonly kindVersion: { kind: string; version: string };
  readonly inclusionProof: { logIndex: string; treeSize: string; rootHash: string; hashes: string[]; checkpoint: { envelope: string } };
  canonicalizedBody: string;
}

export interface TiledLog {
  /** as a trusted root has it */
  readonly trusted: object;
  write(bundle: LoggedBundle, kind: "hashedrekord" | "dsse"): TiledEntry;
  /** Answers a request to its API as it does, also where numbers are left out. */
  answer(body: string): object;
}

const host = "log2025.rekor.test";

function sha256(...parts: readonly (string | Uint8Array)[]): Buffer {
  return hash("sha256", Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))), "buffer");
}

function preAuthEncoding({ payload, payloadType }: LoggedBundle["dsseEnvelope"]): Buffer {
  const bytes = Buffer.from(payload, "base64");
  return Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} `), bytes]);
}

/** @see github.com/sigstore/rekor-tiles, pkg/types */
function specOf({ dsseEnvelope, verificationMaterial }: LoggedBundle, kind: "hashedrekord" | "dsse"): object {
  const verifier = { x509Certificate: verificationMaterial.certificate, keyDetails: "PKIX_ECDSA_P256_SHA_256" };
  const content = dsseEnvelope.signatures[0]?.sig;
  const digestOf = (bytes: Buffer): object => ({ algorithm: "SHA2_256", digest: sha256(bytes).toString("base64") });
  if (kind === "hashedrekord") return { hashedRekordV002: { data: digestOf(preAuthEncoding(dsseEnvelope)), signature: { content, verifier } } };
  return { dsseV002: { payloadHash: digestOf(Buffer.from(dsseEnvelope.payload, "base64")), signatures: [{ content, verifier }] } };
}

export function createTiledLog(): TiledLog {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const spki = publicKey.export({ type: "spki", format: "der" });
  // a signed note's id of an Ed25519 key
  const keyId = sha256(`${host}\n`, Buffer.from([1]), spki.subarray(-32));
  const validFor = { start: "2000-01-01T00:00:00Z" };
  const append = (kind: "hashedrekord" | "dsse", spec: object): TiledEntry => {
    const body = Buffer.from(canonicalJson({ apiVersion: "0.0.2", kind, spec }));
    const [other, own] = [sha256(Buffer.from([0]), "another entry"), sha256(Buffer.from([0]), body)];
    const root = sha256(Buffer.from([1]), other, own);
    const note = `${host}\n2\n${root.toString("base64")}\n`;
    const witness = `\u2014 witness.test ${Buffer.alloc(68, 7).toString("base64")}\n`;
    const signature = `\u2014 ${host} ${Buffer.concat([keyId.subarray(0, 4), sign(null, Buffer.from(note), privateKey)]).toString("base64")}\n`;
    return {
      logIndex: "1",
      logId: { keyId: keyId.toString("base64") },
      kindVersion: { kind, version: "0.0.2" },
      inclusionProof: {
        logIndex: "1",
        treeSize: "2",
        rootHash: root.toString("base64"),
        hashes: [other.toString("base64")],
        checkpoint: { envelope: `${note}\n${signature}${witness}` },
      },
      canonicalizedBody: body.toString("base64"),
    };
  };
  return {
    trusted: {
      baseUrl: `https://${host}`,
      hashAlgorithm: "SHA2_256",
      publicKey: { rawBytes: spki.toString("base64"), keyDetails: "PKIX_ED25519", validFor },
      logId: { keyId: keyId.toString("base64") },
    },
    write: (bundle, kind) => append(kind, specOf(bundle, kind)),
    answer: (body) => {
      const { digest, signature } = (JSON.parse(body) as { readonly hashedRekordRequestV002: { readonly digest: string; readonly signature: object } })
        .hashedRekordRequestV002;
      return append("hashedrekord", { hashedRekordV002: { data: { algorithm: "SHA2_256", digest }, signature } });
    },
  };
}

/** A signature with a time stamp and no entry. */
export async function stampedBundle(services: KeylessServer, token: string, name: string, digest: string): Promise<LoggedBundle> {
  const statement = formatStatement({ name, digest: digest as Digest, predicateType: signaturePredicateType, predicate: {} });
  const stampOnly = { fulcioUrl: services.url, logs: [], timestampUrls: [services.url] };
  return JSON.parse((await keylessBundle(statement, { token: parseIdentityToken(token, new Date()), services: stampOnly })).toString()) as LoggedBundle;
}

export function tiledBundle(
  bundle: LoggedBundle,
  log: TiledLog,
  kind: "hashedrekord" | "dsse",
  parts: { readonly entry: TiledEntry; readonly stamps: readonly object[] } = {
    entry: log.write(bundle, kind),
    stamps: bundle.verificationMaterial.timestampVerificationData.rfc3161Timestamps,
  },
): object {
  const timestampVerificationData = { rfc3161Timestamps: parts.stamps };
  return { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries: [parts.entry], timestampVerificationData } };
}

export async function attachBundle(repository: Repository, digest: string, bundle: object): Promise<void> {
  const type = "application/vnd.dev.sigstore.bundle.v0.3+json";
  const layer = await repository.pushBlob(JSON.stringify(bundle), type);
  const config = await repository.pushBlob("{}", "application/vnd.oci.empty.v1+json");
  const subject = { mediaType: manifestType, digest, size: 1 };
  const annotations = { "dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": signaturePredicateType };
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, artifactType: type, config, layers: [layer], subject, annotations });
  await repository.pushManifest(digestText(manifest), manifest);
}
