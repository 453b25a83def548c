/** Ordinary Dockerfiles from end to end. Most cases assert inside their own RUN steps: a wrong file fails the build. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createSandbox, type Files } from "./sandbox.ts";
import { tarOf } from "./tar-of.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

interface Case {
  readonly name: string;
  readonly dockerfile: string;
  readonly files?: Files;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const builds: readonly Case[] = [
  {
    name: "COPY of files, folders and globs",
    dockerfile: `FROM busybox
COPY a.txt /one
COPY a.txt b.txt /dir/
COPY sub /tree
COPY *.txt /glob/
COPY --chown=5:6 --chmod=640 a.txt /owned
RUN test "$(cat /one)" = A && test "$(ls /dir | tr '\\n' ' ')" = "a.txt b.txt " && test "$(cat /tree/deep/c)" = C
RUN test -f /glob/a.txt && test -f /glob/b.txt && test "$(stat -c '%u:%g %a' /owned)" = "5:6 640"`,
    files: { "a.txt": "A", "b.txt": "B", "sub/deep/c": "C" },
  },
  {
    name: "WORKDIR, USER, SHELL, relative paths",
    dockerfile: `FROM busybox
WORKDIR /srv
WORKDIR app
COPY x ./
RUN test "$PWD" = /srv/app && test -f /srv/app/x
USER nobody
RUN test "$(id -un)" = nobody
USER 1234:100
RUN test "$(id -u):$(id -g)" = 1234:100
USER root
SHELL ["/bin/sh", "-ec"]
RUN false || true; test "$0" = /bin/sh`,
    files: { x: "x" },
  },
  {
    name: "ARG and ENV: defaults, overrides, scopes",
    dockerfile: `ARG TAG=latest
FROM busybox:\${TAG} AS one
ARG A=1
ARG B
ENV C=$A-$B D="two words"
RUN test "$C" = 7-b && test "$A" = 7 && test "$D" = "two words"
FROM one
ARG A
RUN test -z "$TAG" && test "$C" = 7-b && test "$A$B" = 7b
ENV E=\${UNSET:-fallback} F=\${C:+set}
RUN test "$E" = fallback && test "$F" = set`,
    flags: ["--build-arg", "A=7", "--build-arg", "B"],
    env: { B: "b" },
  },
  {
    name: "several stages, COPY --from a stage, a number and an image",
    dockerfile: `FROM busybox AS build
RUN mkdir /out && echo built >/out/file && ln -s file /out/link && ln /out/file /out/hard
FROM scratch AS middle
COPY --from=build /out /kept
FROM busybox
COPY --from=middle /kept/ /m/
COPY --from=0 /out/file /zero
COPY --from=busybox:latest /bin/busybox /other
RUN test "$(cat /m/file)" = built && test "$(readlink /m/link)" = file && test "$(cat /zero)" = built
RUN test "$(stat -c %h /m/hard)" = 2 && cmp /other /bin/busybox`,
  },
  {
    name: "heredocs in RUN and COPY",
    dockerfile: `FROM busybox
ARG WHO=me
RUN <<EOF
set -e
echo first >/h1
echo second >>/h1
EOF
COPY <<one <<"two" /here/
hello $WHO
one
literal $WHO
two
RUN <<EOF cat >/h2
text
EOF
RUN test "$(cat /h1 | tr '\\n' ' ')" = "first second " && test "$(cat /here/one)" = "hello me"
RUN test "$(cat /here/two)" = 'literal $WHO' && test "$(cat /h2)" = text`,
  },
  {
    name: "mounts: cache, bind, tmpfs, secret",
    dockerfile: `FROM busybox AS src
RUN echo from-stage >/data
FROM busybox
RUN --mount=type=cache,target=/c echo kept >/c/file
RUN --mount=type=cache,target=/c test "$(cat /c/file)" = kept
RUN test ! -e /c/file
RUN --mount=type=bind,target=/ctx test "$(cat /ctx/a)" = A
RUN --mount=type=bind,from=src,source=/data,target=/d test "$(cat /d)" = from-stage
RUN --mount=type=bind,target=/ctx,rw echo gone >/ctx/new
RUN --mount=type=tmpfs,target=/t echo x >/t/x
RUN test ! -e /t/x && test ! -e /ctx/new
RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = s3cret
RUN --mount=type=secret,id=token,target=/k,mode=0444,uid=7 test "$(stat -c '%u %a' /k)" = "7 444"
RUN --mount=type=secret,id=token,env=TOKEN test "$TOKEN" = s3cret
RUN test ! -e /run/secrets && test ! -e /k`,
    files: { a: "A" },
    flags: ["--secret", "id=token,env=TOKEN_VALUE"],
    env: { TOKEN_VALUE: "s3cret" },
  },
  {
    name: "RUN --network=none, and --add-host",
    dockerfile: `FROM busybox
RUN --network=none test -z "$(grep -v -e lo: -e Inter -e face /proc/net/dev)"
RUN grep -q '10.9.8.7.*example.test' /etc/hosts`,
    flags: ["--add-host", "example.test:10.9.8.7"],
  },
  {
    name: "ADD extracts an archive, COPY does not",
    dockerfile: `FROM busybox
COPY a.tgz /as-file
ADD a.tgz /extracted/
RUN tar -tzf /as-file | grep -q file && test "$(cat /extracted/file)" = inside`,
    files: { "a.tgz": gzipSync(tarOf({ file: "inside" })) },
  },
  {
    name: "a named build context is a stage and a source",
    dockerfile: `FROM more AS m
FROM m
COPY --from=extra x /x
RUN test "$(cat /x)" = extra`,
    files: { "other/x": "extra", ".dockerignore": "other" },
    flags: ["--build-context", "extra=other", "--build-context", "more=docker-image://busybox"],
  },
  {
    name: "ulimits and shm size",
    dockerfile: `FROM busybox
RUN test "$(ulimit -n)" = 512
RUN test "$(df -k /dev/shm | tail -n 1 | awk '{ print $2 }')" = 8192`,
    flags: ["--ulimit", "nofile=512:512", "--shm-size", "8m"],
  },
  {
    name: "symlinks inside the image are followed inside the image",
    dockerfile: `FROM busybox
RUN mkdir -p /real && ln -s /real /link && ln -s ../../../../real /up
COPY a /link/a
COPY a /up/b
RUN test "$(ls /real | tr '\\n' ' ')" = "a b "`,
    files: { a: "A" },
  },
  {
    name: "a file removed and a folder replaced in a later step",
    dockerfile: `FROM busybox
RUN mkdir -p /d/sub && echo 1 >/d/one && echo 2 >/d/sub/two
RUN rm /d/one && rm -r /d/sub && mkdir /d/sub && echo 3 >/d/sub/three
RUN test ! -e /d/one && test "$(ls /d/sub)" = three
FROM busybox
COPY --from=0 /d /d
RUN test ! -e /d/one && test "$(ls /d/sub)" = three`,
  },
  {
    name: "another escape character, comments within a line",
    dockerfile: `# escape=\`
FROM busybox
RUN echo one >/x && \`
    # a comment in between
    echo two >>/x
RUN test "$(wc -l </x)" -eq 2`,
  },
];

for (const { name, dockerfile, files, flags, env } of builds) {
  test(`builds: ${name}`, async () => {
    const context = sandbox.folder({ Dockerfile: dockerfile, ...files });
    const outcome = await sandbox.call(["build", "--progress=plain", ...(flags ?? []), "."], { cwd: context, ...(env === undefined ? {} : { env }) });
    assert.equal(outcome.code, 0, outcome.stderr);
  });
}

test("secrets appear in no layer, history or log", async () => {
  const secret = sandbox.folder({ token: "c0nfidential-7731" });
  const dockerfile = "FROM busybox\nRUN --mount=type=secret,id=t cat /run/secrets/t | md5sum >/sum";
  const outcome = await sandbox.buildPlain(dockerfile, {}, ["-t", "secretive", "--secret", `id=t,src=${secret}/token`]);
  assert.equal(outcome.code, 0, outcome.stderr);
  const saved = await sandbox.call(["save", "secretive"]);
  assert.ok(saved.stdoutBytes.length > 10_000, saved.stderr);
  assert.ok(!saved.stdoutBytes.includes("c0nfidential"));
  assert.ok(!outcome.stderr.includes("c0nfidential"));
  assert.ok(!(await sandbox.ok(["history", "--no-trunc", "secretive"])).includes("c0nfidential"));
});

test("a missing secret that is required fails, an optional one is empty", async () => {
  const required = await sandbox.buildPlain("FROM busybox\nRUN --mount=type=secret,id=none,required=true true");
  assert.equal(required.code, 1);
  assert.match(required.stderr, /secret none: not found/);
  await sandbox.build("FROM busybox\nRUN --mount=type=secret,id=none test ! -e /run/secrets/none");
});

test("metadata instructions end in the image's config", async () => {
  await sandbox.build(
    `FROM busybox
LABEL a=1 b="two words"
ENV X=1 Y=2
EXPOSE 80 53/udp
VOLUME ["/data"]
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --retries=2 CMD true
WORKDIR /w
USER daemon
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo hi"]
ONBUILD RUN true`,
    {},
    ["-t", "meta", "--label", "c=3"],
  );
  const [image] = JSON.parse(await sandbox.ok(["inspect", "meta"])) as readonly [{ readonly Config: Readonly<Record<string, unknown>> }];
  const names = ["Labels", "ExposedPorts", "Volumes", "StopSignal", "Healthcheck", "WorkingDir", "User", "Entrypoint", "Cmd", "OnBuild"];
  assert.deepEqual(Object.fromEntries(names.map((name) => [name, image.Config[name]])), {
    Labels: { a: "1", b: "two words", c: "3" },
    ExposedPorts: { "53/udp": {}, "80/tcp": {} },
    Volumes: { "/data": {} },
    StopSignal: "SIGQUIT",
    Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 5_000_000_000, Retries: 2 },
    WorkingDir: "/w",
    User: "daemon",
    Entrypoint: ["/bin/sh", "-c"],
    Cmd: ["echo hi"],
    OnBuild: ["RUN true"],
  });
  assert.deepEqual(
    (image.Config["Env"] as readonly string[]).filter((one) => !one.startsWith("PATH=")),
    ["X=1", "Y=2"],
  );
});

test("ONBUILD triggers run in the child", async () => {
  await sandbox.build("FROM busybox\nONBUILD COPY in /in\nONBUILD RUN test -f /in && echo triggered >/t", {}, ["-t", "parent"]);
  await sandbox.build('FROM parent\nRUN test "$(cat /t)" = triggered', { in: "x" });
});

test(".dockerignore keeps files out, and lets exceptions in", async () => {
  const files = { ".dockerignore": "# comment\nlogs\n**/*.tmp\n*.md\n!keep.md\n", "logs/l": "", "a/b.tmp": "", "a/c": "", "x.md": "", "keep.md": "" };
  const want = "./.dockerignore ./Dockerfile ./a/c ./keep.md ";
  await sandbox.build(`FROM busybox\nCOPY . /all\nRUN cd /all && test "$(find . -type f | sort | tr '\\n' ' ')" = '${want}'`, files);
});

