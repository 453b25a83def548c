/** Notation's signatures as JSON Web Signatures. @see notaryproject/specifications, signature-envelope-jws.md */
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import { rfc3339 } from "../signatures/write-evidence.ts";
import { verifyBytes } from "./algorithm.ts";
import { agentHeader, checkHeaders, expiryHeader, payloadContentType, schemeHeader, signingAgent, stampHeader, timeHeader, x509Scheme } from "./envelope.ts";
import type { NewContent, SignedContent } from "./envelope.ts";

const maxDepth = 16;

function base64url(value: string | Buffer): string {
  return Buffer.from(value).toString("base64url");
}

export async function formatJws({ payload, certificates, algorithm, signingTime, sign, stamp }: NewContent): Promise<Buffer> {
  const header = {
    alg: algorithm.jws,
    crit: [schemeHeader],
    cty: payloadContentType,
    [schemeHeader]: x509Scheme,
    [timeHeader]: rfc3339(signingTime),
  };
  const [head, body] = [base64url(JSON.stringify(header)), base64url(payload)];
  const signature = sign(Buffer.from(`${head}.${body}`));
  const token = await stamp?.(signature);
  const stamped = token === undefined ? {} : { [stampHeader]: Buffer.from(token).toString("base64") };
  const x5c = certificates.map((der) => Buffer.from(der).toString("base64"));
  return Buffer.from(
    JSON.stringify({ payload: body, protected: head, header: { x5c, [agentHeader]: signingAgent, ...stamped }, signature: signature.toString("base64url") }),
  );
}

/** Throws Refused, INVALID_DOCUMENT. */
export function parseJws(bytes: Uint8Array): SignedContent {
  const envelope = new Fields(parseJsonObject(bytes, "JWS", { maxBytes: bytes.length, maxDepth }), "JWS");
  const [body, head] = [envelope.requiredString("payload"), envelope.requiredString("protected")];
  const signature = Buffer.from(envelope.requiredString("signature"), "base64url");
  const headerBytes = Buffer.from(head, "base64url");
  const header = new Fields(parseJsonObject(headerBytes, "JWS header", { maxBytes: headerBytes.length, maxDepth, isUnambiguous: true }), "JWS header");
  checkHeaders({ critical: header.strings("crit") ?? [], contentType: header.string("cty"), scheme: header.string(schemeHeader) });
  const expiry = header.string(expiryHeader);
  const stamp = envelope.child("header")?.string(stampHeader);
  const alg = header.requiredString("alg");
  return {
    payload: Buffer.from(body, "base64url"),
    signature,
    timeStamp: stamp === undefined ? undefined : Buffer.from(stamp, "base64"),
    certificates: (envelope.child("header")?.strings("x5c") ?? []).map((der) => Buffer.from(der, "base64")),
    expiry: expiry === undefined ? undefined : new Date(expiry),
    isSignedBy: (key, algorithm) => alg === algorithm.jws && verifyBytes(algorithm, Buffer.from(`${head}.${body}`), key, signature),
  };
}
