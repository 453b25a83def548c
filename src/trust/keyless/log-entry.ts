/** What a transparency log answers to a new entry, as bundles have it. @see github.com/sigstore/protobuf-specs, sigstore_rekor.proto */
import type { SerializedBundle } from "@sigstore/bundle";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";

type TransparencyLogEntry = SerializedBundle["verificationMaterial"]["tlogEntries"][number];

const limits = { maxBytes: 4 << 20, maxDepth: 16 };

/** `fail` makes the error for an answer that lacks something. Answers have one entry, under an id. */
export function logEntry(answer: Fields, fail: (why: string) => Error): TransparencyLogEntry {
  const [id = ""] = Object.keys(answer.object);
  const entry = answer.child(id);
  const [body, logId] = [entry?.string("body"), entry?.string("logID")];
  const [index, time] = [entry?.integer("logIndex"), entry?.integer("integratedTime")];
  const verification = entry?.child("verification");
  const proof = verification?.child("inclusionProof");
  if (body === undefined || logId === undefined || index === undefined || time === undefined || verification === undefined)
    throw fail("answered with something that is no entry");
  const promise = verification.string("signedEntryTimestamp");
  return {
    logIndex: String(index),
    logId: { keyId: Buffer.from(logId, "hex").toString("base64") },
    kindVersion: kindOf(body),
    integratedTime: String(time),
    inclusionPromise: promise === undefined ? undefined : { signedEntryTimestamp: promise },
    inclusionProof: proof === undefined ? undefined : proofOf(proof),
    canonicalizedBody: body,
  } as TransparencyLogEntry;
}

function kindOf(body: string): { readonly kind: string; readonly version: string } {
  const fields = new Fields(parseJsonObject(Buffer.from(body, "base64"), "entry", limits), "entry");
  return { kind: fields.requiredString("kind"), version: fields.requiredString("apiVersion") };
}

/** An entry of a log that proves and tells no time, as it answers. `fail` makes the error for an answer that lacks something. */
export function tiledLogEntry(answer: Fields, fail: (why: string) => Error): TransparencyLogEntry {
  const [body, proof, kind] = [answer.string("canonicalizedBody"), answer.child("inclusionProof"), answer.child("kindVersion")];
  const keyId = answer.child("logId")?.string("keyId");
  const envelope = proof?.child("checkpoint")?.string("envelope");
  if (body === undefined || proof === undefined || kind === undefined || keyId === undefined || envelope === undefined)
    throw fail("answered with something that is no entry");
  return {
    logIndex: numberIn(answer, "logIndex"),
    logId: { keyId },
    kindVersion: { kind: kind.requiredString("kind"), version: kind.requiredString("version") },
    inclusionProof: {
      logIndex: numberIn(proof, "logIndex"),
      rootHash: proof.requiredString("rootHash"),
      treeSize: numberIn(proof, "treeSize"),
      hashes: proof.strings("hashes") ?? [],
      checkpoint: { envelope },
    },
    canonicalizedBody: body,
  } as unknown as TransparencyLogEntry;
}

/** Numbers of 64 bits are texts in protobuf's JSON, and left out where they are 0. */
function numberIn(fields: Fields, key: string): string {
  return typeof fields.get(key) === "number" ? String(fields.integer(key)) : (fields.string(key) ?? "0");
}

/** An entry as cosign's annotations have it. Fails with INVALID_DOCUMENT. */
export function olderLogEntry(annotated: Fields): TransparencyLogEntry {
  const payload = annotated.child("Payload");
  const [index, time] = [payload?.integer("logIndex"), payload?.integer("integratedTime")];
  if (payload === undefined || index === undefined || time === undefined) throw annotated.fail("Payload", "an entry of a log");
  const body = payload.requiredString("body");
  return {
    logIndex: String(index),
    logId: { keyId: Buffer.from(payload.requiredString("logID"), "hex").toString("base64") },
    kindVersion: kindOf(body),
    integratedTime: String(time),
    inclusionPromise: { signedEntryTimestamp: annotated.requiredString("SignedEntryTimestamp") },
    canonicalizedBody: body,
  } as unknown as TransparencyLogEntry;
}

function proofOf(proof: Fields): object {
  const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");
  return {
    logIndex: String(proof.integer("logIndex")),
    rootHash: base64(proof.requiredString("rootHash")),
    treeSize: String(proof.integer("treeSize")),
    hashes: (proof.strings("hashes") ?? []).map(base64),
    checkpoint: { envelope: proof.requiredString("checkpoint") },
  };
}
