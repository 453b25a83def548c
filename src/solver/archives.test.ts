import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { SlipwayError } from "../base/errors.ts";
import { tarOf, type Member } from "../store/test-store.ts";
import { createTestBuilder, type TestBuild } from "./test-build.ts";

const builder = createTestBuilder();
after(() => builder[Symbol.dispose]());
const { build, context } = builder;

async function add(bytes: Uint8Array, dockerfile = "FROM scratch\nADD t /x/\n"): Promise<TestBuild["files"]> {
  writeFileSync(join(context, "t"), bytes);
  return (await build(dockerfile)).files;
}

function listing(files: TestBuild["files"], directory = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of files.list(directory)) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const node = files.lookup(path);
    if (node === undefined) continue;
    const owner = node.uid === 0 && node.gid === 0 ? "" : ` ${node.uid}:${node.gid}`;
    const what = node.type === "file" ? readFileSync(node.diskPath ?? "", "utf8") : node.type === "symlink" ? `→ ${node.linkname}` : node.type;
    found[path] =
      node.type === "directory" ? `${node.mode.toString(8)}${owner}/` : `${node.type === "symlink" ? "" : node.mode.toString(8)}${owner} ${what}`.trim();
    Object.assign(found, listing(files, path));
  }
  return found;
}

const skip = process.geteuid?.() === 0 ? false : "needs root: owners";

