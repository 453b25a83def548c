/** `signatures`: all that a repository has about an image that says to be one, whoever made it. Nothing of it is verified. */
import { X509Certificate } from "node:crypto";
import { isSlipwayError } from "../../base/errors.ts";
import { formatReference, parseReference, withDefaultTag, withDigest } from "../../oci/reference.ts";
import { certificateClaims } from "../../trust/keyless/index.ts";
import { claimedLeaf } from "../../trust/notation/index.ts";
import { parseBundle } from "../../trust/signatures/bundle.ts";
import { Refused, type Evidence } from "../../trust/signatures/evidence.ts";
import { findEvidence } from "../../trust/signatures/find-evidence.ts";
import { certificateAnnotation, parseSimpleSigning } from "../../trust/signatures/simple-signing.ts";
import { parseStatement } from "../../trust/signatures/statement.ts";
import type { ListedSignature, ListOptions, SignatureList } from "../trust-api.ts";
import { placeOf, type SigningSurroundings } from "./sign.ts";

export async function signatures({ client }: SigningSurroundings, name: string, { signatureRepository, signal }: ListOptions): Promise<SignatureList> {
  const reference = withDefaultTag(parseReference(name));
  const registry = await client();
  const { digest } = (await registry.resolve(reference, { signal })).descriptor;
  const listed: ListedSignature[] = [];
  const unread: string[] = [];
  const query = {
    client: registry,
    reference: placeOf(reference, signatureRepository),
    digest,
    wanted: "signatures",
    signal,
    onUnread: (why: string) => void unread.push(why),
  } as const;
  for await (const evidence of findEvidence(query)) {
    const { format, manifest } = evidence;
    const claims = await readable(() => claimsOf(evidence));
    listed.push({
      format,
      manifest,
      isReadable: claims !== undefined,
      claimedBy: claims?.by,
      claimedFor: claims?.for,
      sizeBytes: "bytes" in evidence ? evidence.bytes.length : 0,
    });
  }
  return { reference: formatReference(withDigest(reference, digest)), signatures: listed, unread };
}

interface Claims {
  readonly by: string | undefined;
  readonly for: string | undefined;
}

async function readable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Refused || isSlipwayError(error)) return undefined;
    throw error;
  }
}

async function claimsOf(evidence: Evidence): Promise<Claims> {
  switch (evidence.kind) {
    case "bundle": {
      const { envelope, keyHint, certificate } = parseBundle(evidence.bytes);
      const [subject] = parseStatement(envelope.payload).subjects;
      const by = certificate === undefined ? keyName(keyHint) : await holderOf(Buffer.from(certificate, "base64"));
      return { by, for: subject?.name || undefined };
    }
    case "simple-signing": {
      const pem = evidence.annotations[certificateAnnotation];
      const by = pem === undefined ? "a key" : await holderOf(derOf(pem));
      return { by, for: parseSimpleSigning(evidence.bytes).reference || undefined };
    }
    case "notation": {
      const by = claimedLeaf(evidence.mediaType, evidence.bytes);
      if (by === undefined) throw new Refused("unreadable", "it is no signature of notation's");
      return { by, for: undefined };
    }
    case "envelope":
    case "unreadable":
      throw new Refused("unreadable", "it is none");
  }
}

/** As `key generate` prints it. */
function keyName(hint: string | undefined): string {
  const bytes = Buffer.from(hint ?? "", "base64");
  return bytes.length === 32 ? `the key sha256:${bytes.toString("hex")}` : "a key";
}

function derOf(pem: string): Uint8Array {
  try {
    return new X509Certificate(pem).raw;
  } catch {
    return Buffer.alloc(0);
  }
}

async function holderOf(der: Uint8Array): Promise<string> {
  const { name, issuer } = (await certificateClaims(der)) ?? {};
  if (name === undefined) return "a certificate";
  return issuer === undefined ? name : `${name}, as ${issuer} says`;
}
