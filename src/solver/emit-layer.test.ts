import assert from "node:assert/strict";
import { linkSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError } from "../base/errors.ts";
import { DirectoryView, emptyLayer, emptyView, Store, type FileNode } from "../store/index.ts";
import { directoryNode } from "./apply-copy.ts";
import { contentKeyOf, emitLayer } from "./emit-layer.ts";
import { Breath } from "../base/breath.ts";
import { digestFile, FileDigests, readContent } from "./file-digests.ts";
import { LayerDraft } from "./layer-draft.ts";
import { digestSelection, selectSources } from "./selection.ts";
import { copyAction, draftListing, sourceOf, treeOf } from "./test-solver.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-emit-"));
const store = Store.open(join(scratch, "store"));
after(() => {
  store.close();
  rmSync(scratch, { recursive: true });
});
const context = join(scratch, "context");
mkdirSync(context);
const signal = undefined;
const file = (text: string, changes: Partial<FileNode> = {}): [FileNode, { content: { kind: "bytes"; bytes: Buffer } }] => [
  { ...directoryNode, type: "file", mode: 0o644, size: text.length, ...changes },
  { content: { kind: "bytes", bytes: Buffer.from(text) } },
];

describe("a draft over its base", () => {
  const base = treeOf({ "d/f": "1", "d/g": "2", h: "3", l: { link: "d" } });

  test("hides, replaces and adds", () => {
    const draft = new LayerDraft(base);
    draft.put("d/new", ...file("n"));
    draft.remove("d/f");
    draft.remove("h");
    draft.put("h", ...file("again"));
    assert.deepEqual([draft.list("d"), draft.list(""), draft.lookup("d/f"), draft.lookup("h")?.size], [["g", "new"], ["d", "h", "l"], undefined, 5]);
    draft.remove("d");
    assert.deepEqual([draft.list(""), draft.list("d"), draft.lookup("d/g"), draftListing(draft)], [["h", "l"], [], undefined, { d: "gone", h: "644 again" }]);
  });

  test("what it adds and removes again leaves nothing", () => {
    const draft = new LayerDraft(base);
    draft.put("new", ...file("n"));
    draft.remove("new");
    assert.ok(draft.empty && draft.lookup("new") === undefined);
  });

  test("the archive's order: contents behind their directory, link targets before links", () => {
    const draft = new LayerDraft(emptyView);
    for (const path of ["a", "a-b", "a.c"]) draft.put(path, directoryNode);
    draft.put("a/z", ...file("x"));
    draft.put("a-b/q", { ...directoryNode, type: "file" }, { linkTo: "a/z" });
    draft.put("a/b", { ...directoryNode, type: "file" }, { linkTo: "a/z" });
    assert.deepEqual(draftListing(draft), { a: "755/", "a/b": "644 x", "a/z": "= a/b", "a-b": "755/", "a-b/q": "= a/b", "a.c": "755/" });
  });
});