describe("ADD extracts by content", { skip }, () => {
  const members: readonly Member[] = [
    { path: "d", type: "directory", mode: 0o711, uid: 4 },
    { path: "d/f", content: "1", mode: 0o600, uid: 3, gid: 2 },
  ];
  const want = { x: "755/", "x/d": "711 4:0/", "x/d/f": "600 3:2 1" };
  for (const [name, pack] of [
    ["a tar", (tar: Buffer) => tar],
    ["gzip", (tar: Buffer) => gzipSync(tar)],
    ["zstd", (tar: Buffer) => zstdCompressSync(tar)],
  ] as const) {
    test(name, async () => assert.deepEqual(listing(await add(pack(tarOf(members)))), want));
  }

  /** As Docker was seen to do. */
  const rows: readonly (readonly [name: string, members: readonly Member[], want: Record<string, string>])[] = [
    ["parents that are left out are 0755 root", [{ path: "a/b/f", content: "1", uid: 5, gid: 5 }], { "x/a": "755/", "x/a/b": "755/", "x/a/b/f": "644 5:5 1" }],
    [
      "absolute names count from the destination",
      [
        { path: "/abs", content: "1" },
        { path: "./dot", content: "2" },
      ],
      { "x/abs": "644 1", "x/dot": "644 2" },
    ],
    [
      "`..` inside the archive",
      [
        { path: "d", type: "directory", mode: 0o755 },
        { path: "d/../up", content: "1" },
      ],
      { "x/d": "755/", "x/up": "644 1" },
    ],
    [
      "the last of several",
      [
        { path: "f", content: "1" },
        { path: "f", content: "22" },
      ],
      { "x/f": "644 22" },
    ],
    ["a link keeps its text", [{ path: "l", type: "symlink", linkname: "/etc" }], { "x/l": "→ /etc" }],
    [
      "an absolute link on the way counts from the destination",
      [
        { path: "etc", type: "directory", mode: 0o755 },
        { path: "l", type: "symlink", linkname: "/etc" },
        { path: "l/f", content: "1" },
      ],
      { "x/etc": "755/", "x/etc/f": "644 1", "x/l": "→ /etc" },
    ],
    [
      "a hard link",
      [
        { path: "f", content: "1" },
        { path: "h", type: "hardlink", linkname: "f" },
      ],
      { "x/f": "644 1", "x/h": "644 1" },
    ],
    [
      "a hard link that says something else speaks for the file",
      [
        { path: "f", content: "1" },
        { path: "h", type: "hardlink", linkname: "f", mode: 0o600, uid: 5, gid: 6 },
        { path: "i", type: "hardlink", linkname: "h", mode: 0o755, uid: 7, gid: 8 },
      ],
      { "x/f": "755 7:8 1", "x/h": "755 7:8 1", "x/i": "755 7:8 1" },
    ],
    [
      "a hard link to a symlink",
      [
        { path: "f", content: "1" },
        { path: "l", type: "symlink", linkname: "f" },
        { path: "h", type: "hardlink", linkname: "l" },
      ],
      { "x/f": "644 1", "x/h": "→ f", "x/l": "→ f" },
    ],
    ["a fifo", [{ path: "p", type: "fifo", mode: 0o600 }], { "x/p": "600 fifo" }],
  ];
  for (const [name, entries, below] of rows) test(name, async () => assert.deepEqual(listing(await add(tarOf(entries))), { x: "755/", ...below }));

  test("a hard link into the layers below speaks for the file there", async () => {
    writeFileSync(
      join(context, "base"),
      tarOf([
        { path: "e/one", content: "1" },
        { path: "e/two", content: "2" },
        { path: "e/sl", type: "symlink", linkname: "one" },
      ]),
    );
    const links = tarOf([
      { path: "h", type: "hardlink", linkname: "e/one", mode: 0o600, uid: 9 },
      { path: "s", type: "hardlink", linkname: "e/sl" },
      { path: "t", type: "hardlink", linkname: "e/two" },
    ]);
    const files = await add(links, "FROM scratch\nADD base /\nADD t /\n");
    assert.deepEqual(listing(files), { e: "755/", "e/one": "600 9:0 1", "e/sl": "→ one", "e/two": "644 2", h: "600 9:0 1", s: "→ one", t: "644 2" });
  });

  test("--chown applies to everything, --chmod to nothing", async () => {
    const files = await add(tarOf(members), "FROM scratch\nADD --chown=7:8 --chmod=640 t /x/\n");
    assert.deepEqual(listing(files), { x: "755 7:8/", "x/d": "711 7:8/", "x/d/f": "600 7:8 1" });
  });

  test("what is no archive, and one that ends before its first header, stay files", async () => {
    for (const bytes of [Buffer.from("text"), gzipSync("text"), gzipSync(tarOf(members)).subarray(0, 20), Buffer.alloc(0)]) {
      assert.deepEqual((await add(bytes)).lookup("x/t")?.size, bytes.length);
    }
  });

  test("COPY, and ADD --unpack=false, never extract", async () => {
    const tar = tarOf(members);
    assert.equal((await add(tar, "FROM scratch\nCOPY t /x/\n")).lookup("x/t")?.size, tar.length);
    assert.equal((await add(tar, "FROM scratch\nADD --unpack=false t /x/\n")).lookup("x/t")?.size, tar.length);
  });

  const faults: readonly (readonly [name: string, bytes: Uint8Array, message: RegExp])[] = [
    ["names that climb out", tarOf([{ path: "../evil", content: "x" }]), /^invalid entry name "\.\.\/evil"$/],
    ["hard links to nothing", tarOf([{ path: "h", type: "hardlink", linkname: "nothing" }]), /^linkat nothing h: no such file or directory$/],
    ["hard links out", tarOf([{ path: "h", type: "hardlink", linkname: "../../etc/passwd" }]), /etc\/passwd/],
    [
      "half a packed tar",
      gzipSync(
        tarOf([
          { path: "f", content: "x" },
          { path: "g", content: String(Math.PI).repeat(200) },
        ]),
      ).subarray(0, 110),
      /^unexpected EOF$/,
    ],
    ["half a tar", tarOf([{ path: "f", content: "x".repeat(2000) }]).subarray(0, 1200), /unexpected EOF$/],
    [
      "a file below a file",
      tarOf([
        { path: "f", content: "x" },
        { path: "f/g", content: "y" },
      ]),
      /not a directory$/,
    ],
  ];
  for (const [name, bytes, message] of faults) {
    test(`refuses ${name}`, async () => {
      await assert.rejects(add(bytes), (error) => error instanceof SlipwayError && assert.match(error.message, message) === undefined);
    });
  }
});
