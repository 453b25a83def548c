/** What the layers of an image do, wherever it lies. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { after, suite, test } from "node:test";
import type { LayersReport } from "../../src/engine/api.ts";
import { createSandbox } from "./sandbox.ts";
import { noTerminals, Terminal } from "./terminal.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const dockerfile = `FROM busybox
RUN head -c 5000000 /dev/zero >/big; mkdir /d; for i in 1 2 3; do echo $i >/d/$i; done
RUN rm /big; echo changed >/d/1
COPY note /etc/note
`;
await sandbox.build(dockerfile, { note: "words\n" }, ["-t", "app"]);
const archive = path.join(sandbox.directory, "app.tar");
await sandbox.ok(["save", "-o", archive, "app"]);

const report = async (image: string): Promise<LayersReport> => JSON.parse(await sandbox.ok(["layers", "--format", "json", image])) as LayersReport;

/** The program that a terminal runs, by a word that only its command line has. */
function programOf(word: string): number {
  const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && wordsOf(name).includes(word) && wordsOf(name)[0]?.endsWith("node") === true);
  assert.ok(pid !== undefined, "the program is not there");
  return Number(pid);
}

function wordsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

suite("the browser", { skip: noTerminals }, () => {
  const opened = /\u001b\[\?1049h\u001b\[\?25l/;
  const closed = /\u001b\[\?25h\u001b\[\?1049l/;
  const sane = /left[^]*[^-]icanon[^]*[^-]echo /;

  test("shows layers and files, follows keys, and gives the terminal back", async () => {
    using terminal = new Terminal(sandbox, "layers", "app");
    await terminal.expect(opened);
    await terminal.expect(/app {2}linux\/\S+ {2}Total \S+, wasted 5MB, efficiency/);
    await terminal.expect(/Dockerfile:4 COPY note[^]*q quit/);
    terminal.type("\u001b[A");
    await terminal.expect(/D +5MB {3}big[^]*q quit/);
    terminal.type("w");
    await terminal.expect(/5MB \/big {2}\(removed by layer 3\)/);
    terminal.type("q");
    await terminal.expect(closed);
    await terminal.expect(sane);
    assert.equal(await terminal.ended(), 0);
  });

  test("follows the terminal's size", async () => {
    const word = `layer=${process.pid % 1000}`;
    using terminal = new Terminal(sandbox, "layers", "--filter", word, "--filter", "layer=3", "app");
    await terminal.expect(/q quit/);
    assert.equal(spawnSync("stty", ["-F", readlinkSync(`/proc/${programOf(word)}/fd/0`), "rows", "12", "cols", "50"]).status, 0);
    await terminal.expect(/\u001b\[Happ {2}linux\/\S+ {2}Total \S+ wast[^│]*a c d kinds/);
    terminal.type("\u0003");
    await terminal.expect(closed);
    assert.equal(await terminal.ended(), 0);
  });

  test("a signal leaves the terminal as it was", async () => {
    const word = `layer=${(process.pid % 1000) + 1000}`;
    using terminal = new Terminal(sandbox, "layers", "--filter", word, "--filter", "layer=3", "app");
    await terminal.expect(/q quit/);
    process.kill(programOf(word), "SIGTERM");
    await terminal.expect(closed);
    await terminal.expect(sane);
    assert.equal(await terminal.ended(), 143);
  });
});

suite("layers", () => {
  test("as tables, with the Dockerfile's lines", async () => {
    const text = await sandbox.ok(["layers", "app"]);
    assert.match(text, /^LAYER +SIZE +ADDED +CHANGED +REMOVED +WASTED +MADE BY\n1 .* base: .*\n2 +5MB +\d+ +\d+ +0 +5MB +Dockerfile:2 RUN head/);
    assert.match(text, /\n3 +8B +0 +1 +1 +0B +Dockerfile:3 RUN rm \/big/);
    assert.match(text, /\nWASTED +COPIES +HOW +FILE\n5MB +1 +removed by layer 3 +\/big\n2B +1 +changed by layer 3 +\/d\/1\n/);
    assert.match(text, /\nWASTED +FILES +IN LAYER +HIDDEN BY LAYER\n5MB +2 +2 {2}Dockerfile:2 RUN .* 3 {2}Dockerfile:3 RUN rm/);
    assert.match(text, /\nTotal \S+, wasted 5MB, efficiency \d\d\.\d%$/);
  });

  test("as JSON: the same of the store's image and of an archive", async () => {
    const [stored, saved] = [await report("app"), await report(`docker-archive:${archive}`)];
    assert.deepEqual({ ...saved, image: "app" }, stored);
    assert.deepEqual(
      stored.layers.slice(1).map(({ place }) => place?.start),
      [2, 3, 4],
    );
    assert.deepEqual(stored.layers[2]?.changes, [
      { kind: "removed", path: "/big", type: "file", sizeBytes: 0, beforeBytes: 5_000_000 },
      { kind: "changed", path: "/d/1", type: "file", sizeBytes: 8, beforeBytes: 2 },
    ]);
    assert.equal(stored.wastedBytes, 5_000_002);
    assert.equal(stored.efficiency, (stored.sizeBytes - 5_000_002) / stored.sizeBytes);
  });

  const filters: readonly (readonly [name: string, filters: readonly string[], want: string])[] = [
    ["one layer", ["layer=3"], "\nLayer 3:\nD -5MB /big\nC   8B /d/1\n"],
    ["a kind", ["layer=3", "kind=changed"], "\nLayer 3:\nC 8B /d/1\n"],
    ["a size", ["layer=3", "size=1MB"], "\nLayer 3:\nD -5MB /big\n"],
    ["a path", ["path=/etc/n*"], "\nLayer 4:\nA 6B /etc/note\n"],
    ["all below a path", ["path=d", "layer=3"], "\nLayer 3:\nC 8B /d/1\n"],
  ];
  for (const [name, words, want] of filters) {
    test(`files by ${name}`, async () => {
      const text = await sandbox.ok(["layers", "--files", ...words.flatMap((word) => ["--filter", word]), "app"]);
      assert.ok(text.includes(want), text);
    });
  }

  const bounds: readonly (readonly [name: string, args: readonly string[], code: number, stderr: RegExp])[] = [
    ["kept", ["--lowest-efficiency", "0.1", "--highest-wasted", "6MB"], 0, /^$/],
    ["too little is seen", ["--lowest-efficiency", "0.99"], 1, /^efficiency \d\d\.\d% is below 99\.0%\n$/],
    ["too much is wasted", ["--highest-wasted", "1MB"], 1, /^5MB are wasted, more than 1.05MB\n$/],
    ["no number", ["--lowest-efficiency", "much"], 1, /^--lowest-efficiency is a number from 0 to 1, and not "much"\n$/],
    ["no filter", ["--filter", "colour=red"], 1, /^invalid filter "colour=red": want layer=N/],
    ["no format", ["--format", "xml"], 1, /^invalid --format "xml": want table or json\n$/],
  ];
  for (const [name, args, code, stderr] of bounds) {
    test(`bounds: ${name}`, async () => {
      const outcome = await sandbox.call(["layers", ...args, "app"]);
      assert.equal(outcome.code, code, outcome.stderr);
      assert.match(outcome.stderr, stderr);
    });
  }

  test("diff of a layer", async () => {
    const { layers } = await report("app");
    const diffId = layers[2]?.diffId ?? "";
    assert.equal(await sandbox.ok(["diff", diffId]), "D /big\nC /d\nC /d/1");
    assert.equal(await sandbox.ok(["diff", diffId.slice(7, 19), "app"]), "C /etc\nA /etc/note");
  });
});
