/** What is reused, what is not, and the reason that a step which runs gives. */
import assert from "node:assert/strict";
import { chmodSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { createSandbox, statesOf, type Outcome } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const plain = async (context: string, flags: readonly string[] = []): Promise<Outcome> => {
  const outcome = await sandbox.call(["build", "--progress=plain", ...flags, context]);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
};
/** Steps that can be cached: those of RUN, COPY, ADD, WORKDIR. */
const states = (outcome: Outcome): readonly string[] => statesOf(outcome, /\] (RUN|COPY|ADD|WORKDIR) /);
const reasonsOf = (outcome: Outcome): readonly string[] => outcome.stderr.split("\n").flatMap((line) => /^#\d+ not cached: (.*)$/.exec(line)?.[1] ?? []);

const threeSteps = "FROM busybox\nWORKDIR /w\nCOPY a ./\nRUN cat a >b\n";

test("a second build takes every step from the cache, in another process, with the same id", async () => {
  const context = sandbox.folder({ Dockerfile: threeSteps, a: "1" });
  const first = await plain(context, ["-t", "twice:1"]);
  assert.deepEqual(states(first), ["done", "done", "done"], first.stderr);
  const second = await plain(context, ["-t", "twice:2"]);
  assert.deepEqual(states(second), ["cached", "cached", "cached"], second.stderr);
  assert.equal(await sandbox.ok(["images", "-q", "twice:1"]), await sandbox.ok(["images", "-q", "twice:2"]));
});

test("touching a file changes nothing, changing a byte of equal size and time does", async () => {
  const context = sandbox.folder({ Dockerfile: threeSteps, a: "one" });
  const file = path.join(context, "a");
  utimesSync(file, 1_600_000_000, 1_600_000_000);
  await plain(context);
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  assert.deepEqual(states(await plain(context)), ["cached", "cached", "cached"]);
  // same size, and the time put back: only ctime tells
  writeFileSync(file, "two");
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  const changed = await plain(context);
  assert.deepEqual(states(changed), ["cached", "done", "done"], changed.stderr);
  assert.match(reasonsOf(changed).join("\n"), /\ba\b.*changed|changed.*\ba\b/);
});

test("a mode change counts, a file that the step does not read does not", async () => {
  const context = sandbox.folder({ Dockerfile: threeSteps, a: "1", other: "1" });
  await plain(context);
  writeFileSync(path.join(context, "other"), "2");
  assert.deepEqual(states(await plain(context)), ["cached", "cached", "cached"]);
  chmodSync(path.join(context, "a"), 0o755);
  assert.equal(states(await plain(context))[1], "done");
});

test("a removed and a new file below a copied folder count", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nCOPY d /d\nRUN ls /d", "d/a": "1", "d/b": "2" });
  await plain(context);
  rmSync(path.join(context, "d/b"));
  assert.deepEqual(states(await plain(context)), ["done", "done"]);
  writeFileSync(path.join(context, "d/b"), "2");
  assert.deepEqual(states(await plain(context)), ["cached", "cached"], "the former content is found again");
});

test("a build argument counts from where it is used, and the reason names it", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nRUN echo before\nARG VERSION=1\nRUN echo $VERSION\n" });
  await plain(context);
  const other = await plain(context, ["--build-arg", "VERSION=2"]);
  assert.deepEqual(states(other), ["cached", "done"]);
  assert.match(reasonsOf(other).join("\n"), /VERSION/);
});

test("a changed command names itself as the reason, a first build says so", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nRUN echo first-form-of-it\n" });
  assert.equal(reasonsOf(await plain(context)).length, 1);
  writeFileSync(path.join(context, "Dockerfile"), "FROM busybox\nRUN echo second-form-of-it\n");
  const changed = await plain(context);
  assert.deepEqual(states(changed), ["done"]);
  assert.equal(reasonsOf(changed).length, 1);
});

