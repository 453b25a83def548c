import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, chownSync, constants, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import type { TarEntry } from "../tar/entry.ts";
import { hashDirectory, hashInTurns, packDirectory, type PackOptions } from "./pack.ts";
import { lSetXattr, lutimesNs, mknod } from "./syscalls.ts";
import { unpackLayer } from "./unpack.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-pack-"));
after(() => rmSync(scratch, { recursive: true }));

const needsRoot = process.getuid?.() === 0 ? false : "needs root";

let count = 0;
function freshDirectory(): string {
  const path = join(scratch, `d${count++}`);
  mkdirSync(path);
  return path;
}

function pack(directory: string, options: Partial<PackOptions> = {}): { tar: Buffer; entries: TarEntry[] } {
  const chunks: Buffer[] = [];
  const entries: TarEntry[] = [];
  const result = packDirectory({
    directory,
    overlay: true,
    onEntry: (entry) => entries.push(entry),
    onChunk: (bytes) => chunks.push(Buffer.from(bytes)),
    ...options,
  });
  const tar = Buffer.concat(chunks);
  assert.deepEqual(result, { entries: entries.length, size: tar.length });
  return { tar, entries };
}

function fill(directory: string): void {
  mkdirSync(join(directory, "a"));
  mkdirSync(join(directory, "a.d"));
  writeFileSync(join(directory, "a/f"), "content");
  writeFileSync(join(directory, "a/empty"), "");
  writeFileSync(join(directory, "large"), Buffer.alloc(700_001, "large"));
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/latin`), Buffer.from([0xe4])]), "raw");
  writeFileSync(join(directory, "grün"), "utf8");
  writeFileSync(join(directory, "n".repeat(200)), "long");
  linkSync(join(directory, "a/f"), join(directory, "hard"));
  symlinkSync("a/f", join(directory, "soft"));
  mknod(join(directory, "fifo"), constants.S_IFIFO | 0o644);
  for (const name of ["a/f", "soft", "a"]) lutimesNs(join(directory, name), 0n, 1_600_000_000_123_456_789n);
  lutimesNs(join(directory, "grün"), 0n, -1_500_000_000n);
  chmodSync(join(directory, "large"), 0o4711);
}

test("sorted by the bytes of the names, parents first, GNU tar reads it", () => {
  const directory = freshDirectory();
  fill(directory);
  const { tar, entries } = pack(directory);
  const names = entries.map(({ path }) => path);
  assert.deepEqual(names, ["a", "a/empty", "a/f", "a.d", "fifo", "grün", "hard", "large", "latin\xe4", "n".repeat(200), "soft"]);
  assert.deepEqual(entries.find(({ path }) => path === "hard")?.linkname, "a/f");
  const out = freshDirectory();
  execFileSync("tar", ["-C", out, "-xpf", "-"], { input: tar, stdio: ["pipe", "ignore", "ignore"] });
  rmSync(join(directory, "fifo"));
  rmSync(join(out, "fifo"));
  assert.equal(execFileSync("diff", ["-r", "--no-dereference", directory, out]).toString(), "");
});

test("the same content gives the same bytes, and comes back through unpacking", () => {
  const [first, second] = [freshDirectory(), freshDirectory()];
  fill(first);
  const { tar } = pack(first);
  unpackLayer({ directory: second, whiteouts: "overlay", owners: needsRoot === false ? { mode: "keep" } : { mode: "ignore" }, source: [tar] });
  assert.ok(pack(second).tar.equals(tar));
  const { diffId, size } = hashDirectory({ directory: second, overlay: true });
  assert.equal(diffId, `sha256:${createHash("sha256").update(tar).digest("hex")}`);
  assert.equal(size, tar.length);
});

test("an empty directory is an empty archive, without an entry for the root", () => {
  assert.deepEqual(pack(freshDirectory()).tar, Buffer.alloc(1024));
});

test("overlay's marks become whiteouts, its other attributes vanish", { skip: needsRoot }, () => {
  const directory = freshDirectory();
  mkdirSync(join(directory, "d"));
  mkdirSync(join(directory, "e"));
  for (const name of ["gone", "also", "d/gone"]) mknod(join(directory, name), constants.S_IFCHR);
  // The kernel makes one device node and links it.
  linkSync(join(directory, "gone"), join(directory, "linked"));
  lSetXattr(join(directory, "d"), "trusted.overlay.opaque", Buffer.from("y"));
  lSetXattr(join(directory, "d"), "trusted.overlay.origin", Buffer.from([0, 1]));
  lSetXattr(join(directory, "e"), "user.overlay.opaque", Buffer.from("y"));
  lSetXattr(join(directory, "e"), "trusted.overlay.impure", Buffer.from("y"));
  lSetXattr(join(directory, "e"), "user.mine", Buffer.from([0xff, 0]));
  const { entries } = pack(directory);
  assert.deepEqual(
    entries.map(({ path, type, size }) => `${type} ${path} ${size}`),
    [
      "file .wh.also 0",
      "directory d 0",
      "file d/.wh..wh..opq 0",
      "file d/.wh.gone 0",
      "directory e 0",
      "file e/.wh..wh..opq 0",
      "file .wh.gone 0",
      "file .wh.linked 0",
    ],
  );
  assert.deepEqual(
    entries.flatMap(({ xattrs }) => [...xattrs]),
    [["user.mine", Buffer.from([0xff, 0])]],
  );
  const plain = pack(directory, { overlay: false }).entries;
  assert.deepEqual(
    plain.map(({ path, type }) => `${type} ${path}`),
    ["char also", "directory d", "char d/gone", "directory e", "char gone", "hardlink linked"],
  );
  lSetXattr(join(directory, "e"), "trusted.overlay.redirect", Buffer.from("/d"));
  assert.throws(
    () => pack(directory),
    (error) => isSlipwayError(error, "LAYER_NOT_PLAIN"),
  );
});

test("owners and times as asked for", { skip: needsRoot }, () => {
  const directory = freshDirectory();
  writeFileSync(join(directory, "f"), "x");
  chownSync(join(directory, "f"), 100_005, 100_007);
  lutimesNs(join(directory, "f"), 0n, 2_000_000_000_000_000_001n);
  const range = [{ inside: 0, outside: 100_000, count: 1000 }];
  const ids = (options: Partial<PackOptions>): unknown => pack(directory, options).entries.map(({ uid, gid, mtimeNs }) => [uid, gid, mtimeNs])[0];
  assert.deepEqual(ids({}), [100_005, 100_007, 2_000_000_000_000_000_001n]);
  assert.deepEqual(ids({ owners: { mode: "map", uids: range, gids: range }, mtimeClampNs: 5_000_000_000n }), [5, 7, 5_000_000_000n]);
  assert.deepEqual(ids({ owners: { mode: "ignore" }, mtimeClampNs: 3_000_000_000_000_000_000n }), [0, 0, 2_000_000_000_000_000_001n]);
  chownSync(join(directory, "f"), 5, 5);
  assert.throws(
    () => pack(directory, { owners: { mode: "map", uids: range, gids: range } }),
    (error) => isSlipwayError(error, "UNMAPPED_ID"),
  );
});

test("devices and capabilities", { skip: needsRoot }, () => {
  const directory = freshDirectory();
  mknod(join(directory, "disk"), constants.S_IFBLK | 0o660, { major: 259, minor: 70_000 });
  writeFileSync(join(directory, "ping"), "x");
  const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
  lSetXattr(join(directory, "ping"), "security.capability", capability);
  lSetXattr(join(directory, "ping"), "trusted.other", Buffer.from("host's own"));
  const [disk, ping] = pack(directory).entries;
  assert.deepEqual([disk?.type, disk?.devmajor, disk?.devminor], ["block", 259, 70_000]);
  assert.deepEqual([...(ping?.xattrs ?? [])], [["security.capability", capability]]);
});

test("a file that grows or shrinks in the middle is an error", () => {
  for (const size of [0, 5, 2_000_000]) {
    const directory = freshDirectory();
    const path = join(directory, "f");
    writeFileSync(path, Buffer.alloc(1_000_000));
    assert.throws(
      () => pack(directory, { onEntry: () => truncateSync(path, size) }),
      (error) => isSlipwayError(error, "FILE_CHANGED"),
    );
  }
});

test("sockets are left out", async () => {
  const directory = freshDirectory();
  const server = createServer().listen(join(directory, "socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  assert.deepEqual(pack(directory).entries, []);
  server.close();
});

test("in turns, a large file is left in its middle when nobody wants it any more", async () => {
  const directory = freshDirectory();
  writeFileSync(join(directory, "large"), "");
  truncateSync(join(directory, "large"), 512 << 20);
  const { diffId } = await hashInTurns({ directory: freshDirectory(), overlay: true }, undefined);
  assert.equal(diffId, hashDirectory({ directory: freshDirectory(), overlay: true }).diffId);
  const abort = new AbortController();
  setImmediate(() => abort.abort(new Error("enough")));
  await assert.rejects(hashInTurns({ directory, overlay: true }, abort.signal), /enough/);
});
