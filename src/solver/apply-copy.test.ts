import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SlipwayError } from "../base/errors.ts";
import type { CopyAction } from "../graph/op.ts";
import { emptyView } from "../store/index.ts";
import { applyCopy, type Placement } from "./apply-copy.ts";
import { directoryModeOf, parseModeChange } from "../graph/file-mode.ts";
import { LayerDraft } from "./layer-draft.ts";
import { selectSources } from "./selection.ts";
import { copyAction, draftListing, plainPlacement, sourceOf, treeOf, type Leaf } from "./test-solver.ts";

type Leaves = Readonly<Record<string, Leaf>>;

const files: Leaves = {
  "a.txt": "A",
  "b.txt": "B",
  "d/x": "X",
  "d/y/z": "Z",
  "d/y/": { mode: 0o711 },
  "e/1.c": "1",
  "e/2.h": "2",
  la: { link: "a.txt" },
  ld: { link: "d" },
  "t/in": { link: "../a.txt" },
};

interface Row {
  readonly name: string;
  readonly base?: Leaves;
  readonly source?: Leaves;
  readonly copies: readonly CopyAction[];
  readonly placement?: Partial<Placement>;
  readonly want: Readonly<Record<string, string>>;
}

const chmod = (text: string): Partial<Placement> => ({ mode: parseModeChange(text), directoryMode: directoryModeOf(text) });

/** Each row was seen in an image that Docker built. */
const rows: readonly Row[] = [
  { name: "a file to a name", copies: [copyAction(["/a.txt"], "/x")], want: { x: "644 A" } },
  { name: "a file into a directory that is made", copies: [copyAction(["/a.txt"], "/n/m/")], want: { n: "755/", "n/m": "755/", "n/m/a.txt": "644 A" } },
  {
    name: "a file into a directory that is there",
    base: { "ex/": { mode: 0o700, uid: 5 } },
    copies: [copyAction(["/a.txt"], "/ex")],
    want: { ex: "700 5:5/", "ex/a.txt": "644 A" },
  },
  { name: "a slash behind a file's name means nothing", copies: [copyAction(["/a.txt/"], "/x")], want: { x: "644 A" } },
  { name: "two files to one name: the last one", copies: [copyAction(["/a.txt", "/b.txt"], "/x")], want: { x: "644 B" } },
  { name: "a directory's contents", copies: [copyAction(["/d"], "/q")], want: { q: "755/", "q/x": "644 X", "q/y": "711/", "q/y/z": "644 Z" } },
  { name: "the destination keeps its own mode", base: { "q/": { mode: 0o700 } }, copies: [copyAction(["/d/y"], "/q")], want: { q: "700/", "q/z": "644 Z" } },
  { name: "a made destination is 0755, whatever the source", copies: [copyAction(["/d/y"], "/q")], want: { q: "755/", "q/z": "644 Z" } },
  {
    name: "directories below take the source's mode over their own",
    base: { "q/y/": { mode: 0o700, uid: 3 } },
    copies: [copyAction(["/d"], "/q")],
    want: { q: "755/", "q/x": "644 X", "q/y": "711/", "q/y/z": "644 Z" },
  },
  { name: "the whole tree into the root", source: { a: "1", "d/b": "2" }, copies: [copyAction(["/"], "/")], want: { a: "644 1", d: "755/", "d/b": "644 2" } },
  {
    name: "several directories merge",
    copies: [copyAction(["/d", "/e"], "/m/")],
    want: { m: "755/", "m/1.c": "644 1", "m/2.h": "644 2", "m/x": "644 X", "m/y": "711/", "m/y/z": "644 Z" },
  },
  { name: "a pattern", copies: [copyAction(["/e/*.c"], "/c/")], want: { c: "755/", "c/1.c": "644 1" } },
  { name: "a pattern without a match", copies: [copyAction(["/none*"], "/c/")], want: {} },
  {
    name: "a symlink named directly is followed",
    copies: [copyAction(["/la"], "/x"), copyAction(["/ld"], "/y/")],
    want: { x: "644 A", y: "755/", "y/x": "644 X", "y/y": "711/", "y/y/z": "644 Z" },
  },
  { name: "a symlink in a tree stays one", copies: [copyAction(["/t"], "/t")], want: { t: "755/", "t/in": "→ ../a.txt" } },
  {
    name: "a symlink at the destination is followed in the root",
    base: { "real/": "", l: { link: "/real" } },
    copies: [copyAction(["/a.txt"], "/l/")],
    want: { real: "755/", "real/a.txt": "644 A" },
  },
  {
    name: "a dangling one gets its target",
    base: { dang: { link: "/no/where" } },
    copies: [copyAction(["/a.txt"], "/dang/x")],
    want: { no: "755/", "no/where": "755/", "no/where/x": "644 A" },
  },
  {
    name: "a link that climbs ends at the root",
    base: { up: { link: "../../../real" }, "real/": "" },
    copies: [copyAction(["/a.txt"], "/up/")],
    want: { real: "755/", "real/a.txt": "644 A" },
  },
  {
    name: "--chown: files, and directories on the way",
    copies: [copyAction(["/a.txt"], "/p/q")],
    placement: { owner: { uid: 5, gid: 6 } },
    want: { p: "755 5:6/", "p/q": "644 5:6 A" },
  },
  {
    name: "--chmod by number: everything",
    copies: [copyAction(["/d"], "/n/m")],
    placement: chmod("750"),
    want: { n: "750/", "n/m": "750/", "n/m/x": "750 X", "n/m/y": "750/", "n/m/y/z": "750 Z" },
  },
  {
    name: "--chmod by letters: not the directories on the way",
    copies: [copyAction(["/d"], "/n/m")],
    placement: chmod("go="),
    want: { n: "755/", "n/m": "755/", "n/m/x": "600 X", "n/m/y": "700/", "n/m/y/z": "600 Z" },
  },
  {
    name: "--exclude",
    copies: [copyAction(["/d"], "/q", { exclude: ["y"] }), copyAction(["/e"], "/e", { exclude: ["*.c"] })],
    want: { e: "755/", "e/2.h": "644 2", q: "755/", "q/x": "644 X" },
  },
  {
    name: "--parents",
    copies: [copyAction(["d/y/z", "e/1.c"], "/o/", { parents: true })],
    want: { o: "755/", "o/d": "755/", "o/d/y": "755/", "o/d/y/z": "644 Z", "o/e": "755/", "o/e/1.c": "644 1" },
  },
  { name: "--parents from a pivot on", copies: [copyAction(["d/./y/z"], "/o/", { parents: true })], want: { o: "755/", "o/y": "755/", "o/y/z": "644 Z" } },
  {
    name: "--parents: each source has its own pivot, and none climbs",
    copies: [copyAction(["./d/./y/z", "e/1.c", "../../d/x", "d/./*"], "/o/", { parents: true })],
    want: { o: "755/", "o/d": "755/", "o/d/x": "644 X", "o/e": "755/", "o/e/1.c": "644 1", "o/x": "644 X", "o/y": "755/", "o/y/z": "644 Z" },
  },
  {
    name: "hard links of one tree stay linked",
    source: { "f/a": { mode: 0o600, text: "L", inode: "7" }, "f/b": { mode: 0o600, text: "L", inode: "7" } },
    copies: [copyAction(["/f"], "/f")],
    want: { f: "755/", "f/a": "600 L", "f/b": "= f/a" },
  },
  {
    name: "hard links named one by one do not",
    source: { "f/a": { mode: 0o600, text: "L", inode: "7" }, "f/b": { mode: 0o600, text: "L", inode: "7" } },
    copies: [copyAction(["/f/a", "/f/b"], "/g/")],
    want: { g: "755/", "g/a": "600 L", "g/b": "600 L" },
  },
  {
    name: "fifos and special bits",
    source: { "s/p": { fifo: true }, "s/su": { mode: 0o4755, text: "x" } },
    copies: [copyAction(["/s"], "/s")],
    want: { s: "755/", "s/p": "644 fifo", "s/su": "4755 x" },
  },
];
describe("copies", () => {
  for (const { name, base, source = files, copies, placement, want } of rows) {
    test(name, () => {
      const draft = new LayerDraft(base === undefined ? emptyView : treeOf(base));
      const tree = sourceOf(source);
      for (const copy of copies) applyCopy(draft, copy, selectSources(copy, tree), tree, { ...plainPlacement, ...placement });
      assert.deepEqual(draftListing(draft), want);
    });
  }
});

