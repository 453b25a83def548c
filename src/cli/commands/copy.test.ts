/** Copies between places: digests stay, what is there is not sent again, what is wrong or missing leaves nothing behind. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { Slipway } from "../../engine/index.ts";
import { LayoutDraft, TestDirectory } from "../../engine/transports/test-layout.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import { runInMemory, type Outcome } from "../memory-cli.ts";

const directory = new TestDirectory();
const engine = await Slipway.open({ root: directory.at("store") });
after(async () => {
  await engine.close();
  directory[Symbol.dispose]();
});

const draft = new LayoutDraft();
const amd64 = draft.image([[{ path: "a", content: "for amd64" }]], { os: "linux", architecture: "amd64" });
const s390x = draft.image([[{ path: "a", content: "for s390x" }]], { os: "linux", architecture: "s390x" });
const both = draft.index([amd64, s390x], mediaTypes.dockerIndex);
draft.name(both, "both").name(amd64, "one").write(directory.at("source"));

const run = (...words: readonly string[]): Promise<Outcome> => runInMemory(words, { open: async () => engine, cwd: directory.path });
const names = { [both.digest]: "both", [amd64.digest]: "amd64", [s390x.digest]: "s390x" };
const named = ({ stdout }: Outcome): string => names[stdout.trim()] ?? stdout;

describe("copy keeps the digest", () => {
  const table: readonly { readonly name: string; readonly words: readonly string[]; readonly want: string; readonly back: string }[] = [
    { name: "an index into a layout", words: ["oci:source:both", "oci:t1:x"], want: "both", back: "oci:t1:x" },
    { name: "an index into an archive", words: ["oci:source:both", "oci-archive:t2.tar:x"], want: "both", back: "oci-archive:t2.tar:x" },
    { name: "one platform of it", words: ["--platform", "linux/s390x", "oci:source:both", "oci:t3"], want: "s390x", back: "oci:t3" },
    {
      name: "an index into a docker-archive: this machine's",
      words: ["--platform", "linux/amd64", "oci:source:both", "docker-archive:t4.tar:app:1"],
      want: "amd64",
      back: "docker-archive:t4.tar:app:1",
    },
    {
      name: "all of it, where that is asked for",
      words: ["--all", "oci:source:both", "docker-archive:t5.tar:app:1"],
      want: "both",
      back: "docker-archive:t5.tar",
    },
    { name: "an index into the store", words: ["oci:source:both", "store:both:1"], want: "both", back: "store:both:1" },
    { name: "an image into the store", words: ["oci:source:one", "store:one:1"], want: "amd64", back: "one:1" },
  ];
  for (const { name, words, want, back } of table) {
    test(name, async () => {
      const outcome = await run("copy", ...words);
      assert.equal(named(outcome), want, outcome.stderr);
      assert.equal(named(await run("copy", "-q", ...(want === "both" ? ["--all"] : []), back, `oci:back:${want}`)), want);
    });
  }
});

test("what the target has is not sent again, and its other images stay", async () => {
  await run("copy", "oci:source:one", "oci:again:one");
  const { stderr } = await run("copy", "oci:source:both", "oci:again:both");
  assert.equal(stderr.match(/already there/g)?.length, 2);
  const index = JSON.parse(readFileSync(directory.at("again", "index.json"), "utf8")) as { readonly manifests: readonly { readonly digest: string }[] };
  assert.deepEqual(
    index.manifests.map(({ digest }) => names[digest]),
    ["amd64", "both"],
  );
});

describe("refused", () => {
  const table: readonly { readonly name: string; readonly words: readonly string[]; readonly want: RegExp }[] = [
    { name: "two wishes", words: ["--all", "--platform", "linux/amd64", "oci:source:both", "oci:no"], want: /^--all and --platform exclude each other/ },
    { name: "a missing layout", words: ["oci:nowhere", "oci:no"], want: /nowhere: it is no OCI layout/ },
    { name: "a missing tag, with those that there are", words: ["oci:source:none", "oci:no"], want: /no image none in it; it has both, one$/m },
    { name: "several images and no tag", words: ["oci:source", "oci:no"], want: /several images, name one of them: both, one$/m },
    { name: "no such platform", words: ["--platform", "linux/arm64", "oci:source:both", "oci:no"], want: /no match for platform/ },
    { name: "a path alone", words: ["oci:", "oci:no"], want: /^invalid location/ },
  ];
  for (const { name, words, want } of table) {
    test(name, async () => {
      const { code, stderr } = await run("copy", ...words);
      assert.equal(code, 1);
      assert.match(stderr, want);
      assert.equal(existsSync(directory.at("no")), false);
    });
  }
});

test("a blob that is not what its name says ends the copy, and the target has no such image", async () => {
  const bad = new LayoutDraft();
  const image = bad.image([[{ path: "a", content: "content" }]]);
  bad.name(image, "x").write(directory.at("bad"));
  for (const [path, bytes] of bad.files) if (bytes[0] === 0x1f) writeFileSync(directory.at("bad", path), Buffer.from(bytes).fill(7, bytes.length - 4));
  const { code, stderr } = await run("copy", "oci:bad:x", "oci:frombad:x");
  assert.equal(code, 1);
  assert.match(stderr, /DIGEST_MISMATCH/);
  assert.equal(existsSync(directory.at("frombad", "index.json")), false);
  assert.match((await run("copy", "oci:bad:x", "oci-archive:frombad.tar")).stderr, /DIGEST_MISMATCH/);
  assert.equal(existsSync(directory.at("frombad.tar")), false);
});

describe("a Docker daemon", () => {
  /** Answers as Docker does; what it is sent is counted. */
  async function docker(answer: { readonly status: number; readonly body: string }): Promise<{ readonly received: () => number } & AsyncDisposable> {
    let received = 0;
    const server = createServer((request, response) => {
      request.on("data", (chunk: Buffer) => (received += chunk.length));
      request.on("end", () => response.writeHead(answer.status).end(answer.body));
    });
    server.listen(directory.at("docker.sock"));
    await once(server, "listening");
    return {
      received: () => received,
      async [Symbol.asyncDispose]() {
        server.close();
        await once(server, "close");
      },
    };
  }
  const table: readonly { readonly name: string; readonly status: number; readonly body: string; readonly code: number; readonly stderr: RegExp }[] = [
    { name: "takes an image", status: 200, body: '{"stream":"Loaded image: app:1\\n"}', code: 0, stderr: /^$/ },
    { name: "fails within its answer", status: 200, body: '{"errorDetail":{"message":"no space"},"error":"no space"}', code: 1, stderr: /no space/ },
    { name: "refuses", status: 500, body: '{"message":"broken"}', code: 1, stderr: /broken/ },
  ];
  for (const { name, status, body, code, stderr } of table) {
    test(name, async () => {
      await using daemon = await docker({ status, body });
      const env = { DOCKER_HOST: `unix://${directory.at("docker.sock")}` };
      const outcome = await runInMemory(["copy", "-q", "oci:source:one", "docker-daemon:app:1"], { open: async () => engine, cwd: directory.path, env });
      assert.equal(outcome.code, code, outcome.stderr);
      assert.match(outcome.stderr, stderr);
      assert.ok(daemon.received() > 1024);
    });
  }
});
