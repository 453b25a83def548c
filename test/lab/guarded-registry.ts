/** The distribution's own registry behind TLS, with a file of passwords or with a token server: what people run at home and at work. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../e2e/free-port.ts";

/** This machine's address in its network: certificates are checked there, and not at loopback addresses. */
export const ownAddress = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

const absent = ["docker-registry", "openssl"].filter((program) => spawnSync(program, ["--version"]).error !== undefined);
export const guardedRegistryAbsent = ownAddress === undefined ? "needs an address besides the loopback's" : absent.length > 0 && `needs ${absent.join(", ")}`;

export const account = { username: "someone", password: "pass:word" };
const htpasswd = "someone:$2y$04$telPbfsbWA.87TLrBkrxne4h78AJysG/oI9ZqNDHKiYqdyTFc77Hu\n";

export interface GuardedRegistry extends AsyncDisposable {
  readonly host: string;
  /** the file of its authority */
  readonly authority: string;
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

function makeCertificate(directory: string): Certificate {
  const [cert, key] = [path.join(directory, "cert.pem"), path.join(directory, "key.pem")];
  const subject = ["-subj", "/CN=registry", "-addext", `subjectAltName=IP:${ownAddress}`, "-keyout", key, "-out", cert];
  const made = spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", ...subject]);
  assert.equal(made.status, 0, made.stderr.toString());
  return { cert, key };
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A token for the asked scopes. @see distribution docs, "Token Authentication Implementation" */
function makeToken(certificate: Certificate, scopes: readonly string[]): string {
  const der = new X509Certificate(readFileSync(certificate.cert)).raw.toString("base64");
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.map((scope) => {
    const [type = "", name = "", actions = ""] = scope.split(":");
    return { type, name, actions: actions.split(",") };
  });
  const claims = { iss: "test", sub: account.username, aud: "registry", exp: now + 300, nbf: now - 60, iat: now, jti: randomUUID(), access };
  const signed = `${base64url({ typ: "JWT", alg: "ES256", x5c: [der] })}.${base64url(claims)}`;
  const key = createPrivateKey(readFileSync(certificate.key));
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** Gives tokens to the account and an identity token to who asks for one; by POST only where `identity` is its proof. */
async function startTokenServer(certificate: Certificate, identity: string): Promise<{ readonly url: string } & Disposable> {
  const expected = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString("base64")}`;
  const answer = (request: IncomingMessage, body: string): string | undefined => {
    const query = request.method === "POST" ? new URLSearchParams(body) : new URL(request.url ?? "", "https://x").searchParams;
    const known = request.method === "POST" ? query.get("refresh_token") === identity : request.headers.authorization === expected;
    if (!known) return undefined;
    const scopes = query.getAll("scope").flatMap((scope) => scope.split(" "));
    const token = makeToken(certificate, scopes);
    const offline = query.get("offline_token") === "true" ? { refresh_token: identity } : {};
    return JSON.stringify({ token, access_token: token, expires_in: 300, ...offline });
  };
  const server = createTlsServer({ cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }, (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const text = answer(request, body);
      if (text === undefined) response.writeHead(401).end('{"details":"incorrect username or password"}');
      else response.end(text);
    });
  }).listen(0, ownAddress);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://${ownAddress}:${port}/token`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export async function startGuardedRegistry(parent: string, guard: "htpasswd" | "token"): Promise<GuardedRegistry> {
  const directory = path.join(parent, guard);
  mkdirSync(path.join(directory, "storage"), { recursive: true });
  const certificate = makeCertificate(directory);
  const tokens = guard === "token" ? await startTokenServer(certificate, "identity-of-someone") : undefined;
  writeFileSync(path.join(directory, "htpasswd"), htpasswd);
  const host = `${ownAddress}:${await freePort(1, ownAddress)}`;
  const auth =
    tokens === undefined
      ? `htpasswd: {realm: test, path: ${directory}/htpasswd}`
      : `token: {realm: "${tokens.url}", service: registry, issuer: test, rootcertbundle: ${certificate.cert}}`;
  const lines = [
    "version: 0.1",
    "log: {level: error, accesslog: {disabled: true}}",
    `storage: {filesystem: {rootdirectory: ${directory}/storage}}`,
    `http: {addr: "${host}", tls: {certificate: ${certificate.cert}, key: ${certificate.key}}}`,
    `auth: {${auth}}`,
  ];
  writeFileSync(path.join(directory, "registry.yml"), lines.join("\n"));
  const child = spawn("docker-registry", ["serve", path.join(directory, "registry.yml")], { stdio: "ignore" });
  await untilItListens(host);
  return {
    host,
    authority: certificate.cert,
    async [Symbol.asyncDispose]() {
      tokens?.[Symbol.dispose]();
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

async function untilItListens(host: string): Promise<void> {
  const { connect } = await import("node:net");
  for (let attempt = 0; attempt < 2400; attempt += 1) {
    const socket = connect({ host: ownAddress as string, port: Number(host.split(":")[1]) });
    const listens = await new Promise<boolean>((resolve) => socket.once("connect", () => resolve(true)).once("error", () => resolve(false)));
    socket.destroy();
    if (listens) return;
    await delay(25);
  }
  throw new Error(`no registry came up at ${host}`);
}
