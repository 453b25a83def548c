/** Sigstore's bundles: an envelope with what is needed to verify it. @see github.com/sigstore/protobuf-specs, sigstore_bundle.proto */
import { Fields, isObject, parseJsonObject, type Json, type JsonObject } from "../../oci/bounded-json.ts";
import { envelopeObject, parseEnvelope, type Envelope } from "./dsse.ts";

export const bundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

const bundlePattern = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.3\+json|\+json;version=0\.[123])$/;
const maxDepth = 64;

export interface Bundle {
  readonly envelope: Envelope;
  /** the name that the signer gave to its key; nothing that could be trusted */
  readonly keyHint: string | undefined;
  readonly hasCertificate: boolean;
  /** the signer's, as base64 of DER; undefined also where it is not as it should be */
  readonly certificate: string | undefined;
}

export function isBundleMediaType(mediaType: string): boolean {
  return bundlePattern.test(mediaType);
}

/** Fails with INVALID_DOCUMENT, also for bundles that sign a file instead of a statement. */
export function parseBundle(bytes: Uint8Array): Bundle {
  const fields = new Fields(parseJsonObject(bytes, "bundle", { maxBytes: bytes.length, maxDepth }), "bundle");
  if (!isBundleMediaType(fields.requiredString("mediaType"))) throw fields.fail("mediaType", bundleMediaType);
  const envelope = fields.child("dsseEnvelope");
  if (envelope === undefined) throw fields.fail("dsseEnvelope", "an envelope: a signature over a file is none over an image");
  const material = fields.child("verificationMaterial");
  return {
    envelope: parseEnvelope(envelope),
    keyHint: material?.child("publicKey")?.string("hint"),
    hasCertificate: material?.get("certificate") !== undefined || material?.get("x509CertificateChain") !== undefined,
    certificate: material === undefined ? undefined : certificateIn(material),
  };
}

/** Later versions have one certificate, former ones a chain. */
function certificateIn(material: Fields): string | undefined {
  const chain = asObject(material.get("x509CertificateChain"))?.["certificates"];
  const [first] = Array.isArray(chain) ? (chain as readonly Json[]) : [];
  const bytes = (asObject(material.get("certificate")) ?? asObject(first))?.["rawBytes"];
  return typeof bytes === "string" ? bytes : undefined;
}

function asObject(value: Json | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** A bundle that a public key verifies, with nothing of a transparency log. */
export function formatKeyBundle(envelope: Envelope, fingerprint: Buffer): Buffer {
  const verificationMaterial = { publicKey: { hint: fingerprint.toString("base64") } };
  return Buffer.from(JSON.stringify({ mediaType: bundleMediaType, verificationMaterial, dsseEnvelope: envelopeObject(envelope) }));
}
