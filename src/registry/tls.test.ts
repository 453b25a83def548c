/** Certificates and proxies: registries of made-up names behind a proxy that leads to servers of this file. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { SlipwayError } from "../base/errors.ts";
import { mediaTypes } from "../oci/manifest.ts";
import { parseReference } from "../oci/reference.ts";
import { blobDescriptor, quickClient, readAll, serve } from "./fixtures/loopback-server.ts";
import { readHostsToml } from "./hosts-toml.ts";
import type { Handler, TlsFiles } from "./fixtures/loopback-server.ts";

const dir = mkdtempSync(join(tmpdir(), "slipway-tls-"));
after(() => rmSync(dir, { recursive: true }));

function makeCertificate(): TlsFiles | undefined {
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=registry.test"];
  const made = spawnSync("openssl", [...args, "-addext", "subjectAltName=DNS:registry.test", "-keyout", join(dir, "key.pem"), "-out", join(dir, "cert.pem")]);
  if (made.status !== 0) return undefined;
  return { cert: readFileSync(join(dir, "cert.pem"), "utf8"), key: readFileSync(join(dir, "key.pem"), "utf8") };
}

const tls = makeCertificate();
const content = Buffer.from("layer");
const blob = blobDescriptor(content);
const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blob, layers: [] }));
const giveManifest: Handler = (_, response) => void response.end(manifest);
const reference = parseReference("registry.test/a");
const conf = (insecure: boolean) => [{ prefix: "registry.test", location: "registry.test", insecure, blocked: false, mirrors: [], source: "test" }];

/** A directory as in /etc/docker/certs.d that trusts the certificate for registry.test. */
function trusting(name: string, files: Readonly<Record<string, string>>): { certDirs: readonly string[] } {
  mkdirSync(join(dir, name, "registry.test"), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, name, "registry.test", file), text);
  return { certDirs: [join(dir, "none"), join(dir, name)] };
}