test("<Dockerfile>.dockerignore replaces the general one", async () => {
  const context = sandbox.folder({
    "b.Dockerfile": "FROM busybox\nCOPY . /all\nRUN test -f /all/one && test ! -e /all/two",
    "b.Dockerfile.dockerignore": "two\n",
    ".dockerignore": "one\n",
    one: "",
    two: "",
  });
  await sandbox.ok(["build", "-q", "-f", path.join(context, "b.Dockerfile"), context]);
});

test("--target builds that stage, and stages it does not need do not run", async () => {
  const dockerfile = "FROM busybox AS a\nRUN echo stage-a\nFROM busybox AS unused\nRUN exit 9\nFROM a AS b\nRUN echo stage-b\nFROM b\nRUN exit 8";
  const outcome = await sandbox.buildPlain(dockerfile, {}, ["--target", "b"]);
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stderr, /stage-b/);
  assert.doesNotMatch(outcome.stderr, /exit [89]/);
});

test("an unused stage's failure does not fail the build, a needed one's does", async () => {
  assert.equal((await sandbox.buildPlain("FROM busybox AS bad\nRUN exit 4\nFROM busybox\nRUN true")).code, 0);
  assert.equal((await sandbox.buildPlain("FROM busybox AS bad\nRUN exit 4\nFROM busybox\nCOPY --from=bad / /x")).code, 1);
});

