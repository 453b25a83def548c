import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { digestOf } from "../../oci/digest.ts";
import { downloadFile, type Download } from "./download.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-download-"));
const { createServer } = process.getBuiltinModule("node:http");

const basic = `Basic ${Buffer.from("ann:p@ss word").toString("base64")}`;

const pages: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  "/file": (_, response) => void response.setHeader("last-modified", "Sat, 03 Feb 2001 04:05:06 GMT").end("content"),
  "/plain": (_, response) => void response.setHeader("last-modified", "no date").end("content"),
  "/moved": (_, response) => void response.writeHead(302, { location: "file" }).end(),
  "/round": (_, response) => void response.writeHead(302, { location: "/round" }).end(),
  "/out": (_, response) => void response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  "/private": ({ headers }, response) => void response.writeHead(headers.authorization === basic ? 200 : 401).end("content"),
  "/away": ({ headers }, response) =>
    void response.writeHead(302, { location: headers.authorization === basic ? `http://${headers.host}/open` : "/gone" }).end(),
  "/open": ({ headers }, response) => void response.writeHead(headers.authorization === undefined ? 200 : 400).end("content"),
  "/gone": (_, response) => void response.writeHead(404).end("no"),
  "/broken": (_, response) => void response.writeHead(500).end("no"),
  "/short": (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("ten bytes.", () => response.destroy());
  },
  "/silent": () => {},
  "/lying": (_, response) => void response.writeHead(200, { "content-length": String(2 ** 50) }).write("x"),
};

let server: Server;
let origin = "";
before(async () => {
  server = createServer((request, response) => (pages[request.url ?? ""] ?? pages["/gone"])?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(scratch, { recursive: true });
});

const path = join(scratch, "file");
const get = (page: string, changes: Partial<Download> = {}): ReturnType<typeof downloadFile> =>
  downloadFile({ url: `${origin}${page}`, path, checksum: "", signal: new AbortController().signal, ...changes });

describe("a download", () => {
  test("gives the bytes, their digest and their time", async () => {
    const { modifiedMs, sha256, size } = await get("/file");
    assert.deepEqual([readFileSync(path, "utf8"), `sha256:${sha256}`, size, modifiedMs], ["content", digestOf("content"), 7, Date.UTC(2001, 1, 3, 4, 5, 6)]);
    assert.equal((await get("/plain")).modifiedMs, undefined);
  });

  test("follows redirects", async () => {
    assert.equal((await get("/moved")).size, 7);
  });

  test("has the name and password of its address, which go nowhere else and into no message", async () => {
    const address = (page: string, password: string): Partial<Download> => ({ url: `${origin.replace("//", `//ann:${password}@`)}${page}` });
    assert.equal((await get("", address("/private", "p%40ss%20word"))).size, 7);
    assert.equal((await get("", address("/away", "p%40ss%20word"))).size, 7);
    const refused: readonly Partial<Download>[] = [
      address("/private", "hidden"),
      address("/gone", "hidden"),
      address("/round", "hidden"),
      address("/out", "hidden"),
      { ...address("/file", "hidden"), limitBytes: 1 },
      { url: "http://ann:hidden@127.0.0.1:1/" },
      { url: "http://ann:hidden@127.0.0.1:x/" },
    ];
    for (const changes of refused) {
      await assert.rejects(get("", changes), (error) => isSlipwayError(error) && !/hidden/.test(`${error.message}${JSON.stringify(error.details)}`));
    }
  });

  test("agrees with its checksum", async () => {
    assert.equal((await get("/file", { checksum: digestOf("content") })).size, 7);
  });

  const faults: readonly (readonly [name: string, page: string, changes: Partial<Download>, code: string, kind: string])[] = [
    ["another content", "/file", { checksum: digestOf("other") }, "CHECKSUM_MISMATCH", "failed_precondition"],
    ["redirects without end", "/round", {}, "DOWNLOAD_FAILED", "unavailable"],
    ["a redirect to this machine's files", "/out", {}, "DOWNLOAD_FAILED", "denied"],
    ["a page that is not there", "/gone", {}, "DOWNLOAD_FAILED", "not_found"],
    ["a server that is broken", "/broken", {}, "DOWNLOAD_FAILED", "unavailable"],
    ["nobody there", "", { url: "http://127.0.0.1:1/x" }, "DOWNLOAD_FAILED", "unavailable"],
    ["more than the bound", "/file", { limitBytes: 6 }, "DOWNLOAD_TOO_LARGE", "resource_exhausted"],
    ["more than the disk has free", "/lying", {}, "DOWNLOAD_TOO_LARGE", "resource_exhausted"],
    ["a body that ends early", "/short", {}, "DOWNLOAD_FAILED", "unavailable"],
  ];
  for (const [name, page, changes, code, kind] of faults)
    test(`fails: ${name}`, async () =>
      assert.rejects(get(page, changes), (error) => isSlipwayError(error, code) && assert.equal(error.kind, kind) === undefined));

  test("ends with the signal", async () => {
    await assert.rejects(get("/silent", { signal: AbortSignal.timeout(50) }));
  });
});
