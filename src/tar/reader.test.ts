import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError } from "../base/errors.ts";
import { checksumOf } from "./block.ts";
import type { TarEntry } from "./entry.ts";
import { encodePaxRecords } from "./pax.ts";
import { readTarMembers } from "./read.ts";
import { TarReader, type TarLimits } from "./reader.ts";
import { createEntry, encodeHeader, endOfArchive } from "./writer.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-tar-"));
after(() => rmSync(scratch, { recursive: true }));

interface Member {
  readonly entry: TarEntry;
  readonly content: Buffer;
}

function readAll(archive: Buffer, chunkSize = archive.length || 1, limits?: Partial<TarLimits>): Member[] {
  const members: Member[] = [];
  let pieces: Buffer[] = [];
  let current: TarEntry | undefined;
  const reader = new TarReader(
    {
      entry: (entry) => (current = entry),
      data: (bytes) => pieces.push(Buffer.from(bytes)),
      hole: (length) => pieces.push(Buffer.alloc(length)),
      entryEnd: () => {
        assert.ok(current);
        members.push({ entry: current, content: Buffer.concat(pieces) });
        pieces = [];
      },
    },
    limits,
  );
  for (let at = 0; at < archive.length; at += chunkSize) reader.push(archive.subarray(at, at + chunkSize));
  reader.finish();
  return members;
}

function shell(script: string): Buffer {
  return execFileSync("sh", ["-ec", script], { cwd: scratch, maxBuffer: 64 << 20 });
}