test("independent stages run side by side", async () => {
  // each waits for a file that only the other makes, in a cache that both share
  const meet = (mine: string, other: string): string =>
    `RUN --mount=type=cache,id=meet,target=/meet touch /meet/${mine}; i=0; while [ ! -e /meet/${other} ]; do i=$((i+1)); [ $i -lt 1200 ] || exit 1; sleep 0.05; done; touch /${mine}`;
  await sandbox.build(`FROM busybox AS a\n${meet("a", "b")}\nFROM busybox AS b\n${meet("b", "a")}\nFROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /`);
});

test("-q prints the id alone, --iidfile and --metadata-file hold it", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nLABEL q=1" });
  const iid = path.join(sandbox.directory, "iid");
  const metadata = path.join(sandbox.directory, "metadata.json");
  const id = await sandbox.ok(["build", "-q", "--iidfile", iid, "--metadata-file", metadata, "-t", "quiet:1", "-t", "quiet:2", context]);
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  assert.equal(readFileSync(iid, "utf8"), id);
  const held = JSON.parse(readFileSync(metadata, "utf8")) as Readonly<Record<string, unknown>>;
  assert.equal(held["containerimage.config.digest"], id);
  assert.equal(held["image.name"], "docker.io/library/quiet:1,docker.io/library/quiet:2");
  assert.equal(await sandbox.ok(["images", "-q", "--no-trunc", "quiet:2"]), id);
});

