/** What leaves a build as files: trees, tars, squashed layers. */
import assert from "node:assert/strict";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Store, type FileNode, type FileView } from "../../store/index.ts";
import { addLayer, type Member } from "../../store/test-store.ts";
import type { TarEntry } from "../../tar/entry.ts";
import { TarReader } from "../../tar/reader.ts";
import { tarOfView, tarOfViews, writeLocal } from "./export-tree.ts";
import { squashChain } from "./squash.ts";

const skip = process.geteuid?.() === 0 ? false : "needs root: owners and whiteouts";
const scratch = mkdtempSync(join(tmpdir(), "slipway-export-"));
const store = Store.open(join(scratch, "store"));
after(() => {
  store.close();
  rmSync(scratch, { recursive: true });
});
const { signal } = new AbortController();

const directory = (path: string, mode = 0o755): Member => ({ path, type: "directory", mode });
const viewOf = (...layers: readonly (readonly Member[])[]): Promise<FileView> =>
  store.materializer.readableView(layers.map((members) => addLayer(store, members)));

async function entriesOf(view: FileView): Promise<readonly TarEntry[]> {
  return await entriesIn(tarOfView(view));
}

async function entriesIn(tar: AsyncIterable<Uint8Array>): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  const reader = new TarReader({ entry: (entry) => entries.push(entry), data: () => {}, hole: () => {}, entryEnd: () => {} });
  for await (const chunk of tar) reader.push(chunk);
  reader.finish();
  return entries;
}

describe("a tree as a tar", { skip }, () => {
  test("has every path once, merged and sorted, with owners, modes, times and links", async () => {
    const view = await viewOf(
      [directory("d", 0o711), { path: "d/f", content: "old" }, { path: "gone", content: "x" }],
      [
        { path: ".wh.gone" },
        directory("d", 0o700),
        { path: "d/f", content: "new!", uid: 5, gid: 6, mode: 0o4755, mtimeNs: 7_000_000_000n },
        { path: "d/h", type: "hardlink", linkname: "d/f", uid: 5, gid: 6, mode: 0o4755, mtimeNs: 7_000_000_000n },
        { path: "l", type: "symlink", linkname: "d/f" },
      ],
    );
    const entries = await entriesOf(view);
    assert.deepEqual(
      entries.map(({ type, path, linkname, mode, uid, size }) => [type, path.replace(/\/$/, ""), linkname, mode.toString(8), uid, size]),
      [
        ["directory", "d", "", "700", 0, 0],
        ["file", "d/f", "", "4755", 5, 4],
        ["hardlink", "d/h", "d/f", "4755", 5, 0],
        ["symlink", "l", "d/f", "777", 0, 0],
      ],
    );
    assert.equal(entries[1]?.mtimeNs, 7_000_000_000n);
  });

  test("of several platforms each in its directory, links among themselves", async () => {
    const view = await viewOf([
      { path: "f", content: "x" },
      { path: "h", type: "hardlink", linkname: "f" },
    ]);
    const placed = ["linux_amd64", "linux_arm_v7"].map((place) => ({ view, directory: place }));
    assert.deepEqual(
      (await entriesIn(tarOfViews(placed))).map(({ type, path, linkname }) => [type, path, linkname]),
      placed.flatMap(({ directory: place }) => [
        ["directory", place, ""],
        ["file", `${place}/f`, ""],
        ["hardlink", `${place}/h`, `${place}/f`],
      ]),
    );
  });
});

