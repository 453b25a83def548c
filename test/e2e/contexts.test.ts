/** Where a context may come from: folders, standard input, archives, git, http. Servers are real and local. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { createSandbox } from "./sandbox.ts";
import { tarOf, type TarMember } from "./tar-of.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const dockerfile = 'FROM busybox\nCOPY f /f\nRUN test "$(cat /f)" = content\n';
const archive = tarOf({ Dockerfile: dockerfile, f: "content" });
const through = (program: string): Buffer => execFileSync(program, ["-c"], { input: archive });
const hasProgram = (name: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${name}`]);
    return true;
  } catch {
    return false;
  }
};

const packings: readonly { readonly name: string; readonly bytes: () => Buffer; readonly needs?: string }[] = [
  { name: "plain", bytes: () => archive },
  { name: "gzip", bytes: () => gzipSync(archive) },
  { name: "zstd", bytes: () => zstdCompressSync(archive) },
  { name: "bzip2", bytes: () => through("bzip2"), needs: "bzip2" },
  { name: "xz", bytes: () => through("xz"), needs: "xz" },
];
for (const { name, bytes, needs } of packings) {
  test(`a tar on standard input: ${name}`, { skip: needs !== undefined && !hasProgram(needs) && `${needs} is not installed` }, async () => {
    await sandbox.ok(["build", "-q", "-"], { input: bytes() });
  });
}

test("a lone Dockerfile on standard input", async () => {
  await sandbox.ok(["build", "-q", "-t", "lone", "-"], { input: "FROM busybox\nRUN true\n" });
});

test("-f - reads the Dockerfile from standard input and keeps the folder as context", async () => {
  await sandbox.ok(["build", "-q", "-f", "-", sandbox.folder({ f: "content" })], { input: dockerfile });
});

test("-f names a file inside a tar context", async () => {
  const input = tarOf({ "sub/other.Dockerfile": dockerfile, f: "content" });
  await sandbox.ok(["build", "-q", "-f", "sub/other.Dockerfile", "-"], { input });
});

test("a relative folder, seen from the folder that the command is called in", async () => {
  const context = sandbox.folder({ "sub/Dockerfile": dockerfile, "sub/f": "content" });
  await sandbox.ok(["build", "-q", "sub"], { cwd: context });
});

const git = (folder: string, ...args: readonly string[]): string =>
  execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.test", ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: sandbox.directory },
  });

function makeRepository(): string {
  const folder = sandbox.folder({
    Dockerfile: 'FROM busybox\nCOPY . /c\nRUN test "$(cat /c/v)" = main && test ! -e /c/.git\n',
    v: "main",
    "dir/Dockerfile": "FROM busybox\nCOPY only /only\n",
    "dir/only": "x",
  });
  git(folder, "init", "-q", "-b", "main");
  git(folder, "add", ".");
  git(folder, "commit", "-qm", "one");
  git(folder, "checkout", "-qb", "branch");
  writeFileSync(path.join(folder, "Dockerfile"), 'FROM busybox\nCOPY . /c\nRUN test "$(cat /c/v)" = branch\n');
  writeFileSync(path.join(folder, "v"), "branch");
  git(folder, "commit", "-qam", "two");
  git(folder, "tag", "v1.0");
  git(folder, "checkout", "-q", "main");
  return folder;
}

/** A plain web server; answers the address "http://127.0.0.1:PORT". */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a git repository over http: default branch, #branch, #tag, #commit, #ref:dir", { skip: !hasProgram("git") && "git is not installed" }, async () => {
  const folder = makeRepository();
  const bare = path.join(sandbox.directory, "served", "repo.git");
  execFileSync("git", ["clone", "-q", "--bare", folder, bare]);
  git(bare, "update-server-info");
  const { readFileSync } = await import("node:fs");
  // git's "dumb" protocol: the repository's files as they are
  const address = await serve((request, response) => {
    const file = path.join(sandbox.directory, "served", new URL(request.url ?? "/", "http://x").pathname);
    if (!existsSync(file)) response.writeHead(404).end();
    else response.end(readFileSync(file));
  });
  const commit = git(folder, "rev-parse", "v1.0").trim();
  for (const fragment of ["", "#main", "#branch", "#v1.0", `#${commit}`, "#main:dir", "#:dir"]) {
    await sandbox.ok(["build", "-q", `${address}/repo.git${fragment}`]);
  }
  // when it was fetched and under which umask is nobody's concern: as a context and by ADD
  const time = git(folder, "log", "-1", "--format=%ct", "main").trim();
  const added = sandbox.folder({ Dockerfile: `FROM busybox\nADD ${address}/repo.git#main /c\nRUN stat -c '%a %Y' /c/v /c/dir >/stat\n` });
  const dockerfile = path.join(sandbox.folder({ Dockerfile: "FROM busybox\nCOPY . /c\nRUN stat -c '%a %Y' /c/v /c/dir >/stat\n" }), "Dockerfile");
  for (const args of [[added], ["-f", dockerfile, `${address}/repo.git#main`]]) {
    const id = await sandbox.ok(["build", "-q", ...args], { through: ["sh", "-c", 'umask 077; exec "$0" "$@"'] });
    assert.equal(await sandbox.ok(["run", "--rm", "--network=none", id, "cat", "/stat"]), `644 ${time}\n755 ${time}`);
  }
  const kept = ["-f", dockerfile, "--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1", `${address}/repo.git?keep-git-dir=false`];
  assert.match(await sandbox.ok(["run", "--rm", "--network=none", await sandbox.ok(["build", "-q", ...kept]), "cat", "/c/.git/HEAD"]), /^[0-9a-f]{40}$/);
  const wrong = await sandbox.call(["build", `${address}/repo.git#nothing`]);
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.stderr,
    /ERROR: failed to build: failed to solve: failed to read dockerfile: failed to load cache key: repository does not contain ref nothing, output: ""\n/,
  );
});

