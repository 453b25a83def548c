import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { Store } from "../../store/index.ts";
import { dockerfileName, fetchDockerfile, loadDockerfile } from "./load-dockerfile.ts";
import type { OpenedContext } from "./open-context.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-dockerfile-"));
after(() => rmSync(scratch, { recursive: true }));
const directory = join(scratch, "ctx");
const outside = join(scratch, "Outside");
const own: OpenedContext = { directory, id: directory, foreign: false, dockerfileText: undefined };
const foreign: OpenedContext = { ...own, foreign: true };

mkdirSync(join(directory, "sub"), { recursive: true });
writeFileSync(join(directory, "dockerfile"), "lower");
writeFileSync(join(directory, "sub/Other"), "other");
writeFileSync(join(directory, ".dockerignore"), "general");
writeFileSync(join(directory, "sub/Other.dockerignore"), "own");
writeFileSync(outside, "outside");
symlinkSync("sub/Other", join(directory, "inside"));
symlinkSync(outside, join(directory, "out"));
symlinkSync(scratch, join(directory, "outdir"));
symlinkSync("loop", join(directory, "loop"));

function load(context: OpenedContext, path?: string): readonly (string | undefined)[] {
  const { name, text, ignoreText } = loadDockerfile(context, path === undefined ? undefined : { kind: "path", path });
  return [name, text.toString(), ignoreText?.toString()];
}

describe("a Dockerfile", () => {
  const rows: readonly (readonly [title: string, context: OpenedContext, path: string | undefined, want: readonly string[]])[] = [
    ["by default, in lower case", own, undefined, ["Dockerfile", "lower", "general"]],
    ["elsewhere, with ignore rules of its own", own, "sub/Other", ["Other", "other", "own"]],
    ["outside the context", own, outside, ["Outside", "outside", "general"]],
    ["behind a link that leads out of one's own directory", own, "out", ["out", "outside", "general"]],
    ["of a foreign context", foreign, "sub/Other", ["sub/Other", "other", "own"]],
    ["behind a link in a foreign context", foreign, "inside", ["inside", "other", "general"]],
    ["that the user named by its whole path", foreign, outside, [outside, "outside", "general"]],
  ];
  for (const [title, context, path, want] of rows) test(title, () => assert.deepEqual(load(context, path), want));

  test("as a text", () => assert.equal(loadDockerfile(own, { kind: "text", text: "given" }).text.toString(), "given"));

  const faults: readonly (readonly [title: string, context: OpenedContext, path: string, reason: string])[] = [
    ["that is not there", own, "none", "open none: no such file or directory"],
    ["that is a directory", own, "sub", "read sub: is a directory"],
    ["below a file", own, "sub/Other/x", "open x: not a directory"],
    ["in a circle of links", own, "loop", "open loop: too many levels of symbolic links"],
    ["of a name that no file can have", own, "x".repeat(300), `open ${"x".repeat(300)}: file name too long`],
    ["behind a link that leads out of a foreign context", foreign, "out", "open out: no such file or directory"],
    ["below a link that leads out of a foreign context", foreign, "outdir/Outside", "open outdir/Outside: no such file or directory"],
    ["above a foreign context", foreign, "../Outside", "open ../Outside: no such file or directory"],
  ];
  for (const [title, context, path, reason] of faults) {
    test(`fails: ${title}`, () => assert.throws(() => load(context, path), { code: "DOCKERFILE_NOT_FOUND", message: `failed to read dockerfile: ${reason}` }));
  }

  test("a foreign ignore file's link leads nowhere outside", () => {
    const other = join(scratch, "evil");
    mkdirSync(other);
    writeFileSync(join(other, "Dockerfile"), "x");
    symlinkSync(outside, join(other, ".dockerignore"));
    assert.equal(load({ ...foreign, directory: other })[2], undefined);
    assert.equal(load({ ...own, directory: other })[2], "outside");
  });

  test("that is a pipe nobody named is not waited for", () => {
    const other = join(scratch, "pipe");
    mkdirSync(other);
    execFileSync("mkfifo", [join(other, "Dockerfile")]);
    assert.throws(() => load({ ...own, directory: other }), { message: "failed to read dockerfile: open Dockerfile: not a regular file" });
  });

  test("its name in messages", () => {
    assert.deepEqual(
      [dockerfileName(undefined), dockerfileName({ kind: "path", path: "/a/b/Dev" }), dockerfileName({ kind: "text", text: "" })],
      ["Dockerfile", "Dev", "Dockerfile"],
    );
  });
});

describe("a Dockerfile behind http", () => {
  const { createServer } = process.getBuiltinModule("node:http");
  const server = createServer((request, response) => void (request.url === "/Dockerfile" ? response.end("FROM scratch\n") : response.writeHead(404).end()));
  const store = Store.open(join(scratch, "store"));
  let origin = "";
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    store.close();
  });
  const { signal } = new AbortController();

  test("is fetched", async () => assert.deepEqual(await fetchDockerfile(`${origin}/Dockerfile`, store, signal), { kind: "text", text: "FROM scratch\n" }));
  test("is not there", async () => assert.rejects(fetchDockerfile(`${origin}/x`, store, signal), (error) => isSlipwayError(error, "DOWNLOAD_FAILED")));
});