describe("a tree as files", { skip }, () => {
  test("replaces what is there, and leaves the rest", async () => {
    const target = join(scratch, "local");
    mkdirSync(join(target, "d"), { recursive: true });
    writeFileSync(join(target, "d/keep"), "kept");
    writeFileSync(join(target, "was-file"), "");
    mkdirSync(join(target, "was-directory/x"), { recursive: true });
    symlinkSync("/etc/passwd", join(target, "was-link"));
    const passwd = readFileSync("/etc/passwd", "utf8");
    await writeLocal(
      await viewOf([
        directory("d"),
        { path: "d/f", content: "1", mode: 0o600, mtimeNs: 7_000_000_123n },
        directory("was-file"),
        { path: "was-directory", content: "2" },
        { path: "was-link", content: "3" },
        { path: "l", type: "symlink", linkname: "d" },
      ]),
      target,
      true,
      signal,
    );
    const read = (path: string): string => readFileSync(join(target, path), "utf8");
    assert.deepEqual([read("d/keep"), read("d/f"), read("was-directory"), read("was-link"), readlinkSync(join(target, "l"))], ["kept", "1", "2", "3", "d"]);
    assert.deepEqual(
      [
        lstatSync(join(target, "was-file")).isDirectory(),
        lstatSync(join(target, "d/f")).mode & 0o7777,
        lstatSync(join(target, "d/f"), { bigint: true }).mtimeNs,
        readFileSync("/etc/passwd", "utf8") === passwd,
      ],
      [true, 0o600, 7_000_000_123n, true],
    );
  });

  test("a large file goes in pieces, and is left in its middle when the build is interrupted", async () => {
    const content = "large".repeat(2 << 20);
    const view = await viewOf([{ path: "large", content, mode: 0o640 }]);
    const target = join(scratch, "large");
    await writeLocal(view, target, true, signal);
    assert.ok(readFileSync(join(target, "large"), "utf8") === content);
    assert.equal(lstatSync(join(target, "large")).mode & 0o7777, 0o640);
    truncateSync(view.lookup("large")?.diskPath ?? "", 1 << 30);
    const stretched: FileView = { ...view, list: (path) => view.list(path), lookup: (path) => ({ ...(view.lookup(path) as FileNode), size: 1 << 30 }) };
    const abort = new AbortController();
    setImmediate(() => abort.abort(new Error("enough")));
    await assert.rejects(writeLocal(stretched, join(scratch, "cut"), true, abort.signal), /enough/);
  });

  test("a symlink where a directory should be is replaced, not followed", async () => {
    const [target, outside] = [join(scratch, "trap"), join(scratch, "outside")];
    for (const made of [target, outside]) mkdirSync(made);
    symlinkSync(outside, join(target, "d"));
    await writeLocal(await viewOf([directory("d"), { path: "d/f", content: "1" }]), target, true, signal);
    assert.deepEqual([lstatSync(join(target, "d")).isDirectory(), lstatSync(join(outside, "f"), { throwIfNoEntry: false })], [true, undefined]);
  });
});

describe("squashing", { skip }, () => {
  const listing = (view: FileView, at = ""): readonly string[] =>
    view.list(at).flatMap((name) => {
      const path = at === "" ? name : `${at}/${name}`;
      const node = view.lookup(path);
      return [`${path} ${node?.type} ${node?.mode.toString(8)} ${node?.size} ${node?.linkname}`, ...listing(view, path)];
    });
  const base: readonly Member[] = [
    directory("d"),
    { path: "d/a", content: "a" },
    { path: "d/b", content: "b" },
    { path: "e", content: "e" },
    directory("o"),
    { path: "o/hidden", content: "h" },
  ];
  const above: readonly (readonly [name: string, layers: readonly (readonly Member[])[]])[] = [
    ["adds and replaces", [[{ path: "d/a", content: "new" }], [{ path: "n/m", content: "m" }]]],
    ["deletes of the base", [[directory("d"), { path: "d/.wh.a" }], [{ path: ".wh.e" }]]],
    ["makes and deletes again", [[{ path: "tmp", content: "x" }], [{ path: ".wh.tmp" }]]],
    ["opaque directories", [[directory("o"), { path: "o/.wh..wh..opq" }, { path: "o/new", content: "n" }], [{ path: "z", content: "z" }]]],
    ["a file instead of a directory", [[{ path: ".wh.d" }], [{ path: "d", content: "now a file" }]]],
    ["a directory instead of a file", [[{ path: ".wh.e" }], [directory("e"), { path: "e/f", content: "f" }]]],
    ["a directory that goes and comes back", [[{ path: ".wh.d" }], [directory("d", 0o700), { path: "d/c", content: "c" }]]],
    [
      "hard links",
      [
        [
          { path: "h1", content: "hh" },
          { path: "h2", type: "hardlink", linkname: "h1" },
        ],
        [{ path: "z", content: "z" }],
      ],
    ],
  ];
  for (const [name, layers] of above) {
    test(`${name}: one layer, the same files`, async () => {
      const chain = [base, ...layers].map((members) => addLayer(store, members));
      const squashed = await squashChain(store, chain, 1, signal);
      assert.deepEqual([squashed.length, squashed[0]], [2, chain[0]]);
      assert.deepEqual(listing(await store.materializer.readableView(squashed)), listing(await store.materializer.readableView(chain)));
    });
  }

  test("of one layer, or of a base alone, changes nothing", async () => {
    const chain = [base, base].map((members) => addLayer(store, members));
    assert.deepEqual([await squashChain(store, chain, 1, signal), await squashChain(store, chain, 2, signal)], [chain, chain]);
  });
});
