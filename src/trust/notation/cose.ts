/** Notation's signatures as COSE_Sign1. @see notaryproject/specifications, signature-envelope-cose.md; RFC 9052 section 4 */
import { decode, encode, Token, Type } from "cborg";
import { invalidDocument } from "../../oci/bounded-json.ts";
import { verifyBytes } from "./algorithm.ts";
import { agentHeader, checkHeaders, expiryHeader, payloadContentType, schemeHeader, signingAgent, stampHeader, timeHeader, x509Scheme } from "./envelope.ts";
import type { NewContent, SignedContent } from "./envelope.ts";

/** labels of COSE's headers */
const label = { algorithm: 1, critical: 2, contentType: 3, chain: 33 } as const;
const sign1Tag = 18;
const sign1Prefix = 0xd2;
const nothing = new Uint8Array();

const typeEncoders = {
  Date: (date: Date) => [new Token(Type.tag, 1), new Token(Type.uint, Math.floor(date.getTime() / 1000))],
};

function toBeSigned(head: Uint8Array, payload: Uint8Array): Uint8Array {
  return encode(["Signature1", head, nothing, payload]);
}

export async function formatCose({ payload, certificates, algorithm, signingTime, sign, stamp }: NewContent): Promise<Buffer> {
  const header = new Map<number | string, unknown>([
    [label.algorithm, algorithm.cose],
    [label.critical, [schemeHeader]],
    [label.contentType, payloadContentType],
    [schemeHeader, x509Scheme],
    [timeHeader, signingTime],
  ]);
  const head = encode(header, { typeEncoders });
  const ders = certificates.map((der) => Uint8Array.from(der));
  const others = new Map<number | string, unknown>([
    [label.chain, ders.length === 1 ? ders[0] : ders],
    [agentHeader, signingAgent],
  ]);
  const signature = sign(toBeSigned(head, Uint8Array.from(payload)));
  const token = await stamp?.(signature);
  if (token !== undefined) others.set(stampHeader, Uint8Array.from(token));
  return Buffer.concat([Buffer.of(sign1Prefix), encode([head, others, Uint8Array.from(payload), Uint8Array.from(signature)])]);
}

/** Throws Refused, INVALID_DOCUMENT. */
export function parseCose(bytes: Uint8Array): SignedContent {
  const message = decoded(bytes);
  if (!Array.isArray(message)) throw invalidDocument("COSE", "not a tagged COSE_Sign1");
  const [head, others, payload, signature] = message as readonly unknown[];
  if (!isBytes(head) || !(others instanceof Map) || !isBytes(payload) || !isBytes(signature))
    throw invalidDocument("COSE", "not headers, payload and signature");
  const header = decoded(head);
  if (!(header instanceof Map)) throw invalidDocument("COSE", "its protected headers are no map");
  const critical: unknown = header.get(label.critical);
  checkHeaders({ critical: Array.isArray(critical) ? critical : [], contentType: header.get(label.contentType), scheme: header.get(schemeHeader) });
  const chain: unknown = others.get(label.chain);
  const stamp: unknown = others.get(stampHeader);
  const expiry: unknown = header.get(expiryHeader);
  if (expiry !== undefined && !(expiry instanceof Date)) throw invalidDocument("COSE", "its time of expiry is no time");
  return {
    payload: Buffer.from(payload),
    signature,
    timeStamp: isBytes(stamp) ? stamp : undefined,
    certificates: (Array.isArray(chain) ? chain : [chain]).filter(isBytes),
    expiry,
    isSignedBy: (key, algorithm) => header.get(label.algorithm) === algorithm.cose && verifyBytes(algorithm, toBeSigned(head, payload), key, signature),
  };
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** Arrays within arrays without end overflow the stack, which is an error like others here. */
function decoded(bytes: Uint8Array): unknown {
  const tags = {
    1: (read: () => unknown) => new Date(Number(read()) * 1000),
    [sign1Tag]: (read: () => unknown) => read(),
  };
  try {
    return decode(Uint8Array.from(bytes), { useMaps: true, rejectDuplicateMapKeys: true, tags });
  } catch (error) {
    throw invalidDocument("COSE", "not CBOR as it should be", error);
  }
}
