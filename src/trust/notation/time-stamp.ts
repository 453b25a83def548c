/**
 * Time stamps over signatures: an authority signs that it saw the signature at a time, so that the signer's certificate has to hold then and not now.
 * @see RFC 3161, 2.4.2; RFC 5652, section 5; notaryproject, trust-store-trust-policy.md, "Timestamping"
 */
import { hash, verify, X509Certificate } from "node:crypto";
import type { ASN1Obj } from "@sigstore/core";
import { Refused } from "../signatures/evidence.ts";
import { checkIssuers, nameOf } from "./chain.ts";

/** The time is between these. */
export interface StampedTime {
  readonly earliest: Date;
  readonly latest: Date;
}

const oid = {
  signedData: "1.2.840.113549.1.7.2",
  timeStampInfo: "1.2.840.113549.1.9.16.1.4",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  timeStamping: "1.3.6.1.5.5.7.3.8",
} as const;

const hashes: Readonly<Record<string, string>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};
/** with the hash in their names; plain RSA takes the signer's */
const signatureHashes: Readonly<Record<string, string | undefined>> = {
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.113549.1.1.1": undefined,
};
const maxChainLength = 10;

/** `token`: DER of a TimeStampToken. Throws Refused unless one of the anchors' holders stamped this signature. */
export async function stampedTime(token: Uint8Array, signature: Uint8Array, anchors: readonly X509Certificate[]): Promise<StampedTime> {
  try {
    return await timeOf(token, signature, anchors);
  } catch (error) {
    // what is nested otherwise than it should be fails anywhere
    throw error instanceof Refused ? error : refused("it cannot be read");
  }
}

async function timeOf(token: Uint8Array, signature: Uint8Array, anchors: readonly X509Certificate[]): Promise<StampedTime> {
  const { ASN1Obj: Parser } = await import("@sigstore/core");
  const signed = signedContent(Parser.parseBuffer(Buffer.from(token)));
  const { info, attributes, certificates, signer, digestName, signatureName, signatureValue } = signed;
  const imprint = info.subs[2];
  const imprintName = hashes[imprint?.subs[0]?.subs[0]?.toOID() ?? ""];
  if (imprintName === undefined || !equals(imprint?.subs[1]?.value, hash(imprintName, signature, "buffer"))) throw refused("it is over something else");
  if (!isOver(attributes, info, digestName)) throw refused("what it says was changed");
  const leaf = certificates.find((one) => equals(one.parsed.issuer, signer.issuer) && equals(one.parsed.serial, signer.serial))?.certificate;
  if (leaf === undefined) throw refused("its signer's certificate is not in it");
  if (!verify(signatureName ?? digestName, setOf(attributes), leaf.publicKey, signatureValue)) throw refused("it was not made with the key of its certificate");
  const time = timeIn(info);
  await checkAuthority(leaf, [...certificates.map(({ certificate }) => certificate), ...anchors], anchors, time);
  return time;
}

function refused(why: string): Refused {
  return new Refused("certificate", `its time stamp does not count: ${why}`);
}

function equals(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one !== undefined && other !== undefined && Buffer.from(one).equals(other);
}

interface SignedContent {
  readonly info: ASN1Obj;
  readonly attributes: ASN1Obj;
  readonly certificates: readonly { readonly certificate: X509Certificate; readonly parsed: { readonly issuer: Buffer; readonly serial: Buffer } }[];
  readonly signer: { readonly issuer: Buffer; readonly serial: Buffer };
  readonly digestName: string;
  readonly signatureName: string | undefined;
  readonly signatureValue: Buffer;
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("missing");
  return value;
}

