/** In a checkout nothing has to be said: what is as a commit has it makes one image, wherever and whenever it is built. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { becomeOrdinary, checkout, commit, git, hasNoGit, noOrdinaryUser, ordinaryUser, repository, twoStores } from "./checkouts.ts";
import { createSandbox, statesOf } from "./sandbox.ts";

const dockerfile = [
  "FROM busybox AS build",
  "WORKDIR /src",
  "COPY data data",
  "RUN mkdir -p out && cp data/deep/file out/ && date >out/gone && rm out/gone && touch out/now -- && touch -d '2040-01-01 00:00:00' out/later && echo $SOURCE_DATE_EPOCH >out/clock",
  "COPY . .",
  "RUN --mount=type=bind,target=/context cp -p /context/run.sh out/",
  "FROM busybox",
  "COPY --from=build /src /src",
  "COPY --link data /data",
  "ADD --chown=5:6 data/deep /deep",
  "COPY <<E /made",
  "text",
  "E",
  'CMD ["/src/out/run.sh"]',
  "",
].join("\n");
const files = {
  Dockerfile: dockerfile,
  ".dockerignore": ".git\nnotes\n",
  notes: "one",
  "data/deep/file": "file",
  "data/empty": "",
  "run.sh": { text: "#!/bin/sh\necho hi\n", mode: 0o755 },
};
const first = Date.UTC(2036, 0, 2) / 1000;
const second = Date.UTC(2036, 1, 3) / 1000;
const at = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;

describe("a checkout", { skip: hasNoGit ? "git is not installed" : false }, async () => {
  if (hasNoGit) return;
  const stores = await twoStores();
  const { here, there, base } = stores;
  after(() => stores[Symbol.asyncDispose]());
  const origin = repository(here, files, at(first));
  writeFileSync(path.join(origin, "data/empty"), "no more");
  commit(origin, at(second));

  let places = 0;
  const clone = (umask = "022", seconds = 1_500_000_000, owner?: number, from = origin): string =>
    checkout(here, from, { name: `checkout-${++places}/app`, umask, seconds, ...(owner === undefined ? {} : { owner }) });
  const build = async (folder: string, ...flags: readonly string[]): Promise<string> => await here.ok(["build", "-q", ...flags, folder]);
  const stat = async (image: string, ...paths: readonly string[]): Promise<string> =>
    await here.ok(["run", "--rm", "--network=none", image, "stat", "-c", "%n %a %Y", ...paths]);

  test("two checkouts, two stores, one image, with and without what was built before", async () => {
    const one = await build(clone());
    assert.equal(await there.ok(["build", "-q", clone("077", 1_790_000_000, 1000)]), one);
    assert.equal(await build(clone("002", 1_600_000_000), "--no-cache"), one);
    assert.equal(Date.parse(await here.ok(["inspect", "-f", "{{.Created}}", one])) / 1000, second);
  });

  test("with provenance and SBOM it is one archive, to the byte", async () => {
    const archives = [here, there].map((sandbox) => path.join(sandbox.directory, "image.tar"));
    for (const [index, sandbox] of [here, there].entries()) {
      const output = `type=oci,dest=${archives[index]}`;
      await sandbox.ok(["build", "-q", "--no-cache", "--provenance=mode=max", "--sbom=true", "-o", output, clone(index === 0 ? "022" : "077")]);
    }
    const [one, other] = archives.map((archive) => readFileSync(archive));
    assert.ok(one !== undefined && other !== undefined && one.equals(other));
  });

  test("an ordinary user makes the same image as root", { skip: noOrdinaryUser }, async () => {
    await using ordinary = await createSandbox({ base: false, owner: ordinaryUser, through: becomeOrdinary });
    await ordinary.ok(["load", "-i", base]);
    assert.equal(await ordinary.ok(["build", "-q", clone("077", 1_600_000_000, ordinaryUser)]), await build(clone()));
  });

  test("files have the time of their last change, directories that of the newest in them, commands that of what they are made of", async () => {
    const image = await build(clone("077"));
    const lines = await stat(image, "/src/run.sh", "/data/deep/file", "/data/empty", "/data/deep", "/data", "/src/out/now", "/src/out/later");
    assert.deepEqual(lines.split("\n"), [
      `/src/run.sh 755 ${first}`,
      `/data/deep/file 644 ${first}`,
      `/data/empty 644 ${second}`,
      `/data/deep 755 ${first}`,
      `/data 755 ${second}`,
      `/src/out/now 644 ${second}`,
      `/src/out/later 644 ${Date.UTC(2040, 0, 1) / 1000}`,
    ]);
    assert.equal(await here.ok(["run", "--rm", "--network=none", image, "cat", "/src/out/clock"]), String(second));
  });

  test("it was made when it was made: listed and pruned by that", async () => {
    const id = await build(clone());
    const listed = await here.ok(["images", "-a", "--no-trunc", "--format", "{{.ID}} {{.CreatedSince}}"]);
    assert.match(listed, new RegExp(`^${id} (?:Less than|About|\\d+) `, "m"));
    assert.doesNotMatch(await here.ok(["image", "prune", "-a", "-f", "--filter", "until=1h"]), new RegExp(id.slice(7)));
    assert.match(await here.ok(["inspect", "-f", "{{.Id}}", id]), /sha256/);
  });

  test("a commit that changes nothing of what a step is made of leaves it in the cache, and the image as it is", async () => {
    const folder = clone();
    const before = await build(folder);
    writeFileSync(path.join(folder, "notes"), "two");
    commit(folder, at(second + 1000));
    assert.equal(await build(folder), before);
    writeFileSync(path.join(folder, "run.sh"), "#!/bin/sh\necho ho\n");
    commit(folder, at(second + 2000));
    const outcome = await here.call(["build", "--progress=plain", folder]);
    assert.deepEqual(
      [statesOf(outcome, /COPY data data/), statesOf(outcome, /RUN mkdir/), statesOf(outcome, /COPY \. \./)],
      [["cached"], ["cached"], ["done"]],
      outcome.stderr,
    );
    // and what this store had of other commits is not taken for it
    assert.equal(await there.ok(["build", "-q", clone("022", 1_500_000_000, undefined, folder)]), await build(folder));
  });

  test("content that came back has the time at which it did", async () => {
    const folder = clone();
    for (const [text, seconds] of [
      ["other", 3000],
      ["no more", 4000],
    ] as const) {
      writeFileSync(path.join(folder, "data/empty"), text);
      commit(folder, at(second + seconds));
      await build(folder);
    }
    const image = await build(folder);
    assert.equal(await stat(image, "/data/empty"), `/data/empty 644 ${second + 4000}`);
    assert.equal(await there.ok(["build", "-q", clone("022", 1_500_000_000, undefined, folder)]), image);
  });

  test("a merge counts when it was merged", async () => {
    const folder = clone();
    git(folder, "checkout", "-qb", "side");
    writeFileSync(path.join(folder, "data/side"), "side");
    commit(folder, at(second + 100));
    git(folder, "checkout", "-q", "main");
    writeFileSync(path.join(folder, "notes"), "main");
    commit(folder, at(second + 200));
    process.env["GIT_COMMITTER_DATE"] = at(second + 300);
    git(folder, "merge", "-q", "--no-edit", "side");
    delete process.env["GIT_COMMITTER_DATE"];
    assert.equal(await stat(await build(folder), "/data/side"), `/data/side 644 ${second + 300}`);
  });

  const changes: readonly { readonly name: string; readonly change: (folder: string) => void; readonly want: RegExp }[] = [
    {
      name: "changed",
      change: (folder) => {
        writeFileSync(path.join(folder, "data/empty"), "mine");
        utimesSync(path.join(folder, "data/empty"), 1_550_000_000, 1_550_000_000);
      },
      want: /^\/data\/empty 644 1550000000$/m,
    },
    {
      name: "changed, of the same size",
      change: (folder) => writeAlike(path.join(folder, "data/empty"), "NO MORE"),
      want: /^\/data\/empty 644 15/m,
    },
    { name: "given a mode", change: (folder) => chmodSync(path.join(folder, "data/empty"), 0o600), want: /^\/data\/empty 600 1500000000$/m },
    { name: "made executable", change: (folder) => chmodSync(path.join(folder, "data/empty"), 0o755), want: /^\/data\/empty 755 1500000000$/m },
    { name: "staged", change: (folder) => stage(folder), want: /^\/data\/empty 644 1500000000$/m },
    {
      name: "removed from the index",
      change: (folder) => void git(folder, "rm", "-q", "--cached", "data/empty"),
      want: /^\/data\/empty 644 1500000000$/m,
    },
    { name: "a directory that was given a mode", change: (folder) => chmodSync(path.join(folder, "data"), 0o777), want: /^\/src\/data 777 1500000000$/m },
  ];
  for (const { name, change, want } of changes) {
    test(`what somebody works on stays as it lies there: ${name}`, async () => {
      const folder = clone();
      const before = await build(folder);
      change(folder);
      const image = await build(folder);
      assert.notEqual(image, before);
      assert.match(await stat(image, "/data/empty", "/src/data", "/src/run.sh"), want);
      // the image says when it was made, for no commit makes it
      assert.ok(Math.abs(Date.parse(await here.ok(["inspect", "-f", "{{.Created}}", image])) - Date.now()) < 600_000);
    });
  }

  test("commands that are made of such files see no clock, those before them do", async () => {
    const lines = "FROM busybox\nCOPY data/deep /deep\nRUN echo ${SOURCE_DATE_EPOCH-none} >/before\nCOPY own /\nRUN echo ${SOURCE_DATE_EPOCH-none} >/after\n";
    const folder = clone();
    writeFileSync(path.join(folder, "Dockerfile"), lines);
    writeFileSync(path.join(folder, "own"), "own");
    const image = await build(folder);
    assert.equal(await here.ok(["run", "--rm", "--network=none", image, "cat", "/before", "/after"]), `${first}\nnone`);
  });

  test("a clock that the Dockerfile has goes before", async () => {
    const folder = clone();
    writeFileSync(path.join(folder, "Dockerfile"), "FROM busybox\nENV SOURCE_DATE_EPOCH=5\nRUN echo $SOURCE_DATE_EPOCH >/seen\n");
    assert.equal(await here.ok(["run", "--rm", "--network=none", await build(folder), "cat", "/seen"]), "5");
  });

  test("in a hook of another repository", async () => {
    const env = { GIT_DIR: path.join(clone(), ".git"), GIT_INDEX_FILE: path.join(here.directory, "none"), GIT_WORK_TREE: here.directory };
    const folder = clone();
    assert.equal(await here.ok(["build", "-q", folder], { env }), await build(folder));
  });

  test("--reproducible=false is Docker's way", async () => {
    const image = await build(clone("027"), "--reproducible=false");
    assert.equal(await stat(image, "/data/empty", "/src/data"), "/data/empty 640 1500000000\n/src/data 750 1500000000");
    assert.equal(await here.ok(["run", "--rm", "--network=none", image, "cat", "/src/out/clock"]), "");
  });

  test("a folder of the checkout, a named context, a Dockerfile beside them", async () => {
    const build2 = async (folder: string, program: typeof here): Promise<string> => {
      const flags = ["--build-context", `other=${folder}/data/deep`, "-f", path.join(folder, "Dockerfile")];
      return await program.ok(["build", "-q", ...flags, path.join(folder, "data")]);
    };
    const from = repository(here, { ...files, Dockerfile: "FROM busybox\nCOPY . /data\nCOPY --from=other . /other\nRUN touch /now\n" }, at(first));
    const image = await build2(clone("022", 1_500_000_000, undefined, from), here);
    assert.equal(await build2(clone("077", 1_600_000_000, undefined, from), there), image);
    assert.equal(await stat(image, "/data/empty", "/other/file"), `/data/empty 644 ${first}\n/other/file 644 ${first}`);
  });

  test("what a shallow clone does not know the time of stays as it lies there", async () => {
    const folder = path.join(here.directory, "shallow");
    git(here.directory, "clone", "-q", "--depth=1", `file://${origin}`, folder);
    for (const file of ["data/empty", "data/deep/file"]) utimesSync(path.join(folder, file), 1_500_000_000, 1_500_000_000);
    const times = async (): Promise<string> => (await stat(await build(folder), "/data/empty", "/data/deep/file")).replaceAll(/\/\S+ /g, "");
    assert.equal(await times(), "644 1500000000\n644 1500000000");
    writeFileSync(path.join(folder, "data/empty"), "again");
    commit(folder, at(second + 5000));
    assert.equal(await times(), `644 ${second + 5000}\n644 1500000000`);
    git(folder, "fetch", "-q", "--unshallow");
    assert.equal(await times(), `644 ${second + 5000}\n644 ${first}`);
  });

  test("a repository's settings run nothing", async () => {
    const folder = clone();
    const trap = path.join(here.directory, "trap");
    writeFileSync(path.join(folder, ".gitattributes"), "* filter=x diff=x\n");
    for (const name of ["filter.x.clean", "filter.x.process", "diff.x.textconv", "diff.external", "core.fsmonitor", "gpg.program", "core.pager"])
      git(folder, "config", name, `touch ${trap}; cat`);
    git(folder, "config", "log.showSignature", "true");
    utimesSync(path.join(folder, "run.sh"), 1_400_000_000, 1_400_000_000);
    await build(folder);
    assert.notEqual(spawnSync("test", ["-e", trap]).status, 0);
  });
});

/** With the time that all files have. */
function writeAlike(file: string, text: string): void {
  writeFileSync(file, text);
  utimesSync(file, 1_500_000_000, 1_500_000_000);
}

/** Staged, but in no commit. */
function stage(folder: string): void {
  writeAlike(path.join(folder, "data/empty"), "staged");
  git(folder, "add", "data/empty");
}
