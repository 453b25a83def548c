/** Steps that failed or were interrupted: what is kept of them, and shells in it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, suite, test } from "node:test";
import { createSandbox, type Outcome } from "./sandbox.ts";
import { tarOf } from "./tar-of.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

/** The id that the error of a build names. */
function failedStep({ code, stderr }: Outcome, want = 1): string {
  assert.equal(code, want, stderr);
  const id = /\nHint: slipway debug ([0-9a-f]{12}) opens a shell where the step ended\n$/.exec(stderr)?.[1];
  assert.ok(id !== undefined, stderr);
  return id;
}

const debug = (commands: string, args: readonly string[] = []): Promise<Outcome> => sandbox.call(["debug", ...args], { input: commands });

const written = `FROM busybox AS other
RUN mkdir /d && echo old >/d/old
FROM busybox
ENV WHO=me
ARG GIVEN=value
WORKDIR /w
RUN adduser -D -u 1000 maker 2>/dev/null || echo maker:x:1000:1000::/home/maker:/bin/sh >>/etc/passwd
RUN echo before >before && chmod 777 .
USER maker
RUN --mount=type=cache,target=/cache,uid=1000 --mount=type=tmpfs,target=/memory,size=1m --mount=type=bind,from=other,source=/d,target=/other,rw \\
    echo f >file; rm before; echo c >/cache/f; echo m >/memory/f; mkdir -p /memory/d; ln -s ../f /memory/d/l; `;

const look = "cat file /cache/f /memory/f /memory/d/l /other/old; ls -A; id -un; pwd; echo $WHO $GIVEN $HOME";
const seen = "f\nc\nm\nm\nold\nfile\nmaker\n/w\nme value /home/maker\n";

suite("a step that fails", () => {
  let id = "";
  test("is told in Docker's words, and where a shell can be opened after them", async () => {
    const outcome = await sandbox.buildPlain(`${written} exit 9`, {}, ["-t", "failing"]);
    id = failedStep(outcome);
    assert.match(outcome.stderr, /did not complete successfully: exit code: 9\nHint: slipway debug/);
  });

  test("is there with its files, mounts, variables, user and directory", async () => {
    const outcome = await debug(look);
    assert.deepEqual([outcome.stderr, outcome.stdout, outcome.code], ["", seen, 0]);
  });

  test("is the same the next time, whatever a shell did to it; the shell's exit code is the command's", async () => {
    const changing = await debug("echo new >file; rm /cache/f /memory/f; touch /cache/n; exit 5", [id]);
    assert.deepEqual([changing.code, changing.stderr], [5, ""]);
    assert.equal((await debug(look, [id])).stdout, seen);
  });

  test("is looked into with a command of one's own", async () => {
    assert.equal(await sandbox.ok(["debug", id, "cat", "/proc/self/mounts"]).then((text) => / \/memory \S+ rw,nosuid,relatime/.test(text)), true);
    assert.equal((await sandbox.call(["debug", id, "sh", "-c", "exit 3"])).code, 3);
  });

  test("opens on a terminal", { skip: spawnSync("script", ["--version"]).status !== 0 && "needs script of util-linux" }, async () => {
    const outcome = spawnSync(
      "script",
      ["--quiet", "--return", "--command", `${path.resolve(import.meta.dirname, "../../bin/slipway")} debug ${id}`, "/dev/null"],
      {
        env: { ...sandbox.env, SHELL: "/bin/sh" },
        input: "tty; cat file; exit 4\n",
        encoding: "utf8",
      },
    );
    assert.match(outcome.stdout, /\(Dockerfile:10\) ended with exit code 9\r\nWhat you change in this shell is thrown away\.\r\n/);
    assert.match(outcome.stdout, /\/dev\/pts\/0\r\nf\r\n/);
    assert.equal(outcome.status, 4);
  });

  test("is listed", async () => {
    const line = await sandbox.ok(["debug", "ls", "--format", "{{.ID}} {{.Status}} {{.Place}}"]);
    assert.equal(line, `${id} Exited (9) Dockerfile:10`);
  });

  test("its files are an image's for run, ls, cat and diff", async () => {
    assert.equal(await sandbox.ok(["run", "--rm", id, "sh", "-c", "cat file; id -un; echo $WHO"]), "f\nmaker\nme");
    assert.equal(await sandbox.ok(["ls", `${id}:/w`]), "file");
    assert.equal(await sandbox.ok(["cat", `${id}:/w/file`]), "f");
    assert.equal(await sandbox.ok(["diff", id]), "C /w\nD /w/before\nA /w/file");
    assert.equal((await debug(look, [id])).stdout, seen);
  });

  test("every id of builder du and system df is taken by run, ls and diff as it is printed", async () => {
    await sandbox.build("FROM busybox\nRUN echo kept >/kept\nCOPY f /f\n", { f: "copied" });
    const printed = (await sandbox.ok(["builder", "du"])).split("\n").flatMap((line) => /^[0-9a-f:sh]+\*?(?= )/.exec(line)?.[0] ?? []);
    const listed = await sandbox.ok(["system", "df", "-v", "--format", "{{range .BuildCache}}{{.ID}} {{.CacheType}}\n{{end}}"]);
    // a cache mount is no file system to run
    const ids = listed.split("\n").flatMap((line) => /^(\S+) (?:regular|exec\.failed)$/.exec(line)?.[1] ?? []);
    assert.ok(ids.length > 3, listed);
    for (const short of ids) {
      const full = printed.find((word) => word.startsWith(short)) ?? "";
      assert.match(full, /^[0-9a-f]{64}\*?$/);
      for (const printedId of [short, full]) assert.match(await sandbox.ok(["ls", `${printedId}:/`]), /^bin$/m);
    }
    for (const printedId of [ids[0] ?? "", printed.find((word) => word.startsWith(id)) ?? "", printed.find((word) => !word.endsWith("*")) ?? ""]) {
      assert.equal(await sandbox.ok(["run", "--rm", "--entrypoint", "/bin/true", printedId]), "");
      await sandbox.ok(["diff", printedId]);
    }
    assert.equal((await debug(look, [`${printed.find((word) => word.startsWith(id)) ?? ""}`])).stdout, seen);
  });

  test("an id that nothing has is told as Docker tells it", async () => {
    const none = "0123456789abcdef".repeat(4);
    const { code, stderr } = await sandbox.call(["run", "--rm", none]);
    assert.deepEqual([code, stderr.split("\n")[0]], [125, `slipway: Error response from daemon: No such image: sha256:${none}`]);
  });

  test("goes with the build cache, and what it stands on with it", async () => {
    assert.match(await sandbox.ok(["builder", "du", "--verbose"]).catch(() => sandbox.ok(["system", "df", "-v"])), /exec\.failed|failed: /);
    await sandbox.ok(["builder", "prune", "-af"]);
    assert.equal(await sandbox.ok(["debug", "ls", "-q"]), "");
    assert.deepEqual(readdirSync(path.join(sandbox.store, "steps")), []);
    const gone = await debug("", [id]);
    assert.deepEqual([gone.code, gone.stderr.split("\n")[0]], [1, `no failed step is kept under the id ${id}`]);
  });
});

