import assert from "node:assert/strict";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fc } from "../base/test-chance.ts";
import type { TarEntry } from "../tar/entry.ts";
import { createEntry } from "../tar/writer.ts";
import type { FileView } from "./file-view.ts";
import { formatIndex, parseIndex } from "./layer-index.ts";
import { DirectoryLayer, IndexLayer } from "./layer-tree.ts";
import { MergedView } from "./merged-view.ts";
import { enterPrivateMountNamespace, mountOverlay, probeOverlay, unmount } from "./overlay.ts";
import { tarOf, type Member } from "./test-store.ts";
import { unpackLayer } from "./unpack.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-merged-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const probe = process.geteuid?.() === 0 ? probeOverlay(scratch) : { supported: false, reason: "needs root" };
const skip = probe.supported ? {} : { skip: "needs root and overlayfs" };

/** Everything in a tree: path → kind, mode, content's size or link. */
function listView(view: FileView, directory = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of view.list(directory)) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const node = view.lookup(path);
    if (node === undefined) continue;
    found[path] = `${node.type} ${node.type === "symlink" ? node.linkname : `${node.mode.toString(8)} ${node.size}`}`;
    if (node.type === "directory") Object.assign(found, listView(view, path));
  }
  return found;
}

function listDisk(root: string, directory = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, directory)).sort()) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
    // The kernel lists a whiteout in a directory that only one layer has, though nothing is there.
    if (stat === undefined) continue;
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) found[path] = `symlink ${readlinkSync(join(root, path))}`;
    else if (stat.isDirectory()) Object.assign(found, { [path]: `directory ${mode} 0` }, listDisk(root, path));
    else found[path] = `file ${mode} ${stat.size}`;
  }
  return found;
}

const name = fc.constantFrom("a", "b", "c");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const member: fc.Arbitrary<Member> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ path, content: fc.constantFrom("", "x", "yy"), mode: fc.constantFrom(0o644, 0o600, 0o4755) }) },
  { weight: 3, arbitrary: path.map((directory): Member => ({ path: directory, type: "directory", mode: 0o711 })) },
  { weight: 1, arbitrary: path.map((parent): Member => ({ path: `${parent}/s`, type: "symlink", linkname: "a" })) },
  { weight: 2, arbitrary: path.map((gone): Member => ({ path: gone.replace(/([^/]*)$/, ".wh.$1") })) },
  { weight: 1, arbitrary: path.map((directory): Member => ({ path: `${directory}/.wh..wh..opq` })) },
);

test("random layers look as the kernel's overlay shows them, unpacked or only indexed", skip, () => {
  enterPrivateMountNamespace();
  let count = 0;
  fc.assert(
    fc.property(fc.array(fc.array(member, { maxLength: 6 }), { minLength: 1, maxLength: 3 }), (layers) => {
      const directory = join(scratch, `r${count++}`);
      mkdirSync(directory);
      const lowers: string[] = [];
      const indexes: (readonly TarEntry[])[] = [];
      for (const [number, members] of layers.entries()) {
        const lower = join(directory, `l${number}`);
        mkdirSync(lower);
        try {
          const below = new MergedView(lowers.map((known) => new DirectoryLayer(known)));
          const { index } = unpackLayer({
            directory: lower,
            whiteouts: "overlay",
            owners: { mode: "keep" },
            source: [tarOf(members)],
            missingParent: (parent) => {
              const node = below.lookup(parent);
              return node?.type === "directory"
                ? { type: "directory", mode: node.mode, uid: node.uid, gid: node.gid, mtimeNs: node.mtimeNs, xattrs: new Map() }
                : undefined;
            },
          });
          lowers.push(lower);
          indexes.push(index);
        } catch {
          // An archive that contradicts itself (a file below a file) is refused; the others still stand on each other.
          rmSync(lower, { recursive: true });
        }
      }
      fc.pre(lowers.length > 0);
      const [target, empty] = [join(directory, "merged"), join(directory, "empty")];
      for (const made of [target, empty]) mkdirSync(made);
      mountOverlay({ lowers: [...lowers.toReversed(), empty], target });
      try {
        const want = listDisk(target);
        assert.deepEqual(listView(new MergedView(lowers.map((lower) => new DirectoryLayer(lower)))), want);
        const mixed = lowers.map((lower, number) => (number % 2 === 0 ? new DirectoryLayer(lower) : new IndexLayer(indexes[number] ?? [])));
        assert.deepEqual(listView(new MergedView(mixed)), want);
      } finally {
        unmount(target);
      }
    }),
    { numRuns: 40 },
  );
});

test("contents come from the topmost layer that has the file", skip, () => {
  const lowers = ["one", "two"].map((text, number) => {
    const directory = join(scratch, `c${number}`);
    mkdirSync(directory);
    unpackLayer({
      directory,
      whiteouts: "overlay",
      owners: { mode: "keep" },
      source: [
        tarOf([
          { path: "f", content: text },
          { path: `only${number}`, content: text },
        ]),
      ],
    });
    return new DirectoryLayer(directory);
  });
  const view = new MergedView(lowers);
  assert.deepEqual(
    ["f", "only0", "only1"].map((file) => readFileSync(view.lookup(file)?.diskPath ?? "", "utf8")),
    ["two", "one", "two"],
  );
});

test("an index file gives back every entry that it was made of", () => {
  const entry = fc.record({
    type: fc.constantFrom<TarEntry["type"]>("file", "directory", "symlink", "hardlink", "char", "block", "fifo"),
    path: fc.string({ minLength: 1, unit: "binary" }),
    linkname: fc.string(),
    mode: fc.nat(0o7777),
    uid: fc.nat(),
    gid: fc.nat(),
    size: fc.nat(),
    mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    devmajor: fc.nat(),
    devminor: fc.nat(),
    xattrs: fc.array(fc.tuple(fc.string(), fc.uint8Array())).map((pairs) => new Map(pairs.map(([key, value]) => [key, Buffer.from(value)]))),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (parts) => {
      const entries = parts.map((part) => createEntry(part));
      assert.deepEqual(parseIndex(formatIndex(entries)), entries);
    }),
    { numRuns: 100 },
  );
  assert.equal(parseIndex("slipway-layer-index 0\n"), undefined);
});