describe("a layer", () => {
  test("is the same bytes for the same draft, in whatever order it was made", async () => {
    const paths = ["b", "a", "a/x", "c", "é", "a/ü"];
    const made = async (order: readonly string[]): Promise<string> => {
      const draft = new LayerDraft(emptyView);
      for (const path of order) {
        const [node, parts] = file(path);
        if (path === "a") draft.put(path, directoryNode);
        else draft.put(path, node, parts);
      }
      return (await emitLayer(store, draft, new FileDigests(), { signal })).diffId;
    };
    const want = await made(paths);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(paths, { minLength: paths.length }), async (order) => assert.equal(await made(order), want)),
      { numRuns: 10 },
    );
  });

  test("the content key ignores times and nothing else", () => {
    const keyOf = (changes: Partial<FileNode>, text = "x"): string | undefined => {
      const draft = new LayerDraft(emptyView);
      draft.put("f", ...file(text, changes));
      return contentKeyOf(draft);
    };
    const key = keyOf({});
    assert.equal(keyOf({ mtimeNs: 5n }), key);
    for (const other of [keyOf({ mode: 0o600 }), keyOf({ uid: 1 }), keyOf({ gid: 1 }), keyOf({}, "y"), keyOf({ type: "fifo" })]) assert.notEqual(other, key);
  });

  test("a large file is left in its middle when the build is interrupted", async () => {
    writeFileSync(join(context, "large"), "");
    truncateSync(join(context, "large"), 512 << 20);
    const node = new DirectoryView(context).lookup("large");
    assert.ok(node !== undefined);
    const draft = new LayerDraft(emptyView);
    draft.put("large", node, { content: { kind: "disk", path: node.diskPath ?? "", known: undefined } });
    const interrupted = (): AbortSignal => {
      const abort = new AbortController();
      setImmediate(() => abort.abort(new Error("enough")));
      return abort.signal;
    };
    await assert.rejects(emitLayer(store, draft, new FileDigests(), { signal: interrupted() }), /enough/);
    await assert.rejects(digestFile(node, new Breath(interrupted())), /enough/);
    rmSync(join(context, "large"));
  });

  test("reads files of the disk once and learns their digests", async () => {
    writeFileSync(join(context, "f"), "content");
    const node = new DirectoryView(context).lookup("f");
    assert.ok(node !== undefined);
    const digests = new FileDigests();
    const draft = new LayerDraft(emptyView);
    draft.put("f", node, { content: { kind: "disk", path: node.diskPath ?? "", known: undefined } });
    assert.equal(contentKeyOf(draft), undefined);
    const layer = await emitLayer(store, draft, digests, { signal });
    assert.deepEqual([digests.get(node), layer.sizeBytes, store.layers.has(layer.diffId)], [await digestFile(node, new Breath(undefined)), 7, true]);
    const again = new LayerDraft(emptyView);
    again.put("f", node, { content: { kind: "disk", path: node.diskPath ?? "", known: digests.get(node) } });
    assert.equal(contentKeyOf(again), layer.contentKey);
  });

  test("a file that shrank since it was listed fails, and leaves no layer", async () => {
    writeFileSync(join(context, "g"), "long enough");
    const node = new DirectoryView(context).lookup("g");
    assert.ok(node !== undefined);
    writeFileSync(join(context, "g"), "short");
    const draft = new LayerDraft(emptyView);
    draft.put("g", node, { content: { kind: "disk", path: node.diskPath ?? "", known: undefined } });
    await assert.rejects(emitLayer(store, draft, new FileDigests(), { signal }), (error) => isSlipwayError(error, "FILE_CHANGED"));
  });

  test("of nothing is the well-known empty one", async () => {
    assert.equal((await emitLayer(store, new LayerDraft(emptyView), new FileDigests(), { signal })).diffId, emptyLayer);
  });
});