test("a builder that is killed leaves its steps as they were", async () => {
  const killed = await sandbox.call(["build", "--progress=plain", sandbox.folder({ Dockerfile: `${written} echo all written; sleep 1000` })], {
    onStderr: (text, kill) => {
      if (/ all written\n/.test(text)) kill("SIGKILL");
    },
  });
  assert.equal(killed.signal, "SIGKILL");
  const outcome = await debug(look);
  assert.deepEqual([outcome.stderr, outcome.stdout, outcome.code], ["", seen, 0]);
  assert.match(await sandbox.ok(["debug", "ls", "--format", "{{.Status}}"]), /^Interrupted$/m);
  await sandbox.ok(["debug", "rm", "--all"]);
  assert.deepEqual(readdirSync(path.join(sandbox.store, "steps")), []);
});

test("a build that is interrupted tells where to go on", async () => {
  const outcome = await sandbox.call(["build", "--progress=plain", sandbox.folder({ Dockerfile: "FROM busybox\nRUN echo x >/x; echo begun; sleep 1000" })], {
    onStderr: (text, kill) => {
      if (/ begun\n/.test(text)) kill("SIGINT");
    },
  });
  const id = failedStep(outcome, 130);
  assert.equal(await sandbox.ok(["debug", id, "cat", "/x"]), "x");
});

test("what other steps' failure ends is not kept", async () => {
  const before = await sandbox.ok(["debug", "ls", "-q"]);
  const text = "FROM busybox AS a\nRUN echo waiting; sleep 1000\nFROM busybox\nRUN sleep 1; exit 6\nCOPY --from=a /etc/passwd /p";
  const id = failedStep(await sandbox.buildPlain(text));
  assert.equal(await sandbox.ok(["debug", "ls", "-q"]), [id, before].join("\n").trim());
});