test("the same build in two stores gives the same image when the clock is fixed", async () => {
  await using other = await createSandbox();
  const files: Files = { "a/x": { text: "x", mode: 0o640 }, b: "b" };
  const context = sandbox.folder({ Dockerfile: "FROM scratch\nCOPY . /\nLABEL z=1", ...files });
  const env = { SOURCE_DATE_EPOCH: "1700000000" };
  const first = await sandbox.ok(["build", "-q", context], { env });
  assert.equal(await other.ok(["build", "-q", context], { env }), first);
});

test("# syntax= asks for no image: the frontend is built in", async () => {
  await sandbox.build("# syntax=no.such.host/frontend:9\nFROM busybox\nRUN true");
});

for (const flag of ["--squash", "--squash=own", "--squash=true"]) {
  test(`${flag} leaves one layer above the base, whose own stay`, async () => {
    await sandbox.build("FROM busybox\nRUN echo 1 >/a\nRUN echo 2 >/b && rm /a", {}, [flag, "-t", "squashed"]);
    const layers = await sandbox.ok(["inspect", "-f", '{{join .RootFS.Layers " "}}', "squashed"]);
    const base = await sandbox.ok(["inspect", "-f", '{{join .RootFS.Layers " "}}', "busybox"]);
    assert.deepEqual([layers.split(" ").length, layers.split(" ")[0]], [2, base]);
    const history = await sandbox.ok(["history", "--format", "{{.Comment}}", "squashed"]);
    assert.equal(history.split("\n")[0], `merge 2 layers to ${base}`);
    assert.equal(await sandbox.ok(["run", "--rm", "squashed", "sh", "-c", "cat /b; ls /a 2>/dev/null || echo gone"]), "2\ngone");
  });
}

test("--squash of a single layer changes nothing, of something else is refused", async () => {
  const dockerfile = "FROM busybox\nRUN echo 1 >/single";
  assert.equal(await sandbox.build(dockerfile, {}, ["--squash=own"]), await sandbox.build(dockerfile));
  const refused = await sandbox.call(["build", "--squash=all", "."]);
  assert.deepEqual([refused.code, refused.stderr.includes('invalid argument "all" for "--squash" flag: strconv.ParseBool: parsing "all"')], [125, true]);
});

test("-f names a Dockerfile outside the context", async () => {
  const elsewhere = sandbox.folder({ D: "FROM busybox\nCOPY only /\nRUN test -f /only" });
  await sandbox.ok(["build", "-q", "-f", path.join(elsewhere, "D"), sandbox.folder({ only: "x" })]);
});

test("--ssh forwards the agent's socket", async (t) => {
  const socket = path.join(sandbox.directory, "agent.sock");
  const server = createServer((connection) => connection.end("hello-agent\n"));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => server.close());
  await sandbox.build('FROM busybox\nRUN --mount=type=ssh test -S "$SSH_AUTH_SOCK"\nRUN test -z "$SSH_AUTH_SOCK"', {}, ["--ssh", `default=${socket}`]);
  await sandbox.build(
    `FROM busybox
RUN --mount=type=ssh test "$(stat -c '%a %u:%g' "$SSH_AUTH_SOCK")" = '600 0:0'
USER 1000
RUN --mount=type=ssh,uid=1000,gid=5,mode=0640,target=/agent test "$(stat -c '%a %u:%g' /agent)" = '640 1000:5' && test -w /agent`,
    {},
    ["--ssh", `default=${socket}`],
  );
  assert.equal((await sandbox.buildPlain("FROM busybox\nRUN --mount=type=ssh,required=true true")).code, 1);
});
