/** Two builds of one context: what differs is named, with the field and the line. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { createSandbox, type Files } from "./sandbox.ts";

describe("verify --twice", async () => {
  const sandbox = await createSandbox();
  after(() => sandbox[Symbol.asyncDispose]());
  const env = { SOURCE_DATE_EPOCH: "1700000000" };
  const twice = async (dockerfile: string, files: Files = {}, flags: readonly string[] = []) =>
    await sandbox.call(["verify", "--twice", ...flags, sandbox.folder({ Dockerfile: dockerfile, ...files })], { env });

  test("the same image twice", async () => {
    const before = await sandbox.ok(["images", "-aq"]);
    const outcome = await twice("FROM busybox\nCOPY d /d\nRUN echo x >/x && mkdir /y\nENV A=b\n", { "d/f": "f" }, ["--reproducible"]);
    assert.equal(outcome.code, 0, outcome.stderr + outcome.stdout);
    assert.match(outcome.stdout, /^sha256:[0-9a-f]{64}: the same image twice\n$/);
    assert.equal(await sandbox.ok(["images", "-aq"]), before, "no image stays");
  });

  const cases: readonly { readonly name: string; readonly line: string; readonly files?: Files; readonly flags?: readonly string[]; readonly want: RegExp }[] =
    [
      {
        name: "content, with the first byte that differs",
        line: "RUN head -c 10 /dev/zero >/random; head -c 16 /dev/urandom >>/random; touch -d @0 /random",
        want: /^layer 1, Dockerfile:2 RUN head [\s\S]*\n {2}\/random\n {4}content at byte 1\d sha256:[0-9a-f]{12} → sha256:[0-9a-f]{12}\n/,
      },
      {
        name: "size",
        line: "RUN head -c $(($(date +%s) % 1000 + 1)) /dev/zero >/f",
        want: /\n {2}\/f\n {4}size \d+ → \d+\n {4}content at byte \d+ /,
      },
      {
        name: "a file that comes and goes",
        line: "RUN touch /$(cat /proc/sys/kernel/random/uuid)",
        want: /\n {2}\/[0-9a-f-]{36}\n {4}presence (?:file → absent|absent → file)\n/,
      },
      { name: "a link", line: "RUN ln -s $(cat /proc/sys/kernel/random/uuid) /l", want: /\n {2}\/l\n {4}link [0-9a-f-]{36} → [0-9a-f-]{36}\n/ },
      { name: "an owner", line: "RUN touch -d @0 /o && chown $(($(date +%s) % 10000 + 1)) /o", want: /\n {2}\/o\n {4}owner \d+:0 → \d+:0\n/ },
      {
        name: "modes and times that the context brings",
        line: "COPY f /f",
        files: { f: { text: "f", mode: 0o664 } },
        want: /^layer 1, Dockerfile:2 COPY f \/f\n {2}\/f\n {4}mode 0664 → 0600\n {4}mtime 2\d{3}-.* → 2001-02-03T04:05:06Z\nFiles that are not as a commit has them bring their times and modes along: --reproducible gives all of them the commit's\.\ntwo images: /,
      },
      {
        name: "nothing of the context, with --reproducible",
        line: "COPY f /f\nRUN cat /proc/sys/kernel/random/uuid >/u",
        files: { f: { text: "f", mode: 0o664 } },
        flags: ["--reproducible"],
        want: /^layer 2, Dockerfile:3 RUN cat [\s\S]*\n {2}\/u\n {4}content at byte \d+ [^\n]*\ntwo images: /,
      },
    ];
  for (const { name, line, files = {}, flags = [], want } of cases) {
    test(`names ${name}`, async () => {
      const outcome = await twice(`FROM busybox\n${line}\n`, files, flags);
      assert.equal(outcome.code, 1, outcome.stderr);
      assert.match(outcome.stdout, want);
    });
  }

  test("names fields of the config: without SOURCE_DATE_EPOCH an image says when it was built", async () => {
    const folder = sandbox.folder({ Dockerfile: "FROM busybox\nRUN true\n" });
    const outcome = await sandbox.call(["verify", "--twice", folder]);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stdout, /config\n {2}created "2[^"]*" → "2[^"]*"\n {2}history\[\d\]\.created "/);
    assert.match(outcome.stdout, /--reproducible/);
  });

  test("as JSON, with a Dockerfile of its own, a target and build args", async () => {
    const folder = sandbox.folder({ "sub/D": 'ARG V\nFROM busybox AS one\nARG V\nRUN test "$V" = 1 && cat /proc/sys/kernel/random/uuid >/u\nFROM scratch\n' });
    const flags = ["-f", path.join(folder, "sub/D"), "--target", "one", "--build-arg", "V=1", "-o", "json"];
    const outcome = await sandbox.call(["verify", "--twice", ...flags, folder], { env });
    assert.equal(outcome.code, 1, outcome.stderr);
    const { isSame, layers } = JSON.parse(outcome.stdout) as {
      readonly isSame: boolean;
      readonly layers: readonly { readonly lines: object; readonly files: readonly { readonly path: string }[] }[];
    };
    assert.deepEqual([isSame, layers.map(({ lines, files }) => [lines, files.map((file) => file.path)])], [false, [[{ start: 4, end: 4 }, ["/u"]]]]);
  });

  test("many files are counted, not listed", async () => {
    const outcome = await twice("FROM busybox\nRUN for i in $(seq 100); do cat /proc/sys/kernel/random/uuid >/f$i; done\n");
    assert.match(outcome.stdout, /\n {2}and 80 more files\n/);
  });

  test("a link that leads out of the context is copied as a link", async () => {
    const folder = sandbox.folder({ Dockerfile: "FROM scratch\nCOPY f /f\n", f: "f" });
    writeFileSync(path.join(folder, ".dockerignore"), "skipped\n");
    const { symlinkSync } = await import("node:fs");
    symlinkSync("/etc", path.join(folder, "away"));
    assert.equal((await sandbox.call(["verify", "--twice", "--reproducible", folder], { env })).code, 0);
  });

  test("what makes no sense together is refused", async () => {
    const folder = sandbox.folder({ Dockerfile: "FROM scratch\n" });
    assert.match((await sandbox.call(["verify", "--target", "x", "image"])).stderr, /--target wants --twice/);
    assert.match((await sandbox.call(["verify", "--twice", "-"], { input: "FROM scratch\n" })).stderr, /standard input cannot be read twice/);
    assert.match((await sandbox.call(["verify", "--twice", "--platform", "linux/amd64,linux/arm64", folder])).stderr, /name one/);
  });
});