/** A header block with fields of our choosing and a right checksum. */
function rawHeader(fields: Readonly<Record<number, string | Buffer>>): Buffer {
  const block = Buffer.alloc(512);
  block.write("0000644\0", 100);
  block.write("00000000000\0", 124);
  for (const [offset, value] of Object.entries(fields)) Buffer.from(value as string, "latin1").copy(block, Number(offset));
  block.write(`${checksumOf(block).toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padded(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

function paxBlocks(records: Readonly<Record<string, string>>, flag = "x"): Buffer {
  const content = encodePaxRecords(new Map(Object.entries(records).map(([key, value]) => [key, Buffer.from(value)])));
  return Buffer.concat([rawHeader({ 0: "pax", 124: `${content.length.toString(8).padStart(11, "0")}\0`, 156: flag, 257: "ustar\u000000" }), padded(content)]);
}

test("reads what GNU tar writes, whatever the chunking", () => {
  shell(`
    mkdir t && cd t && printf hello > file && ln file hard && ln -s file soft && mkfifo fifo
    long=$(printf '%0150d' 7); mkdir "$long" && printf deep > "$long/$long" && ln -s "$long/$long" longlink
    printf bytes > "$(printf 'latin\\344')" && printf utf > grün
    chmod 4755 file && touch -d '1969-12-31T23:59:58.25Z' file && touch -d '2020-01-01T00:00:00Z' soft -h`);
  for (const format of ["gnu", "pax", "posix"]) {
    const archive = shell(`tar -C t --format=${format} --sort=name --owner=someone:3000000 --group=some:7 -cf - .`);
    const members = readAll(archive);
    for (const chunkSize of [1, 511, 513, 4096]) assert.deepEqual(readAll(archive, chunkSize), members, `chunks of ${chunkSize}`);
    const byPath = new Map(members.map((member) => [member.entry.path, member]));
    const long = "7".padStart(150, "0");
    assert.equal(byPath.get(`./${long}/${long}`)?.content.toString(), "deep");
    assert.equal(byPath.get("./longlink")?.entry.linkname, `${long}/${long}`);
    assert.equal(byPath.get("./latin\u00e4")?.entry.rawName, true);
    assert.equal(byPath.get("./grün")?.entry.rawName, false);
    const file = byPath.get("./file")?.entry;
    assert.deepEqual([file?.type, file?.mode, file?.uid, file?.gid, file?.uname], ["file", 0o4755, 3000000, 7, "someone"]);
    assert.equal(file?.mtimeNs, format === "gnu" ? -2_000_000_000n : -1_750_000_000n);
    assert.deepEqual([byPath.get("./hard")?.entry.type, byPath.get("./hard")?.entry.linkname], ["hardlink", "./file"]);
    assert.equal(byPath.get("./fifo")?.entry.type, "fifo");
    assert.equal(byPath.get(".")?.entry.type, "directory");
  }
});

test("expands GNU tar's sparse files in every notation", () => {
  shell(`mkdir s && cd s && truncate -s 3M holes && printf middle | dd of=holes bs=1 seek=1000000 conv=notrunc status=none && printf end >> holes
    truncate -s 100000 empty; for i in $(seq 30); do printf x | dd of=many bs=1 seek=$((i * 70000)) conv=notrunc status=none; done`);
  const wanted = ["empty", "holes", "many"].map((name) => shell(`cat s/${name}`));
  for (const notation of ["--format=gnu", ...["0.0", "0.1", "1.0"].map((version) => `--format=pax --sparse-version=${version}`)]) {
    const archive = shell(`tar -C s ${notation} --sort=name -Scf - empty holes many`);
    assert.ok(archive.length < 1_000_000, "the archive is sparse");
    const members = readAll(archive, 1000);
    assert.deepEqual(
      members.map(({ entry }) => entry.path),
      ["empty", "holes", "many"],
    );
    for (const [at, content] of wanted.entries()) assert.ok(members[at]?.content.equals(content), `${notation}: ${members[at]?.entry.path}`);
  }
});

test("dialects and oddities", () => {
  const size = (octal: string): Record<number, string> => ({ 124: `${octal.padStart(11, "0")}\0` });
  const base256 = (value: bigint, length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    for (let at = length - 1, rest = BigInt.asUintN(length * 8, value); at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
    bytes[0] = (bytes[0] ?? 0) | 0x80;
    return bytes;
  };
  const cases: readonly (readonly [string, Buffer, Partial<TarEntry>, string])[] = [
    ["v7 directory", rawHeader({ 0: "old/" }), { path: "old", type: "directory" }, ""],
    ["directory with a size in its header", rawHeader({ 0: "d/", 156: "5", ...size("1000") }), { type: "directory", size: 0 }, ""],
    ["hardlink with a size in its header", rawHeader({ 0: "h", 156: "1", 157: "t", ...size("1000") }), { type: "hardlink", size: 0, linkname: "t" }, ""],
    ["directory flagged as a file, with content", Buffer.concat([rawHeader({ 0: "d/", 156: "0", ...size("3") }), padded("abc")]), { type: "directory" }, ""],
    ["base-256 numbers", rawHeader({ 0: "b", 108: base256(5_000_000n, 8), 136: base256(-5n, 12) }), { uid: 5_000_000, mtimeNs: -5_000_000_000n }, ""],
    ["leading spaces in numbers", rawHeader({ 0: "n", 108: "    17 \0" }), { uid: 0o17 }, ""],
    ["ustar prefix", rawHeader({ 0: "name", 257: "ustar\u000000", 345: "pre/fix" }), { path: "pre/fix/name" }, ""],
    ["GNU header with access time is no prefix", rawHeader({ 0: "name", 257: "ustar  \0", 345: "14000000000\0" }), { path: "name" }, ""],
    ["GNU header with a prefix as old Go wrote it", rawHeader({ 0: "name", 257: "ustar  \0", 345: "pre/fix" }), { path: "pre/fix/name" }, ""],
    ["device", rawHeader({ 0: "null", 156: "3", 257: "ustar\u000000", 329: "0000001\0", 337: "0000003\0" }), { type: "char", devmajor: 1, devminor: 3 }, ""],
    [
      "pax overrides",
      Buffer.concat([paxBlocks({ path: "long", uid: "9", mtime: "-1.5", "SCHILY.xattr.user.a": "=\n" }), rawHeader({ 0: "short" })]),
      { path: "long", uid: 9, mtimeNs: -1_500_000_000n, xattrs: new Map([["user.a", Buffer.from("=\n")]]) },
      "",
    ],
    ["pax size", Buffer.concat([paxBlocks({ size: "2" }), rawHeader({ 0: "f" }), padded("ab")]), { size: 2 }, "ab"],
    [
      "global pax",
      Buffer.concat([paxBlocks({ gid: "8", mtime: "3", comment: "x" }, "g"), paxBlocks({ mtime: "4" }), rawHeader({ 0: "f" })]),
      { gid: 8, mtimeNs: 4_000_000_000n },
      "",
    ],
    ["global path is ignored", Buffer.concat([paxBlocks({ path: "no" }, "g"), rawHeader({ 0: "f" })]), { path: "f" }, ""],
  ];
  for (const [name, archive, wanted, content] of cases) {
    for (const chunkSize of [archive.length, 100]) {
      const [member, ...others] = readAll(Buffer.concat([archive, endOfArchive]), chunkSize);
      assert.ok(member && others.length === 0, name);
      for (const [key, value] of Object.entries(wanted)) assert.deepEqual(member.entry[key as keyof TarEntry], value, `${name}: ${key}`);
      assert.equal(member.content.toString(), content, name);
    }
  }
});

test("archives that end without a mark, or go on after it", () => {
  const file = Buffer.concat([encodeHeader(createEntry({ type: "file", path: "f", size: 3 })), padded("abc")]);
  assert.equal(readAll(Buffer.alloc(0)).length, 0);
  assert.equal(readAll(file).length, 1);
  assert.equal(readAll(file.subarray(0, 515)).length, 1, "no padding at all");
  assert.equal(readAll(Buffer.concat([file, Buffer.alloc(512)])).length, 1, "half of a mark");
  assert.equal(readAll(Buffer.concat([file, endOfArchive, file])).length, 1, "what follows the mark");
});

test("damaged and hostile archives", () => {
  const good = Buffer.concat([encodeHeader(createEntry({ type: "file", path: "f", size: 600 })), padded(Buffer.alloc(600))]);
  const sparse = (records: Record<string, string>, content: string): Buffer =>
    Buffer.concat([
      paxBlocks({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", ...records }),
      rawHeader({ 0: "s", 124: "00000001000\0" }),
      padded(content),
    ]);
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ["text", Buffer.alloc(1024, "not a tar archive\n"), "TAR_CORRUPT"],
    ["flipped bit", Buffer.concat([Buffer.from([good[0]! ^ 1]), good.subarray(1)]), "TAR_CORRUPT"],
    ["size that is no number", rawHeader({ 0: "f", 124: "12x45678901\0" }), "TAR_CORRUPT"],
    ["negative size", rawHeader({ 0: "f", 124: Buffer.alloc(12, 0xff) }), "TAR_CORRUPT"],
    ["huge base-256 size", rawHeader({ 0: "f", 124: Buffer.concat([Buffer.from([0x80, 0x7f]), Buffer.alloc(10, 0xff)]) }), "TAR_CORRUPT"],
    ["pax header of 2 MiB", rawHeader({ 0: "x", 124: "00010000000\0", 156: "x" }), "TAR_CORRUPT"],
    ["pax length beyond the data", Buffer.concat([rawHeader({ 0: "x", 124: "00000000012\0", 156: "x" }), padded("99 path=ab\n")]), "TAR_CORRUPT"],
    ["pax without newline", Buffer.concat([rawHeader({ 0: "x", 124: "00000000011\0", 156: "x" }), padded("9 path=ab")]), "TAR_CORRUPT"],
    ["pax uid that is no number", Buffer.concat([paxBlocks({ uid: "0x1" }), rawHeader({ 0: "f" })]), "TAR_CORRUPT"],
    ["pax path with NUL", Buffer.concat([paxBlocks({ path: "a\0b" }), rawHeader({ 0: "f" })]), "TAR_CORRUPT"],
    ["name of 5000 bytes", Buffer.concat([paxBlocks({ path: "n".repeat(5000) }), rawHeader({ 0: "f" })]), "TAR_CORRUPT"],
    ["unknown type", rawHeader({ 0: "f", 156: "Z" }), "TAR_UNSUPPORTED_TYPE"],
    ["volume label, which Docker refuses", rawHeader({ 0: "label", 156: "V" }), "TAR_UNSUPPORTED_TYPE"],
    ["contiguous file, which Docker refuses", rawHeader({ 0: "f", 156: "7" }), "TAR_UNSUPPORTED_TYPE"],
    ["cut in the header", good.subarray(0, 300), "TAR_TRUNCATED"],
    ["cut in the content", good.subarray(0, 900), "TAR_TRUNCATED"],
    ["cut in the padding", good.subarray(0, 1200), "TAR_TRUNCATED"],
    ["pax header without an entry", paxBlocks({ path: "f" }), "TAR_TRUNCATED"],
    ["sparse map backwards", sparse({ "GNU.sparse.realsize": "100" }, "2\n50\n1\n10\n1\n"), "TAR_CORRUPT"],
    ["sparse map beyond the file", sparse({ "GNU.sparse.realsize": "10" }, "1\n50\n1\n"), "TAR_CORRUPT"],
    ["sparse map with a million parts", sparse({ "GNU.sparse.realsize": "10" }, "1000000\n"), "TAR_CORRUPT"],
    ["sparse map longer than the content", sparse({ "GNU.sparse.realsize": "10" }, `9\n1\n${"\0".repeat(1000)}`), "TAR_CORRUPT"],
  ];
  for (const [name, archive, code] of cases) {
    for (const chunkSize of [archive.length, 7]) {
      assert.throws(
        () => readAll(archive, chunkSize),
        (error) => isSlipwayError(error, code),
        `${name} in chunks of ${chunkSize}`,
      );
    }
  }
});

test("any bytes give entries or a typed error, the same for every chunking", () => {
  const valid = Buffer.concat([paxBlocks({ path: "p" }), rawHeader({ 0: "f", 124: "00000000005\0" }), padded("abcde"), endOfArchive]);
  const outcome = (archive: Buffer, chunkSize: number): unknown => {
    try {
      return readAll(archive, chunkSize);
    } catch (error) {
      assert.ok(isSlipwayError(error), String(error));
      return error.code;
    }
  };
  const flips = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(flips, fc.integer({ min: 1, max: 700 }), fc.boolean(), (changes, chunkSize, repair) => {
      const archive = Buffer.from(valid);
      for (const [at, byte] of changes) archive[at] = byte;
      if (repair) archive.write(`${checksumOf(archive.subarray(1024, 1536)).toString(8).padStart(6, "0")}\0 `, 1024 + 148);
      assert.deepEqual(outcome(archive, chunkSize), outcome(archive, archive.length));
    }),
    { numRuns: 300 },
  );
});

test("members of an asynchronous source, content read or skipped", async () => {
  const file = (path: string, content: string): Buffer =>
    Buffer.concat([encodeHeader(createEntry({ type: "file", path, size: content.length })), padded(content)]);
  const archive = Buffer.concat([
    file("a", "one"),
    encodeHeader(createEntry({ type: "directory", path: "d" })),
    file("skipped", "x".repeat(2000)),
    file("b", "two"),
    endOfArchive,
  ]);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < archive.length; at += 700) yield archive.subarray(at, at + 700);
  }
  const seen: string[] = [];
  for await (const { entry, content } of readTarMembers(chunks())) {
    const text = entry.path === "skipped" ? "" : Buffer.concat(await Array.fromAsync(content)).toString();
    seen.push(`${entry.type} ${entry.path} ${text}`.trim());
  }
  assert.deepEqual(seen, ["file a one", "directory d", "file skipped", "file b two"]);
});