suite("secrets", () => {
  const value = "s3cr3t-of-the-step";
  const text =
    "FROM busybox\nRUN --mount=type=secret,id=token,required --mount=type=secret,id=name,env=NAME test -n $NAME; cp /run/secrets/token /dev/null; exit 1";
  test("are kept nowhere, and can be given again", async () => {
    const env = { TOKEN: value, NAMED: `${value}-2` };
    const id = failedStep(await sandbox.buildPlain(text, {}, ["--secret", "id=token,env=TOKEN", "--secret", "id=name,env=NAMED"], { env }));
    assert.equal(spawnSync("grep", ["-r", "-l", value, sandbox.store]).stdout.toString(), "");
    const without = await debug("cat /run/secrets/token; echo $NAME", [id]);
    assert.match(without.stderr, /^NOTE: secret name is not there: give it with --secret id=name,src=FILE\nNOTE: secret token is not there/);
    assert.equal(without.stdout, "\n");
    const again = await sandbox.ok(["debug", "--secret", "id=token,env=TOKEN", "--secret", "id=name,env=NAMED", id], {
      env,
      input: "cat /run/secrets/token; echo; echo $NAME",
    });
    assert.equal(again, `${value}\n${value}-2`);
  });
});

test("an image without a shell is lent one", async () => {
  const text = 'FROM busybox AS b\nFROM scratch\nCOPY --from=b /bin/busybox /busybox\nENV PATH=/own\nRUN ["/busybox", "sh", "-c", "echo t >/t; exit 2"]';
  const id = failedStep(await sandbox.buildPlain(text));
  const outcome = await debug("ls -A / | tr '\\n' ' '; cat /t; echo $PATH", [id]);
  assert.deepEqual([outcome.stderr, outcome.stdout], ["", ".slipway busybox dev etc proc sys t t\n/own:/.slipway\n"]);
  const absent = await sandbox.call(["debug", id], { env: { PATH: path.dirname(process.execPath) } });
  if (absent.code !== 0) assert.match(absent.stderr, /no static busybox that could be lent\nHint: apt-get install -y busybox-static\n$/);
});

test("the newest few are kept", async () => {
  const env = { SLIPWAY_KEEP_FAILED: "2" };
  const ids: string[] = [];
  for (const code of [11, 12, 13]) ids.unshift(failedStep(await sandbox.buildPlain(`FROM busybox\nRUN exit ${code}`, {}, [], { env })));
  assert.deepEqual((await sandbox.ok(["debug", "ls", "-q"])).split("\n"), ids.slice(0, 2));
  const none = await sandbox.buildPlain("FROM busybox\nRUN exit 14", {}, [], { env: { SLIPWAY_KEEP_FAILED: "0" } });
  assert.ok(!none.stderr.includes("Hint:"), none.stderr);
  assert.equal(await sandbox.ok(["debug", "ls", "-q"]), "");
  const wrong = await sandbox.buildPlain("FROM busybox", {}, [], { env: { SLIPWAY_KEEP_FAILED: "many" } });
  assert.match(wrong.stderr, /SLIPWAY_KEEP_FAILED is how many failed steps are kept, and not "many"/);
});

suite("a step saved as a file", () => {
  const file = path.join(sandbox.directory, "failed.tar");
  const value = "s3cr3t-that-stays";
  test("opens on another machine as it was, without its secrets", async () => {
    const env = { TOKEN: value, HTTP_PROXY: "http://user:pa55word@proxy" };
    const args = ["--save-failed", file, "--secret", "id=token,env=TOKEN", "--build-arg", "HTTP_PROXY"];
    const text = written.replace("RUN --mount=type=cache", "RUN --mount=type=secret,id=token,required --mount=type=cache");
    const failed = await sandbox.buildPlain(`${text} exit 9`, {}, args, { env });
    failedStep(failed);
    assert.match(failed.stderr, /\nThe failed step is saved: slipway debug \S+failed\.tar opens it on any machine\nERROR: /);
    const bytes = readFileSync(file);
    for (const secret of [value, "pa55word"]) assert.ok(!bytes.includes(secret), secret);
    await using elsewhere = await createSandbox({ base: false });
    for (let round = 0; round < 2; round++) {
      const outcome = await elsewhere.call(["debug", file], { input: `${look}; rm file` });
      assert.deepEqual([outcome.stdout, outcome.code], [seen, 0], outcome.stderr);
    }
    assert.equal(await elsewhere.ok(["images", "-aq"]), "");
    assert.equal(await elsewhere.ok(["debug", "ls", "--format", "{{.Status}} {{.Place}}"]), "Exited (9) Dockerfile:10");
    await elsewhere.ok(["debug", "rm", "-a"]);
    await elsewhere.ok(["builder", "prune", "-af"]);
    assert.deepEqual([readdirSync(path.join(elsewhere.store, "layers")), readdirSync(path.join(elsewhere.store, "blobs/sha256"))], [[], []]);
  });

  test("later as well, from standard output", async () => {
    const saved = await sandbox.call(["debug", "save"]);
    const copy = path.join(sandbox.directory, "copy.tar");
    writeFileSync(copy, saved.stdoutBytes);
    assert.equal((await sandbox.call(["debug", copy], { input: look })).stdout, seen);
  });

  test("that was changed is refused, and nothing of it is kept", async () => {
    await using elsewhere = await createSandbox({ base: false });
    const broken = path.join(elsewhere.directory, "broken.tar");
    const bytes = Buffer.from(readFileSync(file));
    bytes[bytes.length - 200_000] = (bytes[bytes.length - 200_000] ?? 0) ^ 1;
    writeFileSync(broken, bytes);
    const outcome = await elsewhere.call(["debug", broken], { input: "" });
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /got sha256:[0-9a-f]{64}|unpacks to/);
    assert.equal(await elsewhere.ok(["debug", "ls", "-q"]), "");
    writeFileSync(broken, tarOf([{ name: "other", text: "x" }]));
    assert.equal((await elsewhere.call(["debug", broken], { input: "" })).stderr, "this is no saved step: it has no slipway-step.json\n");
    assert.match((await elsewhere.call(["debug", "./absent.tar"])).stderr, /^open \.\/absent\.tar: no such file or directory\n$/);
  });
});