describe("https", { skip: tls === undefined ? "needs openssl to make a certificate" : false }, () => {
  const files = tls as TlsFiles;

  async function open(handlers: Readonly<Record<string, Handler>>, options: { clientAuthority?: string } = {}) {
    const server = await serve(handlers, { tls: { ...files, ...options } });
    const proxy = await serve({}, { tunnelTo: () => server.port });
    const env = { HTTPS_PROXY: `http://user:secret@${proxy.host}` };
    return { server, proxy, env, [Symbol.asyncDispose]: async () => void (await Promise.all([proxy[Symbol.asyncDispose](), server[Symbol.asyncDispose]()])) };
  }

  test("an unknown authority is refused, one in certs.d is trusted, through a proxy that wants a password", async () => {
    await using peer = await open({ "/v2/a/manifests/latest": giveManifest });
    await assert.rejects(quickClient({ env: peer.env }).resolve(reference), {
      kind: "failed_precondition",
      code: "CERTIFICATE_UNTRUSTED",
      message:
        'failed to do request: Get "https://registry.test/v2/a/manifests/latest": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    });
    const client = quickClient({ env: peer.env, ...trusting("ca", { "ca.crt": files.cert }) });
    assert.deepEqual(Buffer.from((await client.resolve(reference)).bytes), manifest);
    const last = peer.proxy.requests.at(-1);
    assert.equal(last?.line, "CONNECT registry.test:443");
    assert.equal(last.headers["proxy-authorization"], `Basic ${Buffer.from("user:secret").toString("base64")}`);
    await client.close();
  });

  test("a certificate for another host", async () => {
    await using peer = await open({});
    mkdirSync(join(dir, "ca2", "other.test"), { recursive: true });
    writeFileSync(join(dir, "ca2", "other.test", "ca.crt"), files.cert);
    const client = quickClient({ env: peer.env, certDirs: [join(dir, "ca2")] });
    await assert.rejects(client.resolve(parseReference("other.test/a")), {
      code: "CERTIFICATE_HOST_MISMATCH",
      message: /x509: certificate is valid for registry\.test, not other\.test$/,
    });
  });

  test("an insecure registry is not verified", async () => {
    await using peer = await open({ "/v2/a/manifests/latest": giveManifest });
    const client = quickClient({ env: peer.env, registries: conf(true) });
    assert.equal((await client.resolve(reference)).host, "registry.test");
    await client.close();
  });

  test("a client's certificate is shown to the registry it is for", async () => {
    const handler: Handler = (request, response) => void response.writeHead((request.socket as TLSSocket).authorized ? 200 : 403).end(manifest);
    await using peer = await open({ "/v2/a/manifests/latest": handler }, { clientAuthority: files.cert });
    const client = quickClient({ env: peer.env, ...trusting("mutual", { "ca.crt": files.cert, "client.cert": files.cert, "client.key": files.key }) });
    await client.resolve(reference);
    await client.close();
    const without = quickClient({ env: peer.env, ...trusting("oneway", { "ca.crt": files.cert }) });
    await assert.rejects(without.resolve(reference), { code: "ACCESS_DENIED" });
    await without.close();
    const broken = quickClient({ env: peer.env, ...trusting("keyless", { "client.cert": files.cert }) });
    await assert.rejects(broken.resolve(reference), {
      code: "CLIENT_KEY_MISSING",
      message: /^missing key client\.key for client certificate client\.cert\. CA certificates must use the extension \.crt$/,
    });
  });

  test("certificates and headers that hosts.toml names, which a redirect takes nowhere else", async () => {
    await using store = await serve({ "/blob": (_, response) => void response.end(content) });
    const handler: Handler = (request, response) => void response.writeHead((request.socket as TLSSocket).authorized ? 200 : 403).end(manifest);
    const elsewhere: Handler = (_, response) => void response.writeHead(307, { location: `http://${store.host}/blob` }).end();
    await using peer = await open({ "/v2/a/manifests/latest": handler, [`/v2/a/blobs/${blob.digest}`]: elsewhere }, { clientAuthority: files.cert });
    const path = "/etc/containerd/certs.d/registry.test";
    const texts: Readonly<Record<string, string>> = {
      [`${path}/hosts.toml`]: 'server = "https://registry.test"\nca = "ca.pem"\nclient = "both.pem"\nheader.x-key = "secret"\n',
      [`${path}/ca.pem`]: files.cert,
      [`${path}/both.pem`]: files.cert + files.key,
    };
    const config = { readText: (file: string) => texts[file], list: (directory: string) => (directory.endsWith("certs.d") ? ["registry.test"] : []) };
    const registries = await readHostsToml(config);
    const client = quickClient({ env: peer.env, files: config, registries, headers: { "x-meta-team": "t" } });
    await client.resolve(reference);
    assert.deepEqual(await readAll(client.openBlob(reference, blob)), content);
    await client.close();
    const told = [...peer.server.requests, ...store.requests].map(({ headers }) => [headers["x-key"], headers["x-meta-team"]]);
    assert.deepEqual(told, [
      ["secret", "t"],
      ["secret", "t"],
      [undefined, undefined],
    ]);
    const missing = quickClient({ env: peer.env, registries, files: { ...config, readText: () => undefined } });
    await assert.rejects(missing.resolve(reference), { code: "CERTIFICATE_FILE", message: `certificate file ${path}/ca.pem cannot be read` });
  });

  test("a redirect to plain http is followed for what has a digest, and for nothing else", async () => {
    await using store = await serve({ "/blob": (_, response) => void response.end(content), "/manifest": giveManifest });
    const redirect =
      (path: string): Handler =>
      (_, response) =>
        void response.writeHead(302, { location: `http://${store.host}${path}` }).end();
    await using peer = await open({ [`/v2/a/blobs/${blob.digest}`]: redirect("/blob"), "/v2/a/manifests/latest": redirect("/manifest") });
    const client = quickClient({ env: peer.env, ...trusting("ca", { "ca.crt": files.cert }) });
    assert.deepEqual(await readAll(client.openBlob(reference, blob)), content);
    await assert.rejects(client.resolve(reference), { kind: "denied", code: "BAD_REDIRECT", message: /redirects from https to plain http/ });
    await client.close();
  });

  test("a token server of plain http gets no password from a registry of https", async () => {
    await using peer = await open({
      "/v2/a/manifests/latest": (_, response) => void response.writeHead(401, { "www-authenticate": `Bearer realm="http://127.0.0.1:1/token"` }).end(),
    });
    const client = quickClient({ env: peer.env, ...trusting("ca", { "ca.crt": files.cert }) });
    await assert.rejects(client.resolve(reference), { kind: "denied", code: "BAD_TOKEN_SERVER" });
    await client.close();
  });
});

test("plain http behind https: Docker's words, unless the registry is configured as insecure", async () => {
  await using server = await serve({});
  await using proxy = await serve({ "http://registry.test/v2/a/manifests/latest": giveManifest }, { tunnelTo: () => server.port });
  const env = { HTTPS_PROXY: proxy.host, HTTP_PROXY: proxy.host };
  await assert.rejects(quickClient({ env }).resolve(reference), {
    kind: "failed_precondition",
    code: "PLAIN_HTTP_REGISTRY",
    message: 'failed to do request: Get "https://registry.test/v2/a/manifests/latest": http: server gave HTTP response to HTTPS client',
  });
  const client = quickClient({ env, registries: conf(true) });
  assert.deepEqual(Buffer.from((await client.resolve(reference)).bytes), manifest);
  assert.deepEqual(
    proxy.requests.map((request) => request.line),
    ["CONNECT registry.test:443", "CONNECT registry.test:443", "GET http://registry.test/v2/a/manifests/latest"],
  );
  await client.close();
});

test("a proxy that refuses, and one that is not there", async () => {
  await using proxy = await serve({});
  await assert.rejects(quickClient({ env: { HTTPS_PROXY: proxy.host } }).resolve(reference), {
    kind: "unavailable",
    code: "PROXY_REFUSED",
    message: 'failed to do request: Get "https://registry.test/v2/a/manifests/latest": proxyconnect tcp: the proxy answered 403',
  });
  await assert.rejects(quickClient({ env: { HTTPS_PROXY: "http://u:secret@127.0.0.1:1" } }).resolve(reference), (error: unknown) => {
    assert.ok(error instanceof SlipwayError);
    assert.equal(error.code, "CONNECTION_REFUSED");
    assert.match(error.message, /: proxyconnect tcp: dial tcp 127\.0\.0\.1:1: connect: connection refused$/);
    assert.match(String(error.details["remedy"]), /^check the proxy 127\.0\.0\.1:1 /);
    assert.doesNotMatch(JSON.stringify([error.message, error.details]), /secret/);
    return true;
  });
});