describe("digests between builds", () => {
  const path = join(scratch, "index");
  /** The suite may take minutes to come this far: a time that is late when it is asked for. */
  const late = (): bigint => BigInt(Date.now() + 60_000) * 1_000_000n;
  const look = (name: string): FileNode => {
    const node = new DirectoryView(context).lookup(name);
    assert.ok(node !== undefined);
    return node;
  };

  test("are kept for files that have settled, and only for the same file", () => {
    writeFileSync(join(context, "s"), "1");
    const digests = new FileDigests();
    digests.set(look("s"), "aa", late());
    digests.save(path, () => `${path}.new`);
    const loaded = new FileDigests();
    loaded.load(path);
    assert.equal(loaded.get(look("s")), "aa");
    const before = look("s").stamp;
    // clocks of file times may stand still for some milliseconds: those files count as unsettled
    do writeFileSync(join(context, "s"), "2");
    while (look("s").stamp === before);
    assert.equal(loaded.get(look("s")), undefined);
  });

  test("the same size and time with other bytes is another file", () => {
    writeFileSync(join(context, "t"), "old");
    utimesSync(join(context, "t"), 1e9, 1e9);
    const digests = new FileDigests();
    digests.set(look("t"), "aa", late());
    // the old one keeps its inode, which the new one could get otherwise
    renameSync(join(context, "t"), join(scratch, "t"));
    writeFileSync(join(context, "t"), "new");
    utimesSync(join(context, "t"), 1e9, 1e9);
    assert.equal(statSync(join(context, "t")).mtimeMs, 1e12);
    assert.equal(digests.get(look("t")), undefined);
  });

  test("of a file that changed a moment ago are not kept", () => {
    writeFileSync(join(context, "u"), "1");
    const digests = new FileDigests();
    digests.set(look("u"), "aa");
    digests.save(path, () => `${path}.new`);
    const loaded = new FileDigests();
    loaded.load(path);
    assert.equal(loaded.get(look("u")), undefined);
  });

  test("damaged and foreign indexes count as nothing known", () => {
    for (const text of ["", "garbage", "slipway-context 1\nhalf a line", "slipway-context 2\naa bb cc\n"]) {
      writeFileSync(path, text);
      const digests = new FileDigests();
      digests.load(path);
      assert.equal(digests.get(look("u")), undefined);
    }
    new FileDigests().load(join(scratch, "none"));
  });

  test("reading names what went wrong", () => {
    assert.throws(
      () => readContent(join(context, "none"), 1).next(),
      (error) => isSlipwayError(error, "FILE_CHANGED"),
    );
    assert.throws(
      () => [...readContent(join(context, "u"), 99)],
      (error) => isSlipwayError(error, "FILE_CHANGED"),
    );
  });
});

test("a selection's digest: names, kinds, modes, owners, contents, links; not times", () => {
  const digestOfTree = (leaves: Parameters<typeof sourceOf>[0]): string | undefined => {
    const tree = sourceOf(leaves);
    const selection = selectSources(copyAction(["/d"], "/x"), tree);
    const known = { get: (node: FileNode) => node.diskPath } as FileDigests;
    return digestSelection(selection, known);
  };
  const all = [
    digestOfTree({ "d/f": "1" }),
    digestOfTree({ "d/g": "1" }),
    digestOfTree({ "d/f": "2" }),
    digestOfTree({ "d/f": { mode: 0o600, text: "1" } }),
    digestOfTree({ "d/f": { mode: 0o644, uid: 1, text: "1" } }),
    digestOfTree({ "d/f": { link: "1" } }),
    digestOfTree({ "d/f/": "" }),
    digestOfTree({ "d/f": "1", "d/h/": "" }),
    digestOfTree({ "d/f": { mode: 0o644, text: "1", inode: "5" } }),
  ];
  assert.equal(new Set(all).size, all.length);
  assert.equal(digestSelection(selectSources(copyAction(["/d"], "/x"), sourceOf({ "d/f": "1" })), new FileDigests()), undefined);
});

test("a layer of the disk reads back as it was", async () => {
  mkdirSync(join(context, "r"));
  writeFileSync(join(context, "r/f"), "x".repeat(300_000));
  linkSync(join(context, "r/f"), join(context, "r/h"));
  const view = new DirectoryView(join(context, "r"));
  const draft = new LayerDraft(emptyView);
  const node = view.lookup("f");
  assert.ok(node !== undefined);
  draft.put("f", node, { content: { kind: "disk", path: node.diskPath ?? "", known: undefined } });
  draft.put("h", node, { linkTo: "f" });
  const { diffId } = await emitLayer(store, draft, new FileDigests(), { signal });
  const [directory = ""] = await store.materializer.directories([diffId]);
  assert.ok(readFileSync(join(directory, "h")).equals(readFileSync(join(context, "r/f"))));
  assert.equal(statSync(join(directory, "f")).nlink, 2);
});