suite("before any line", () => {
  const text = `FROM busybox AS first
ENV A=1
RUN echo one >/one
FROM busybox
WORKDIR /w
COPY f .
USER nobody
RUN --mount=type=tmpfs,target=/memory exit 1
RUN echo never >/never
`;
  const cases: readonly (readonly [line: number, args: readonly string[], code: number, stdout: string])[] = [
    [2, [], 0, "/ root - -\n"],
    [3, [], 0, "/ root 1 -\n"],
    [4, [], 0, "/ root 1 - /one\n"],
    [6, [], 0, "/w root - -\n"],
    [7, [], 0, "/w root - - /w/f\n"],
    [8, [], 0, "/w nobody - memory /w/f\n"],
    [99, ["--target", "first"], 0, "/ root 1 - /one\n"],
    [9, [], 1, ""],
    [1, [], 1, ""],
  ];
  for (const [line, args, code, stdout] of cases) {
    test(`${line} ${args.join(" ")}`, async () => {
      const context = sandbox.folder({ Dockerfile: text, f: "f" });
      const before = await sandbox.ok(["debug", "ls", "-q"]);
      const input = 'mounted=-; grep -q " /memory " /proc/mounts && mounted=memory; echo $(pwd) $(id -un) ${A:--} $mounted $(ls -d /one /w/f 2>/dev/null)';
      const outcome = await sandbox.call(["debug", "--at", String(line), ...args, context], { input });
      assert.deepEqual([outcome.code, outcome.stdout], [code, stdout], outcome.stderr);
      if (code === 0) assert.equal(await sandbox.ok(["debug", "ls", "-q"]), before);
    });
  }
  test("grants no more than a build does", async () => {
    const context = sandbox.folder({ Dockerfile: "FROM busybox\nRUN --network=host true\n" });
    const outcome = await sandbox.call(["debug", "--at", "2", context], { input: "" });
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /ERROR: failed to build: failed to solve: failed to load LLB: network\.host is not allowed\n/);
    assert.equal(await sandbox.ok(["debug", "--at", "2", "--allow", "network.host", context, "echo", "granted"]), "granted");
  });
  test("needs a context, and a line", async () => {
    assert.match((await sandbox.call(["debug", "--at", "3"])).stderr, /^--at needs a build context/);
    assert.match((await sandbox.call(["debug", "--at", "0", "."])).stderr, /^--at is a line of the Dockerfile/);
  });
});

test("a build opens the shell when a step fails, and ends with the build's code", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nRUN echo x >/x; exit 7" });
  for (const words of [
    ["debug", "build", "--progress=plain", context],
    ["buildx", "debug", "--on=error", "build", context],
  ]) {
    const outcome = await sandbox.call(words, { input: "cat /x" });
    assert.deepEqual([outcome.code, outcome.stdout], [1, "x\n"], outcome.stderr);
    failedStep(outcome);
  }
  const invoked = await sandbox.call(["debug", "--invoke", "cat /x /x", "build", context]);
  assert.deepEqual([invoked.code, invoked.stdout], [1, "x\nx\n"]);
});

test("where nothing failed", async () => {
  await sandbox.ok(["debug", "rm", "-a"]);
  const outcome = await debug("");
  assert.deepEqual([outcome.code, outcome.stderr.split("\n")[0]], [1, "no failed step is kept"]);
});
