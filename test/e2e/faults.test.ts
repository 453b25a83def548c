/**
 * What goes wrong while the program works: full and read-only disks, kill -9 at bad moments, many processes at once. After
 * each the store still serves what was finished, and holds nothing that nobody knows.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { listProcesses } from "./processes.ts";
import { createSandbox, isRoot, statesOf, type Outcome, type Sandbox } from "./sandbox.ts";

const needsMounts = !isRoot && "needs root for a mount of its own";

/** A tmpfs of that size as the store; taken away with the test. */
async function onTmpfs(t: TestContext, sizeKilobytes: number, base: boolean): Promise<Sandbox> {
  const store = path.join("/tmp", `slipway-small-${process.pid}-${sizeKilobytes}`);
  mkdirSync(store);
  assert.equal(spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeKilobytes}k,mode=755`, "tmpfs", store]).status, 0);
  t.after(() => spawnSync("sh", ["-c", 'umount -l "$1"; rmdir "$1"', "sh", store]));
  const sandbox = await createSandbox({ base, store });
  t.after(() => sandbox[Symbol.asyncDispose]());
  return sandbox;
}

/** Files below the store that hold data: after everything is removed and pruned there must be none. */
function dataFilesOf(sandbox: Sandbox): readonly string[] {
  return ["blobs", "layers", "indexes", "work", "cache-mounts", "containers"].flatMap((folder) => {
    const directory = path.join(sandbox.store, folder);
    if (!existsSync(directory)) return [];
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => path.relative(sandbox.store, path.join(entry.parentPath, entry.name)));
  });
}

async function assertNothingLeft(sandbox: Sandbox): Promise<void> {
  await sandbox.ok(["image", "prune", "-af"]);
  await sandbox.ok(["builder", "prune", "-af"]);
  assert.equal(await sandbox.ok(["images", "-aq"]), "");
  assert.deepEqual(dataFilesOf(sandbox), [], "orphans after prune");
}

test("disk full in COPY: says so, keeps nothing, the next smaller build works", { skip: needsMounts }, async (t) => {
  const sandbox = await onTmpfs(t, 4096, false);
  const full = await sandbox.buildPlain("FROM scratch\nCOPY big /\n", { big: Buffer.alloc(8_000_000, 1) });
  assert.equal(full.code, 1, full.stderr);
  assert.match(full.stderr, /no space left on device/);
  await sandbox.build("FROM scratch\nCOPY small /\n", { small: Buffer.alloc(100_000, 2) }, ["-t", "small"]);
  assert.notEqual(await sandbox.ok(["images", "-q", "small"]), "");
  await assertNothingLeft(sandbox);
});

test("disk full in RUN: the step fails in words, the steps before it stay", { skip: needsMounts }, async (t) => {
  const sandbox = await onTmpfs(t, 24_000, true);
  const dockerfile = "FROM busybox\nRUN echo kept >/kept\nRUN dd if=/dev/zero of=/big bs=1M count=40\n";
  const full = await sandbox.buildPlain(dockerfile);
  assert.equal(full.code, 1);
  assert.match(full.stderr, /No space left on device|no space left on device/);
  assert.match(full.stderr, /^Hint: the disk of .* is full; slipway builder prune makes room$/m);
  const again = await sandbox.buildPlain("FROM busybox\nRUN echo kept >/kept\nRUN echo small >/big\n");
  assert.deepEqual([again.code, statesOf(again, /\] RUN/)], [0, ["cached", "done"]], again.stderr);
});

test("disk full on import and load: nothing half-made is listed", { skip: needsMounts }, async (t) => {
  const sandbox = await onTmpfs(t, 4096, false);
  const { tarOf } = await import("./tar-of.ts");
  const input = tarOf([{ name: "big", text: "x".repeat(8_000_000) }]);
  const imported = await sandbox.call(["import", "-", "big:1"], { input });
  assert.equal(imported.code, 1);
  assert.match(imported.stderr, /no space left on device/);
  assert.equal(await sandbox.ok(["images", "-aq"]), "");
  await assertNothingLeft(sandbox);
});

const advisory = (ecosystem: string, id: string, summary = ""): string =>
  JSON.stringify({ id, summary, affected: [{ package: { ecosystem, name: "left" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }] }] }] });
const digestIn = (status: string): string => /^Digest: +(\S+)$/m.exec(status)?.[1] ?? "";

test("disk full on db import: said once, and the database is what it was", { skip: needsMounts }, async (t) => {
  const sandbox = await onTmpfs(t, 4096, false);
  const noise = (at: number): string => createHash("sha512").update(String(at)).digest("hex");
  const large = Array.from({ length: 60_000 }, (_, at) => advisory("npm", `X-${at}`, noise(at))).join("\n");
  const cwd = sandbox.folder({ "small.jsonl": advisory("npm", "X-1"), "large.jsonl": large });
  await sandbox.ok(["db", "import", "-q", "small.jsonl"], { cwd });
  const before = await sandbox.ok(["db", "status"]);
  const full = await sandbox.call(["db", "import", "large.jsonl"], { cwd });
  assert.equal(full.code, 1);
  assert.match(full.stderr, /^Error: no space left on device: the store .* is full \(STORE_NO_SPACE\)\nHint: [^\n]*\n$/);
  assert.equal(await sandbox.ok(["db", "status"]), before);
});

test("a store on a read-only disk fails at once and names it", { skip: needsMounts }, async (t) => {
  const sandbox = await onTmpfs(t, 16_000, true);
  assert.equal(spawnSync("mount", ["-o", "remount,ro", sandbox.store]).status, 0);
  const outcome = await sandbox.buildPlain("FROM busybox\nRUN true\n");
  assert.equal(outcome.code, 1, outcome.stderr);
  assert.match(outcome.stderr, /read-only file system/);
  assert.match(outcome.stderr, new RegExp(sandbox.store));
  assert.doesNotMatch(outcome.stderr, /^ +at /m);
});

interface Kill {
  readonly name: string;
  readonly dockerfile: string;
  /** the whole process group dies when standard error shows this */
  readonly when: RegExp;
  /** what the next build takes from the cache */
  readonly reused: RegExp;
}

/** Loaded before the program: kills its process group once standard error has shown `when`. */
function killerModule(when: RegExp): string {
  return `import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const write = fs.writeSync;
let seen = "";
fs.writeSync = (fd, bytes, ...more) => {
  const written = write(fd, bytes, ...more);
  if (fd === 2) seen += Buffer.from(bytes).toString();
  if (${when}.test(seen)) process.kill(0, "SIGKILL");
  return written;
};
syncBuiltinESMExports();
`;
}

for (const [at, moment] of ["the first file", "the second file", "the index"].entries()) {
  test(`kill -9 in db import, before ${moment} appears: the database is what it was, and the next import is whole`, async (t) => {
    const sandbox = await createSandbox({ base: false });
    t.after(() => sandbox[Symbol.asyncDispose]());
    const cwd = sandbox.folder({ "old.jsonl": advisory("npm", "X-1"), "new.jsonl": `${advisory("npm", "X-2")}\n${advisory("Go", "X-3")}` });
    await sandbox.ok(["db", "import", "-q", "old.jsonl"], { cwd });
    const before = await sandbox.ok(["db", "status"]);
    const killer = path.join(sandbox.directory, "kill.mjs");
    writeFileSync(
      killer,
      `import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const rename = fs.renameSync;
let seen = 0;
fs.renameSync = (from, to) => {
  if (String(to).includes("/advisories/") && seen++ === ${at}) process.kill(process.pid, "SIGKILL");
  rename(from, to);
};
syncBuiltinESMExports();
`,
    );
    const killed = await sandbox.call(["db", "import", "new.jsonl"], { cwd, env: { NODE_OPTIONS: `--import=${killer}` } });
    assert.equal(killed.signal, "SIGKILL", killed.stderr);
    assert.equal(await sandbox.ok(["db", "status"]), before);
    const after = await sandbox.ok(["db", "import", "-q", "new.jsonl"], { cwd });
    assert.equal(digestIn(await sandbox.ok(["db", "status"])), after);
  });
}

const kills: readonly Kill[] = [
  { name: "COPY", dockerfile: "FROM busybox\nRUN echo one >/one\nCOPY big /big\nRUN true\n", when: /\] COPY big/, reused: /RUN echo one/ },
  {
    name: "RUN",
    dockerfile: "FROM busybox\nRUN echo one >/one\nCOPY big /big\nRUN echo begun; sleep 30\n",
    when: /begun\n?$/m,
    reused: /RUN echo one|COPY big/,
  },
  {
    name: "the commit of a RUN",
    dockerfile: "FROM busybox\nRUN echo one >/one\nRUN dd if=/dev/zero of=/z bs=1M count=48 2>/dev/null; echo written\n",
    when: /^#\d+ [\d.]+ written$/m,
    reused: /RUN echo one/,
  },
  { name: "the export", dockerfile: "FROM busybox\nRUN echo one >/one\nCOPY big /big\n", when: /exporting to image/, reused: /RUN echo one|COPY big/ },
  { name: "the beginning", dockerfile: "FROM busybox\nRUN echo one >/one\n", when: /load build definition/, reused: /^$/ },
];
for (const { name, dockerfile, when, reused } of kills) {
  test(`kill -9 in ${name}: nothing finished is lost, nothing is left over`, async (t) => {
    const sandbox = await createSandbox();
    t.after(() => sandbox[Symbol.asyncDispose]());
    const context = sandbox.folder({ Dockerfile: dockerfile, big: Buffer.alloc(32 << 20, 7) });
    // by its own hand, in the very moment that it has said it: a signal from outside would come when the machine finds time for it
    const killer = path.join(sandbox.directory, "kill.mjs");
    writeFileSync(killer, killerModule(when));
    const killed = await sandbox.call(["build", "--progress=plain", "-t", "victim", context], { env: { NODE_OPTIONS: `--import=${killer}` } });
    assert.match(killed.stderr, when, "the moment never came");
    assert.equal(killed.signal, "SIGKILL", killed.stderr);
    writeFileSync(path.join(context, "Dockerfile"), dockerfile.replace("; sleep 30", ""));
    const again = await sandbox.call(["build", "--progress=plain", "-t", "victim", context]);
    assert.equal(again.code, 0, again.stderr);
    assert.ok(
      statesOf(again, reused).every((state) => state === "cached"),
      again.stderr,
    );
    assert.equal(await sandbox.ok(["run", "--rm", "victim", "cat", "/one"]), "one");
    await assertNothingLeft(sandbox);
  });
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  test(`a build that gets ${signal} ends soon with ${code}, takes its processes along and says canceled`, async (t) => {
    const sandbox = await createSandbox();
    t.after(() => sandbox[Symbol.asyncDispose]());
    const marker = `sleep 9${process.pid}`;
    const outcome = await sandbox.call(["build", "--progress=plain", sandbox.folder({ Dockerfile: `FROM busybox\nRUN echo begun; ${marker}` })], {
      onStderr: (said, kill) => {
        if (/^#\d+ [\d.]+ begun$/m.test(said)) kill(signal);
      },
    });
    assert.equal(outcome.code, code, outcome.stderr);
    assert.notEqual(outcome.signal, "SIGKILL", "it had to be killed");
    assert.match(outcome.stderr, /canceled/i);
    assert.deepEqual(
      listProcesses().filter(({ words }) => words === marker),
      [],
    );
  });

test("twenty builds at once on one store", async (t) => {
  const sandbox = await createSandbox();
  t.after(() => sandbox[Symbol.asyncDispose]());
  const builds = Array.from({ length: 20 }, (_, index) =>
    sandbox.buildPlain(`FROM busybox\nCOPY shared /\nRUN echo ${index} >/n\n`, { shared: "same" }, ["-t", `many:${index}`], { timeoutMs: 240_000 }),
  );
  const outcomes = await Promise.all(builds);
  for (const outcome of outcomes) assert.equal(outcome.code, 0, outcome.stderr);
  assert.equal((await sandbox.ok(["images", "--format", "{{.Tag}}", "many"])).split("\n").length, 20);
  for (const index of [0, 19]) assert.equal(await sandbox.ok(["run", "--rm", `many:${index}`, "cat", "/n"]), String(index));
  await sandbox.ok(["rmi", "-f", ...outcomes.map((_, index) => `many:${index}`), "busybox"]);
  await assertNothingLeft(sandbox);
});

test("the same build twice at once does the work once", async (t) => {
  const sandbox = await createSandbox();
  t.after(() => sandbox[Symbol.asyncDispose]());
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nRUN --mount=type=cache,id=count,target=/c echo run >>/c/runs; sleep 2; echo built >/out\n" });
  const both = await Promise.all([1, 2, 3].map((tag) => sandbox.call(["build", "--progress=plain", "-t", `once:${tag}`, context])));
  for (const outcome of both) assert.equal(outcome.code, 0, outcome.stderr);
  const count = await sandbox.buildPlain('FROM busybox\nRUN --mount=type=cache,id=count,target=/c echo "runs: $(wc -l </c/runs)"\n');
  assert.match(count.stderr, /runs: 1$/m, count.stderr);
  const ids = await Promise.all([1, 2, 3].map((tag) => sandbox.ok(["images", "-q", `once:${tag}`])));
  assert.equal(new Set(ids).size, 1);
});

test("two processes prune while one builds", async (t) => {
  const sandbox = await createSandbox();
  t.after(() => sandbox[Symbol.asyncDispose]());
  // the base has a container, so that pruning all unused images leaves it
  await sandbox.ok(["run", "--name", "holds-the-base", "busybox", "true"]);
  const steps = Array.from({ length: 6 }, (_, index) => `COPY f /f${index}\nRUN echo ${index} >/n${index}; sleep 0.2`).join("\n");
  let building = true;
  const build = sandbox.buildPlain(`FROM busybox\n${steps}\n`, { f: "f" }, ["-t", "survivor"]).finally(() => (building = false));
  const prune = async (args: readonly string[]): Promise<readonly Outcome[]> => {
    const outcomes: Outcome[] = [];
    while (building) outcomes.push(await sandbox.call(args));
    return outcomes;
  };
  const [outcome, ...prunes] = await Promise.all([build, prune(["builder", "prune", "-af"]), prune(["image", "prune", "-f"])]);
  assert.equal(outcome.code, 0, outcome.stderr);
  for (const one of prunes.flat()) assert.equal(one.code, 0, one.stderr);
  assert.ok(prunes.every((list) => list.length > 0));
  assert.equal(await sandbox.ok(["run", "--rm", "survivor", "sh", "-c", "cat /n0 /n5 /f3"]), "0\n5\nf");
});

test("a container that is killed with its store's process leaves the image removable", async (t) => {
  const sandbox = await createSandbox();
  t.after(() => sandbox[Symbol.asyncDispose]());
  await sandbox.call(["run", "--name", "orphan", "busybox", "sh", "-c", "echo up >&2; sleep 60"], {
    onStderr: (said, kill) => {
      if (said.includes("up")) kill("SIGKILL");
    },
  });
  await sandbox.ok(["rm", "-f", "orphan"]);
  await assertNothingLeft(sandbox);
});