test("a tar and a Dockerfile over http", async () => {
  const address = await serve((request, response) => {
    if (request.url === "/c.tar.gz") response.end(gzipSync(archive));
    else if (request.url === "/Dockerfile") response.end("FROM busybox\nRUN true\n");
    else response.writeHead(404).end("nothing here");
  });
  await sandbox.ok(["build", "-q", `${address}/c.tar.gz`]);
  await sandbox.ok(["build", "-q", `${address}/Dockerfile`]);
  const named = sandbox.folder({ Dockerfile: "FROM busybox\nCOPY --from=x . /x/\nRUN ls /x >/names\n" });
  const namesFrom = async (file: string): Promise<string> => {
    const id = await sandbox.ok(["build", "-q", "--build-context", `x=${address}/${file}`, named]);
    return await sandbox.ok(["run", "--rm", "--network=none", id, "cat", "/names"]);
  };
  assert.match(await namesFrom("c.tar.gz"), /^Dockerfile\n/);
  assert.equal(await namesFrom("Dockerfile"), "Dockerfile");
  for (const [value, want] of [
    ["docker-image://UPPER", "invalid reference format: repository name (library/UPPER) must be lowercase"],
    ["", "failed to get build context x: stat : no such file or directory"],
    [`${address}/none`, "failed to load cache key: invalid response status 404"],
  ] as const) {
    const { stderr } = await sandbox.call(["build", "--build-context", `x=${value}`, named]);
    assert.match(stderr, new RegExp(`ERROR: failed to build: (?:failed to solve: )?${want.replace(/[()]/g, "\\$&")}\n`));
  }
  const missing = await sandbox.call(["build", `${address}/missing.tar`]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /404/);
});

test("ADD of a URL keeps its name, mode 0600 and Last-Modified; it is not extracted", async () => {
  const address = await serve((_, response) => response.setHeader("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT").end(gzipSync(archive)));
  await sandbox.build(`FROM busybox\nADD ${address}/c.tar.gz /in/\nRUN test "$(stat -c '%a %Y' /in/c.tar.gz)" = "600 1700000000"`);
});

const hostile: readonly { readonly name: string; readonly members: readonly TarMember[] }[] = [
  { name: "a name with ..", members: [{ name: "../escape", text: "x" }] },
  {
    name: "a file through an absolute link",
    members: [
      { name: "l", type: "2", target: "/" },
      { name: "l/slipway-escape", text: "x" },
    ],
  },
  {
    name: "a file through a relative link",
    members: [
      { name: "l", type: "2", target: "../../.." },
      { name: "l/slipway-escape", text: "x" },
    ],
  },
  { name: "a hard link out", members: [{ name: "h", type: "1", target: "/etc/passwd" }] },
];
for (const { name, members } of hostile) {
  test(`a hostile tar on standard input leaves nothing outside: ${name}`, async () => {
    const input = tarOf([{ name: "Dockerfile", text: "FROM scratch\nCOPY . /\n" }, ...members]);
    const outcome = await sandbox.call(["build", "-q", "-"], { input });
    assert.ok(outcome.code === 0 || outcome.stderr !== "", "it failed without a word");
    assert.ok(!existsSync("/slipway-escape"));
    assert.deepEqual(
      readdirSync(sandbox.directory).filter((entry) => entry.includes("escape")),
      [],
    );
    if (name.startsWith("a hard link")) assert.doesNotMatch(outcome.stdout, /root:/);
  });
}

test("a broken tar fails in words, a cut one too", async () => {
  for (const input of [archive.subarray(0, 700), gzipSync(archive).subarray(0, 100)]) {
    const outcome = await sandbox.call(["build", "-"], { input });
    assert.equal(outcome.code, 1, outcome.stdout);
    assert.match(outcome.stderr, /ERROR: /);
  }
});

test("links of the context: inside followed, outside not found", async () => {
  const inside = sandbox.folder({ Dockerfile: 'FROM busybox\nCOPY link /f\nRUN test "$(cat /f)" = real', "d/real": "real" });
  symlinkSync("d/real", path.join(inside, "link"));
  await sandbox.ok(["build", "-q", inside]);
  const outside = sandbox.folder({ Dockerfile: "FROM busybox\nCOPY link /f" });
  symlinkSync(path.join(inside, "d/real"), path.join(outside, "link"));
  const outcome = await sandbox.call(["build", outside]);
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /not found/);
});
