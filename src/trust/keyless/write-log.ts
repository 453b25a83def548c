/** New entries of transparency logs, as bundles have them: of Rekor 1, which promises and tells the time, and of Rekor 2, which proves. */
import { hash, type X509Certificate } from "node:crypto";
import type { SerializedBundle } from "@sigstore/bundle";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import { envelopeObject, preAuthEncoding, type Envelope } from "../signatures/dsse.ts";
import { callService } from "./call-service.ts";
import { logEntry, tiledLogEntry } from "./log-entry.ts";
import type { LogService } from "./services.ts";

export type TransparencyLogEntry = SerializedBundle["verificationMaterial"]["tlogEntries"][number];

export interface LogCall {
  /** what no message may have in it */
  readonly secret: string;
  readonly signal: AbortSignal | undefined;
}

const json = "application/json";
const limits = { maxBytes: 4 << 20, maxDepth: 16 };

/** Fails with KEYLESS_REFUSED (denied), KEYLESS_UNAVAILABLE (unavailable), KEYLESS_INVALID (data_loss). */
export async function writeToLog(service: LogService, envelope: Envelope, certificate: X509Certificate, call: LogCall): Promise<TransparencyLogEntry> {
  const { path, proposal, read } = kinds[service.version];
  const url = `${withoutSlash(service.url)}${path}`;
  const body = JSON.stringify(proposal(envelope, certificate));
  const answer = parseAnswer(await callService({ ...call, url, failing: "took no entry", contentType: json, body }), url);
  try {
    return read(answer, (why) => invalidAnswer(url, why));
  } catch (error) {
    throw isSlipwayError(error, "INVALID_DOCUMENT") ? invalidAnswer(url, error.message) : error;
  }
}

interface Kind {
  readonly path: string;
  readonly proposal: (envelope: Envelope, certificate: X509Certificate) => object;
  readonly read: (answer: Fields, fail: (why: string) => Error) => TransparencyLogEntry;
}

const kinds: Readonly<Record<LogService["version"], Kind>> = {
  1: {
    path: "/api/v1/log/entries",
    proposal: (envelope, certificate) => {
      const verifiers = [Buffer.from(certificate.toString()).toString("base64")];
      return { apiVersion: "0.0.1", kind: "dsse", spec: { proposedContent: { envelope: JSON.stringify(envelopeObject(envelope)), verifiers } } };
    },
    read: logEntry,
  },
  2: {
    path: "/api/v2/log/entries",
    // of an envelope, as of anything, the log keeps the hash of what was signed
    proposal: ({ payloadType, payload, signatures }, certificate) => ({
      hashedRekordRequestV002: {
        digest: hash("sha256", preAuthEncoding(payloadType, payload), "base64"),
        signature: {
          content: signatures[0]?.sig.toString("base64"),
          verifier: { x509Certificate: { rawBytes: certificate.raw.toString("base64") }, keyDetails: "PKIX_ECDSA_P256_SHA_256" },
        },
      },
    }),
    read: tiledLogEntry,
  },
};

export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

export function parseAnswer(bytes: Buffer, url: string): Fields {
  try {
    return new Fields(parseJsonObject(bytes, "answer", limits), "answer");
  } catch (error) {
    throw invalidAnswer(url, error instanceof Error ? error.message : String(error));
  }
}

export function invalidAnswer(url: string, why: string): SlipwayError {
  return new SlipwayError("data_loss", "KEYLESS_INVALID", `${url} ${why}`, { url, bare: true });
}