/** The parts of a ContentInfo with SignedData with TSTInfo and one signer. Throws for everything else. */
function signedContent(root: ASN1Obj): SignedContent {
  const [type, content] = root.subs;
  const data = must(content?.subs[0]);
  const [, , encapsulated] = data.subs;
  if (type?.toOID() !== oid.signedData || encapsulated?.subs[0]?.toOID() !== oid.timeStampInfo) throw new Error("another content");
  const signers = must(data.subs.at(-1)).subs;
  const [, sid, digestAlgorithm, attributes, signatureAlgorithm, value] = must(signers[0]).subs;
  if (signers.length !== 1 || !must(attributes).tag.isContextSpecific(0)) throw new Error("not one signer with attributes");
  const signatureOid = must(signatureAlgorithm?.subs[0]).toOID();
  if (!Object.hasOwn(signatureHashes, signatureOid)) throw new Error("another algorithm");
  const held = data.subs.slice(3).find(({ tag }) => tag.isContextSpecific(0))?.subs ?? [];
  return {
    info: must(encapsulated.subs[1]?.subs[0]?.subs[0]),
    attributes: must(attributes),
    certificates: held.slice(0, maxChainLength).map((one) => ({ certificate: new X509Certificate(one.toDER()), parsed: namesIn(must(one.subs[0])) })),
    signer: { issuer: must(sid?.subs[0]).value, serial: must(sid?.subs[1]).value },
    digestName: must(hashes[must(digestAlgorithm?.subs[0]).toOID()]),
    signatureName: signatureHashes[signatureOid],
    signatureValue: must(value).value,
  };
}

/** Of a TBSCertificate, whose version may be left out. */
function namesIn({ subs }: ASN1Obj): { readonly issuer: Buffer; readonly serial: Buffer } {
  const first = must(subs[0]).tag.isContextSpecific(0) ? 1 : 0;
  return { serial: must(subs[first]).value, issuer: must(subs[first + 2]).value };
}

function isOver(attributes: ASN1Obj, info: ASN1Obj, digestName: string): boolean {
  const valueOf = (name: string): ASN1Obj | undefined => attributes.subs.find(({ subs }) => subs[0]?.toOID() === name)?.subs[1]?.subs[0];
  return valueOf(oid.contentType)?.toOID() === oid.timeStampInfo && equals(valueOf(oid.messageDigest)?.value, hash(digestName, info.toDER(), "buffer"));
}

/** Attributes are signed as a set, and kept under another tag. */
function setOf(attributes: ASN1Obj): Buffer {
  const der = Buffer.from(attributes.toDER());
  der[0] = 0x31;
  return der;
}

function timeIn(info: ASN1Obj): StampedTime {
  const time = info.subs[4]?.toDate().getTime() ?? NaN;
  if (Number.isNaN(time)) throw refused("it tells no time");
  const accuracy = info.subs[5]?.tag.constructed === true && info.subs[5].tag.isUniversal() ? info.subs[5].subs : [];
  const seconds = accuracy.find(({ tag }) => tag.isInteger())?.toInteger() ?? 0n;
  // parts of a second count as one
  const spanMs = (Number(seconds) + (accuracy.some(({ tag }) => !tag.isInteger()) ? 1 : 0)) * 1000;
  return { earliest: new Date(time - spanMs), latest: new Date(time + spanMs) };
}

/** From the stamp's signer to one of the anchors, all of which held at that time. */
async function checkAuthority(
  leaf: X509Certificate,
  known: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  { earliest, latest }: StampedTime,
): Promise<void> {
  const usages = leaf.keyUsage ?? [];
  if (leaf.ca || usages.length !== 1 || usages[0] !== oid.timeStamping) throw refused(`${nameOf(leaf)} is not for time stamps`);
  const chain = [leaf];
  while (!anchors.some((one) => one.raw.equals(must(chain.at(-1)).raw))) {
    const last = must(chain.at(-1));
    const issuer = known.find((one) => !chain.includes(one) && last.checkIssued(one) && last.verify(one.publicKey));
    if (issuer === undefined || chain.length === maxChainLength) throw refused(`it ends at ${nameOf(last)}, which is not trusted`);
    chain.push(issuer);
  }
  for (const certificate of chain) {
    if (earliest < certificate.validFromDate || latest > certificate.validToDate) throw refused(`${nameOf(certificate)} did not hold then`);
  }
  await checkIssuers(chain);
}