const faults: readonly (readonly [name: string, base: Leaves, copy: CopyAction, message: RegExp])[] = [
  [
    "a name that is not there",
    {},
    copyAction(["/nope"], "/x"),
    /^failed to compute cache key: failed to calculate checksum of ref context: "\/nope": not found$/,
  ],
  ["a directory over a file", { x: "f" }, copyAction(["/d"], "/x"), /^(?:mkdir|cannot copy to non-directory:)/],
  ["a file over a directory in a tree", { "q/x/": "" }, copyAction(["/d"], "/q"), /^cannot replace to directory \/q\/x with file$/],
  ["a file below a file", { f: "f" }, copyAction(["/a.txt"], "/f/x"), /^mkdir \/f: not a directory$/],
  ["links that go round", { l1: { link: "l2" }, l2: { link: "l1" } }, copyAction(["/a.txt"], "/l1/"), /too many links$/],
];
describe("refuses", () => {
  for (const [name, base, copy, message] of faults) {
    test(name, () => {
      const draft = new LayerDraft(treeOf(base));
      const tree = sourceOf(files);
      assert.throws(
        () => applyCopy(draft, copy, selectSources(copy, tree), tree, plainPlacement),
        (error) => error instanceof SlipwayError && error.kind !== "internal" && assert.match(error.message, message) === undefined,
      );
    });
  }

  test("sources whose links go round, in BuildKit's words", () => {
    assert.throws(() => selectSources(copyAction(["/l1"], "/x"), sourceOf({ l1: { link: "l2" }, l2: { link: "l1" } })), {
      message: "failed to compute cache key: failed to calculate checksum of ref context: too many links",
    });
  });
});
