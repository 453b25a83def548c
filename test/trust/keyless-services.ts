/** An authority, a transparency log and a time stamp authority in this process, over HTTP: sigstore's own mock answers. */
import { once } from "node:events";
import { generateKeyPairSync, hash, type KeyPairKeyObjectResult } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ASN1Obj } from "@sigstore/core";
import { createTiledLog } from "./tiled-log.ts";
import { fulcioHandler, initializeCA, initializeCTLog, initializeTLog, initializeTSA, rekorHandler, tsaHandler } from "@sigstore/mock";

export interface KeylessServer extends AsyncDisposable {
  readonly url: string;
  /** the trusted root that fits */
  readonly trustedRoot: Buffer;
  /** bodies of requests, by path */
  readonly requests: { readonly path: string; readonly body: string }[];
}

/** the log signs its state under its host's name */
const logUrl = "https://rekor.test";

const stampPath = "/api/v1/timestamp";
/** Fulcio says 200, and cosign wants that; the mock says 201 */
const certificates = "/api/v2/signingCert";
const log2 = "/api/v2/log/entries";
const log1 = "/api/v1/log/entries";

/** RFC 3161's question as the mock wants it. */
function questionOf(der: Buffer): string {
  const [, imprint, ...others] = ASN1Obj.parseBuffer(Buffer.from(der)).subs;
  const nonce = others.find(({ tag }) => tag.number === 2)?.value.toString("hex") ?? "0";
  const artifactHash = imprint?.subs[1]?.value.toString("base64");
  return JSON.stringify({ artifactHash, hashAlgorithm: "sha256", certificates: true, nonce: Number(BigInt(`0x${nonce}`) & 0x7fffffffn) });
}

interface ProposedEntry {
  readonly spec: { readonly proposedContent?: { readonly envelope: string; readonly verifiers: readonly string[] } };
}

interface Envelope {
  readonly payload: string;
  readonly signatures: readonly { readonly sig: string }[];
}

/** What a log writes of an envelope that is proposed: hashes and signatures, as Rekor does and its mock does not. Other entries are as they come. */
function entryOf(body: string): string {
  const { spec, ...kind } = JSON.parse(body) as ProposedEntry;
  if (spec.proposedContent === undefined) return body;
  const { envelope, verifiers } = spec.proposedContent;
  const { payload, signatures } = JSON.parse(envelope) as Envelope;
  const sha256 = (content: string | Buffer): object => ({ algorithm: "sha256", value: hash("sha256", content) });
  const written = signatures.map(({ sig: signature }, at) => ({ signature, verifier: verifiers[at] }));
  return JSON.stringify({ ...kind, spec: { envelopeHash: sha256(envelope), payloadHash: sha256(Buffer.from(payload, "base64")), signatures: written } });
}

/** cosign sends the token as it does to other services. */
function withCredentials(body: string, authorization = ""): string {
  const oidcIdentityToken = authorization.replace(/^Bearer /u, "");
  return oidcIdentityToken === "" ? body : JSON.stringify({ credentials: { oidcIdentityToken }, ...(JSON.parse(body) as object) });
}

/** As the mock wants to be asked. */
function asked({ url, headers }: IncomingMessage, body: Buffer): string {
  if (url === log1) return entryOf(body.toString());
  if (url === stampPath) return questionOf(body);
  return withCredentials(body.toString(), headers.authorization);
}

type Bytes = ArrayBufferView<ArrayBuffer>;

function base64({ buffer, byteOffset, byteLength }: Bytes): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

export async function startKeylessServer(): Promise<KeylessServer> {
  const pair = (): KeyPairKeyObjectResult => generateKeyPairSync("ec", { namedCurve: "P-256" });
  const clock = new Date();
  const [log, ctLog] = [await initializeTLog(logUrl, pair(), clock), await initializeCTLog(pair(), clock)];
  const [authority, stamps] = [await initializeCA(pair(), ctLog, clock), await initializeTSA(pair(), clock)];
  // one clock for all, of whole seconds: the mock writes others as nobody reads them; set now, for its roots are of the moment in
  // which they were made, and nothing they sign may be older
  clock.setTime(Math.floor(Date.now() / 1000) * 1000);
  const tiled = createTiledLog();
  const handlers = [fulcioHandler(authority), rekorHandler(log), tsaHandler(stamps)];
  const requests: { path: string; body: string }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bytesOf(request);
    requests.push({ path: request.url ?? "", body: body.toString() });
    const handler = handlers.find(({ path }) => path === request.url);
    if (request.url?.startsWith("/endless/") === true) {
      while (!response.destroyed) if (!response.write(Buffer.alloc(1 << 20))) await Promise.race([once(response, "drain"), once(response, "close")]);
      return;
    }
    if (request.url?.startsWith("/nonsense/") === true) return void response.end("{}");
    if (request.url === log2) return void response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(tiled.answer(body.toString())));
    if (handler === undefined) return void response.writeHead(404).end();
    const told = await handler.fn(asked(request, body));
    const text = typeof told.response === "string" ? told.response : Buffer.from(told.response.buffer, told.response.byteOffset, told.response.byteLength);
    // which of the answer's entries is the new one, sigstore's Go clients read here
    const etag = request.url === log1 && typeof text === "string" ? { etag: Object.keys(JSON.parse(text) as object)[0] } : {};
    response.writeHead(request.url === certificates ? 200 : told.statusCode, {
      ...(told.contentType === undefined ? {} : { "content-type": told.contentType }),
      ...etag,
    });
    response.end(text);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const start = "2000-01-01T00:00:00Z";
  const logOf = (publicKey: Buffer, keyId: string): object => ({
    baseUrl: logUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: publicKey.toString("base64"), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor: { start } },
    logId: { keyId },
  });
  const authorityOf = (...certificates: readonly Bytes[]): object => ({
    subject: { organization: "test", commonName: "test" },
    uri: "https://authority.test",
    certChain: { certificates: certificates.map((one) => ({ rawBytes: base64(one) })) },
    validFor: { start },
  });
  const root = {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [logOf(log.publicKey, hash("sha256", log.publicKey, "base64")), tiled.trusted],
    certificateAuthorities: [authorityOf(authority.rootCertificate)],
    ctlogs: [logOf(ctLog.publicKey, base64(ctLog.logID))],
    timestampAuthorities: [authorityOf(stamps.intCertificate, stamps.rootCertificate)],
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trustedRoot: Buffer.from(JSON.stringify(root)),
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat((await Array.fromAsync(request)) as Buffer[]);
}

/** Nobody verifies its signature here: the authority of the tests believes everybody. */
export function identityToken(claims: Readonly<Record<string, unknown>>, algorithm = "none"): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: algorithm })}.${part({ aud: "sigstore", ...claims })}.${Buffer.from("signature").toString("base64url")}`;
}