test("--no-cache runs everything again, --no-cache-filter one stage", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox AS one\nRUN echo 1 >/x\nFROM busybox AS two\nRUN echo 2 >/y\nCOPY --from=one /x /\n" });
  await plain(context);
  assert.ok(states(await plain(context, ["--no-cache"])).every((state) => state === "done"));
  const filtered = await plain(context, ["--no-cache-filter", "two"]);
  assert.deepEqual(statesOf(filtered, /one .*RUN/), ["cached"], filtered.stderr);
  assert.deepEqual(statesOf(filtered, /two .*RUN/), ["done"], filtered.stderr);
});

test("steps before a failing one are reused by the next try", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nRUN echo slow >/slow\nRUN exit 5\n" });
  assert.equal((await sandbox.call(["build", "--progress=plain", context])).code, 1);
  writeFileSync(path.join(context, "Dockerfile"), "FROM busybox\nRUN echo slow >/slow\nRUN true\n");
  assert.deepEqual(states(await plain(context)), ["cached", "done"]);
});

test("by content: a step after a stage that ran again to the same result is reused", async () => {
  const dockerfile = (comment: string): string =>
    `FROM busybox AS a\nRUN echo same >/x && touch -d @1000000 /x && : ${comment}\nFROM busybox\nCOPY --from=a /x /x\nRUN cat /x >/y\n`;
  const context = sandbox.folder({ Dockerfile: dockerfile("one") });
  await plain(context);
  writeFileSync(path.join(context, "Dockerfile"), dockerfile("two"));
  const second = await plain(context);
  assert.deepEqual(statesOf(second, /a \d\/\d\] RUN/), ["done"], second.stderr);
  assert.deepEqual(statesOf(second, /stage-1 \d\/\d\] (COPY|RUN)/), ["cached", "cached"], second.stderr);
});

test("two tags of one base, a moved base: the step on it runs again and says why", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM movable\nRUN echo on-base\n" });
  await sandbox.build("FROM busybox\nRUN echo v1 >/v", {}, ["-t", "movable"]);
  await plain(context);
  await sandbox.build("FROM busybox\nRUN echo v2 >/v", {}, ["-t", "movable"]);
  const moved = await plain(context);
  assert.deepEqual(states(moved), ["done"]);
  assert.match(reasonsOf(moved).join("\n"), /base/i);
});

test("builder prune empties the cache, images stay; system df counts both", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nRUN echo prunable >/p\n" });
  await plain(context, ["-t", "kept"]);
  assert.match(await sandbox.ok(["system", "df"]), /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages .*\nContainers .*\nLocal Volumes .*\nBuild Cache /);
  assert.match(await sandbox.ok(["builder", "prune", "-af"]), /^Total(?: reclaimed space)?:/m);
  assert.equal(await sandbox.ok(["run", "--rm", "kept", "cat", "/p"]), "prunable");
  assert.deepEqual(states(await plain(context)), ["done"]);
});

test("a cache mount that a step works in is taken away by nobody: not by --no-cache, not by prune", async () => {
  const build = (lines: string, flags: readonly string[] = []): Promise<Outcome> =>
    sandbox.call(["build", "--progress=plain", ...flags, sandbox.folder({ Dockerfile: `FROM busybox\n${lines}\n` })]);
  const both = "RUN --mount=type=cache,target=/signs --mount=type=cache,target=/used";
  const signs = "RUN --mount=type=cache,target=/signs";
  const wait = (sign: string): string => `until [ -e /signs/${sign} ]; do sleep 0.05; done`;
  const working = build(`${both} touch /signs/started /used/before && ${wait("go")} && touch /used/after && ls /used`);
  assert.equal((await build(`${signs} ${wait("started")}`)).code, 0);
  const anew = await build("RUN --mount=type=cache,target=/used echo has $(ls /used) && touch /used/anew", ["--no-cache"]);
  assert.match(anew.stderr, /^#\d+ [\d.]+ has$/m, anew.stderr);
  await sandbox.ok(["builder", "prune", "--all", "--force"]);
  assert.equal((await build(`${signs} touch /signs/go`)).code, 0);
  const { code, stderr } = await working;
  assert.equal(code, 0, stderr);
  assert.match(stderr, / after\n/);
  assert.match(stderr, / before\n/);
});
