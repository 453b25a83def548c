/** What clients may cost the server: time, connections, certificates that it does not know. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  createDiskStorage,
  createDistribution,
  startHttpServer,
  sweepDirectory,
  type HttpServer,
  type HttpServerOptions,
} from "../../src/distribution/index.ts";
import { digestOf } from "../../src/oci/digest.ts";

const directory = mkdtempSync(join(tmpdir(), "slipway-bounds-"));
after(() => rmSync(directory, { recursive: true }));
const storage = createDiskStorage(join(directory, "data"));
const start = async (options: HttpServerOptions): Promise<HttpServer> => await startHttpServer(createDistribution(storage, { delete: true }), options);

/** What the server says before it hangs up. */
async function said(server: HttpServer, text: string): Promise<string> {
  const socket = connect(Number(server.host.split(":")[1]), "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  socket.write(text);
  await once(socket, "close");
  return answer;
}

test("a head that does not end is cut off, however many there are, and others are served meanwhile", async () => {
  await using server = await start({ headersTimeoutMs: 300 });
  const slow = Array.from({ length: 100 }, async () => await said(server, "GET /v2/ HTTP/1.1\r\nhost: a\r\nx: "));
  assert.equal((await fetch(`${server.url}/v2/`)).status, 200);
  for (const answer of await Promise.all(slow)) assert.match(answer, /^(HTTP\/1\.1 408 |$)/);
});

test("a body that does not come is given up, and what came is kept", async () => {
  await using server = await start({ idleTimeoutMs: 300 });
  const location = (await fetch(`${server.url}/v2/a/blobs/uploads/`, { method: "POST" })).headers.get("location") ?? "";
  await said(server, `PATCH ${location} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n${"x".repeat(10)}`);
  assert.equal((await fetch(server.url + location)).headers.get("range"), "0-9");
});

test("blobs that no manifest names are dropped when the server starts, a week after they came", async () => {
  await using server = await start({});
  const put = async (text: string): Promise<string> => {
    const digest = digestOf(text);
    assert.equal((await fetch(`${server.url}/v2/b/blobs/uploads/?digest=${digest}`, { method: "POST", body: text })).status, 201);
    return digest;
  };
  const [stale, fresh] = [await put("stale"), await put("fresh")];
  const file = join(directory, "data/repositories/b/_blobs", stale);
  utimesSync(file, 1, 1);
  sweepDirectory(join(directory, "data"), 1_000_000);
  mkdirSync(join(directory, "data/temporary"), { recursive: true });
  const status = async (digest: string): Promise<number> => (await fetch(`${server.url}/v2/b/blobs/${digest}`)).status;
  assert.deepEqual([await status(stale), await status(fresh)], [404, 200]);
});

function certificate(name: string): { readonly cert: Buffer; readonly key: Buffer } | undefined {
  const [cert, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", `/CN=${name}`];
  const made = spawnSync("openssl", [...args, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]);
  return made.status === 0 ? { cert: readFileSync(cert), key: readFileSync(key) } : undefined;
}

const [own, known, stranger] = ["own", "known", "stranger"].map(certificate);

describe("TLS", { skip: own === undefined ? "needs openssl to make a certificate" : false }, () => {
  const status = async (server: HttpServer, client: object): Promise<number | string> =>
    await new Promise((resolve) => {
      const call = request(`${server.url}/v2/`, { ca: own?.cert ?? "", agent: false, ...client }, (response) => resolve(response.resume().statusCode ?? 0));
      call.on("error", () => resolve("refused")).end();
    });

  test("is spoken with the certificate", async () => {
    await using server = await start({ tls: own ?? { cert: "", key: "" } });
    assert.match(server.url, /^https:/);
    assert.equal(await status(server, {}), 200);
    assert.equal(await status(server, { ca: stranger?.cert }), "refused");
  });

  test("clients need a certificate of the authority that was named", async () => {
    await using server = await start({ tls: { ...(own ?? { cert: "", key: "" }), clientCa: known?.cert ?? "" } });
    assert.equal(await status(server, {}), "refused");
    assert.equal(await status(server, stranger ?? {}), "refused");
    assert.equal(await status(server, known ?? {}), 200);
  });
});
