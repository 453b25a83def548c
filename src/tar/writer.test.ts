import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError } from "../base/errors.ts";
import type { TarEntry } from "./entry.ts";
import { TarReader } from "./reader.ts";
import { createEntry, encodeHeader, endOfArchive } from "./writer.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-tar-"));
after(() => rmSync(scratch, { recursive: true }));

function decode(header: Buffer): TarEntry[] {
  const entries: TarEntry[] = [];
  const reader = new TarReader({ entry: (entry) => entries.push(entry), data: () => {}, hole: () => {}, entryEnd: () => {} });
  reader.push(header);
  return entries;
}

const ordinary = createEntry({ type: "file", path: "etc/passwd", size: 5, uid: 1000, mtimeNs: 1_700_000_000_000_000_000n });

test("ordinary entries are one ustar block", () => {
  for (const entry of [
    ordinary,
    createEntry({ type: "file", path: `${"d".repeat(100)}/${"n".repeat(100)}` }),
    createEntry({ type: "symlink", path: "l", linkname: "x".repeat(100) }),
  ]) {
    assert.equal(encodeHeader(entry).length, 512, entry.path);
  }
});

test("what ustar cannot hold goes to a pax header, records in order", () => {
  const entry = createEntry({
    type: "file",
    path: "n".repeat(101),
    uid: 3_000_000,
    size: 9_000_000_000,
    mtimeNs: -1_500_000_000n,
    xattrs: new Map([
      ["user.b", Buffer.from([0, 0xff, 0x0a])],
      ["user.a", Buffer.from("")],
    ]),
  });
  const header = encodeHeader(entry);
  const records = header.toString("latin1").match(/\d+ [\w.]+(?==)/g);
  assert.deepEqual(
    records?.map((record) => record.split(" ")[1]),
    ["SCHILY.xattr.user.a", "SCHILY.xattr.user.b", "mtime", "path", "size", "uid"],
  );
  assert.deepEqual(decode(header), [entry]);
});

test("the bytes never change", () => {
  const digest = (bytes: Buffer): string => process.getBuiltinModule("node:crypto").hash("sha256", bytes);
  assert.equal(digest(encodeHeader(ordinary)), "992bdd181b13c60f5f30bdb81c953384d83c12b78da137a17cd4db7b2432e153");
  assert.equal(digest(encodeHeader({ ...ordinary, path: "grün", mtimeNs: 1n })), "e2f71b38e7ccd20f3069a03865a7954cf0ea382720e03e82021e65941315fa43");
});

test("names and numbers that no header can hold are refused", () => {
  const refused: readonly Partial<TarEntry>[] = [
    { path: "" },
    { path: "a\0b" },
    { uid: -1 },
    { size: 1.5 },
    { devmajor: 2 ** 22 },
    { xattrs: new Map([["a=b", Buffer.alloc(1)]]) },
  ];
  for (const parts of refused)
    assert.throws(
      () => encodeHeader({ ...ordinary, ...parts }),
      (error) => isSlipwayError(error, "TAR_UNENCODABLE"),
      Object.keys(parts)[0],
    );
});

test("every entry comes back as it was", () => {
  const segment = fc.string({ minLength: 1, maxLength: 130, unit: "binary" }).filter((text) => !/[\0/]/.test(text) && Buffer.from(text).toString() === text);
  const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const raw = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1").replace(/[\0/]/g, "_"));
  const entry = fc.record({
    type: fc.constantFrom("file", "directory", "symlink", "hardlink", "char", "block", "fifo" as const),
    path: name,
    raw,
    useRaw: fc.boolean(),
    linkname: name,
    mode: fc.nat(0o7777),
    uid: fc.nat(),
    gid: fc.nat(),
    uname: fc.string({ unit: "grapheme-ascii" }),
    size: fc.nat(2 ** 40),
    mtimeNs: fc.bigInt(-(10n ** 19n), 10n ** 19n),
    dev: fc.nat(2 ** 21 - 1),
    xattr: fc.uint8Array({ maxLength: 100 }),
  });
  fc.assert(
    fc.property(entry, (parts) => {
      const isDevice = parts.type === "char" || parts.type === "block";
      const isLink = parts.type === "symlink" || parts.type === "hardlink";
      const rawName = parts.useRaw && !process.getBuiltinModule("node:buffer").isUtf8(Buffer.from(parts.raw, "latin1"));
      const wanted = createEntry({
        type: parts.type,
        path: rawName ? parts.raw : parts.path,
        rawName,
        linkname: isLink ? parts.linkname : "",
        mode: parts.mode,
        uid: parts.uid,
        gid: parts.gid,
        uname: parts.uname,
        size: parts.type === "file" ? parts.size : 0,
        mtimeNs: parts.mtimeNs,
        devmajor: isDevice ? parts.dev : 0,
        devminor: isDevice ? 7 : 0,
        xattrs: new Map([["user.x", Buffer.from(parts.xattr)]]),
      });
      assert.deepEqual(decode(encodeHeader(wanted)), [wanted]);
    }),
    { numRuns: 200 },
  );
});

test("a symlink may lead to the root", () => {
  const wanted = createEntry({ type: "symlink", path: "l", linkname: "/", mode: 0o777 });
  assert.deepEqual(decode(encodeHeader(wanted)), [wanted]);
});

test("GNU tar reads what we write", () => {
  const long = "long".repeat(60);
  const file = (parts: Partial<TarEntry> & { path: string }, content: string): Buffer =>
    Buffer.concat([
      encodeHeader(createEntry({ type: "file", size: content.length, ...parts })),
      Buffer.from(content),
      Buffer.alloc(512 - (content.length % 512)),
    ]);
  const archive = Buffer.concat([
    encodeHeader(createEntry({ type: "directory", path: "d", mode: 0o750, mtimeNs: 1_000_000_000n })),
    file({ path: `d/${long}`, mtimeNs: 1_500_000_000_123_456_789n }, "long"),
    file({ path: "d/latin\xe4", rawName: true }, "raw"),
    file({ path: "d/grün", mtimeNs: -1_500_000_000n }, "utf8"),
    encodeHeader(createEntry({ type: "hardlink", path: "d/hard", linkname: `d/${long}` })),
    encodeHeader(createEntry({ type: "symlink", path: "d/soft", linkname: `${long}/grün` })),
    encodeHeader(createEntry({ type: "char", path: "d/null", devmajor: 1, devminor: 3 })),
    endOfArchive,
  ]);
  const listing = execFileSync("tar", ["--quoting-style=literal", "--full-time", "--utc", "--numeric-owner", "-tvf", "-"], {
    input: archive,
    env: { ...process.env, LC_ALL: "C" },
  }).toString("latin1");
  const lines = listing
    .trim()
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));
  assert.equal(lines[0], "drwxr-x--- 0/0 0 1970-01-01 00:00:01 d/");
  assert.equal(lines[1], `-rw-r--r-- 0/0 4 2017-07-14 02:40:00.123456789 d/${long}`);
  assert.match(lines[2] ?? "", / d\/latin\xe4$/);
  assert.match(lines[3] ?? "", / d\/gr\xc3\xbcn$/);
  assert.match(lines[4] ?? "", / d\/hard link to d\/long/);
  assert.match(lines[5] ?? "", / d\/soft -> .*\/gr\xc3\xbcn$/);
  assert.match(lines[6] ?? "", /^crw-r--r-- 0\/0 1,3 /);
  execFileSync("tar", ["-C", scratch, "--exclude=d/null", "-xf", "-"], { input: archive });
  assert.equal(readFileSync(join(scratch, "d", long), "utf8"), "long");
});
