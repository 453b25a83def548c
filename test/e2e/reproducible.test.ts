/** One commit, two checkouts that differ in all that a commit does not say, two stores: one image. */
import assert from "node:assert/strict";
import { chmodSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { becomeOrdinary, checkout as checkoutOf, git, hasNoGit, noOrdinaryUser, ordinaryUser, repository, twoStores } from "./checkouts.ts";
import { createSandbox } from "./sandbox.ts";

describe("--reproducible", { skip: hasNoGit ? "git is not installed" : false }, async () => {
  if (hasNoGit) return;
  const stores = await twoStores();
  const { here, there, base } = stores;
  after(() => stores[Symbol.asyncDispose]());

  const dockerfile = [
    "FROM busybox AS build",
    "WORKDIR /src",
    "COPY . .",
    "RUN mkdir -p out && cp -p run.sh out/ && date >out/ignored && rm out/ignored && ls -l --full-time run.sh data >out/list && touch out/now",
    "RUN --mount=type=bind,target=/context stat -c '%n %a %Y' /context/run.sh /context/data/deep/file >/times",
    "FROM busybox",
    "COPY --from=build /src/out /out",
    "COPY --from=build /times /times",
    "COPY --link data /data",
    "ADD --chown=5:6 data/deep /deep",
    'CMD ["/out/run.sh"]',
    "",
  ].join("\n");
  const files = {
    Dockerfile: dockerfile,
    ".dockerignore": ".git\n",
    "data/deep/file": "file",
    "data/empty": "",
    "run.sh": { text: "#!/bin/sh\necho hi\n", mode: 0o755 },
  };
  const origin = repository(here, files, "2026-01-02T03:04:05Z");
  const checkout = (name: string, umask: string, seconds: number, owner?: number): string =>
    checkoutOf(here, origin, { name, umask, seconds, ...(owner === undefined ? {} : { owner }) });
  const first = checkout("one/app", "022", 1_500_000_000);
  const second = checkout("elsewhere/very/deep/other", "077", 1_790_000_000, 1000);

  test("two checkouts, two stores, one image", async () => {
    const one = await here.ok(["build", "-q", "--reproducible", first]);
    const other = await there.ok(["build", "-q", "--reproducible", second]);
    assert.equal(other, one);
    const time = git(origin, "log", "-1", "--format=%ct").trim();
    const created = await here.ok(["inspect", "-f", "{{.Created}}", one]);
    assert.equal(Date.parse(created) / 1000, Number(time));
    // 755 and 644 as git tells them apart, at the commit's time
    assert.equal(await here.ok(["run", "--rm", "--network=none", one, "cat", "/times"]), `/context/run.sh 755 ${time}\n/context/data/deep/file 644 ${time}`);
  });

  test("an ordinary user makes the same image as root", { skip: noOrdinaryUser }, async () => {
    await using ordinary = await createSandbox({ base: false, owner: ordinaryUser, through: becomeOrdinary });
    await ordinary.ok(["load", "-i", base]);
    const folder = checkout("users/app", "077", 1_600_000_000, ordinaryUser);
    assert.equal(await ordinary.ok(["build", "-q", "--reproducible", folder]), await here.ok(["build", "-q", "--reproducible", first]));
  });

  test("the repository's address as the context makes the same image as a checkout", async () => {
    const address = `file://${origin}#main`;
    assert.equal(await here.ok(["build", "-q", "--reproducible", address]), await here.ok(["build", "-q", "--reproducible", first]));
  });

  test("a layer that another build made with other times is not taken for it", async () => {
    const time = git(origin, "log", "-1", "--format=%ct").trim();
    const fresh = await createSandbox({ base: false });
    await using _fresh = fresh;
    await fresh.ok(["load", "-i", base]);
    const plain = await fresh.ok(["build", "-q", "--reproducible=false", first]);
    const reproducible = await fresh.ok(["build", "-q", "--reproducible", first]);
    assert.notEqual(reproducible, plain);
    assert.equal(reproducible, await here.ok(["build", "-q", "--reproducible", first]));
    // and the other way round: files are as they lie there
    assert.equal(await fresh.ok(["build", "-q", "--reproducible=false", first]), plain);
    // a commit's files have its time wherever that is said
    assert.equal(await fresh.ok(["build", "-q", "--build-arg", `SOURCE_DATE_EPOCH=${time}`, first]), reproducible);
  });

  test("SOURCE_DATE_EPOCH alone: what git tracks is the same from every checkout, what it does not stays as it lies there", async () => {
    const env = { SOURCE_DATE_EPOCH: "1600000000" };
    const one = await here.ok(["build", "-q", first], { env });
    assert.equal(await there.ok(["build", "-q", second], { env }), one);
    const folder = checkout("untracked/app", "077", 1_550_000_000);
    const file = path.join(folder, "own");
    writeFileSync(path.join(folder, "Dockerfile"), "FROM busybox\nCOPY own data/deep/file /\nCOPY data /data\n");
    writeFileSync(file, "own");
    chmodSync(file, 0o640);
    utimesSync(file, 1_500_000_000, 1_500_000_000);
    const id = await here.ok(["build", "-q", folder], { env });
    const stat = async (...args: readonly string[]): Promise<string> => await here.ok(["run", "--rm", "--network=none", id, "stat", "-c", "%a %Y", ...args]);
    assert.equal(await stat("/own", "/file", "/data/deep"), "640 1500000000\n644 1600000000\n755 1600000000");
    // the same from a folder of the checkout
    writeFileSync(path.join(folder, "data/Dockerfile"), "FROM busybox\nCOPY deep/file /\n");
    const deeper = await here.ok(["build", "-q", path.join(folder, "data")], { env });
    assert.equal(await here.ok(["run", "--rm", "--network=none", deeper, "stat", "-c", "%a %Y", "/file"]), "644 1600000000");
  });

  test("verify --twice asks git of the checkout which files those are", async () => {
    const folder = checkout("twice/app", "077", 1_560_000_000);
    const env = { SOURCE_DATE_EPOCH: "1600000000" };
    assert.match(await here.ok(["verify", "--twice", folder], { env }), /: the same image twice$/);
    writeFileSync(path.join(folder, "own"), "own");
    writeFileSync(path.join(folder, "Dockerfile"), "FROM scratch\nCOPY . /\n");
    const { code, stdout } = await here.call(["verify", "--twice", folder], { env });
    assert.equal(code, 1);
    assert.match(stdout, /^layer 0, Dockerfile:2 COPY \. \/\n {2}\/own\n {4}mode 0644 → 0600\n {4}mtime .*\nFiles that are not as a commit has them/);
  });

  test("commands see SOURCE_DATE_EPOCH with the flag, unless the Dockerfile says another", async () => {
    const env = { SOURCE_DATE_EPOCH: "1600000000" };
    const lines = "RUN echo first $SOURCE_DATE_EPOCH >/seen\nENV SOURCE_DATE_EPOCH=5\nRUN echo second $SOURCE_DATE_EPOCH >>/seen\n";
    const folder = here.folder({ Dockerfile: `FROM busybox\n${lines}` });
    const seen = async (...flags: readonly string[]): Promise<string> => {
      const id = await here.ok(["build", "-q", ...flags, folder], { env });
      return await here.ok(["run", "--rm", "--network=none", id, "cat", "/seen"]);
    };
    assert.deepEqual([await seen("--reproducible"), await seen()], ["first 1600000000\nsecond 5", "first\nsecond 5"]);
  });

  test("a .git that is copied is warned of", async () => {
    const warned = async (ignore: string): Promise<boolean> => {
      const folder = repository(here, { Dockerfile: "FROM scratch\nCOPY . /\n", ".dockerignore": ignore });
      const outcome = await here.call(["build", "--progress=plain", folder]);
      assert.equal(outcome.code, 0, outcome.stderr);
      return outcome.stderr.includes(".git is copied");
    };
    assert.deepEqual([await warned("x\n"), await warned(".git\n")], [true, false]);
  });

  test("a folder that is no checkout is Docker's: times and modes of files are kept", async () => {
    const folder = here.folder({ Dockerfile: "FROM busybox\nCOPY f /f\n", f: { text: "f", mode: 0o640 } });
    utimesSync(path.join(folder, "f"), 1_600_000_000, 1_600_000_000);
    const id = await here.ok(["build", "-q", folder]);
    assert.equal(await here.ok(["run", "--rm", "--network=none", id, "stat", "-c", "%a %Y", "/f"]), "640 1600000000");
  });

  test("SOURCE_DATE_EPOCH goes before the commit's time; without either there is none", async () => {
    const folder = here.folder({ Dockerfile: "FROM scratch\nCOPY f /f\n", f: "f" });
    const refused = await here.call(["build", "--reproducible", folder]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /nothing says which time to take\nHint: set SOURCE_DATE_EPOCH/);
    const env = { SOURCE_DATE_EPOCH: "1700000000", SLIPWAY_REPRODUCIBLE: "1" };
    const id = await here.ok(["build", "-q", folder], { env });
    assert.equal(await here.ok(["inspect", "-f", "{{.Created}}", id]), "2023-11-14T22:13:20Z");
  });
});
