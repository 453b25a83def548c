import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError } from "../base/errors.ts";
import type { TarEntry } from "../tar/entry.ts";
import { createEntry, encodeHeader, endOfArchive } from "../tar/writer.ts";
import { lGetXattr, lListXattr } from "./syscalls.ts";
import { createUnpacker, sanitizeEntryPath, unpackLayer, type Owners, type UnpackOptions } from "./unpack.ts";
import type { LowerParent } from "./unpack-tree.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-unpack-"));
after(() => rmSync(scratch, { recursive: true }));

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : "needs root";
const owners: Owners = isRoot ? { mode: "keep" } : { mode: "ignore" };

type Spec = Partial<TarEntry> & { readonly path: string; readonly content?: string };

const file = (path: string, content = "", more: Partial<TarEntry> = {}): Spec => ({ type: "file", path, content, ...more });
const dir = (path: string, more: Partial<TarEntry> = {}): Spec => ({ type: "directory", path, ...more });
const symlink = (path: string, linkname: string): Spec => ({ type: "symlink", path, linkname });
const hardlink = (path: string, linkname: string): Spec => ({ type: "hardlink", path, linkname });

function archive(...specs: readonly Spec[]): Buffer {
  const parts = specs.flatMap(({ content = "", ...parts }) => {
    const bytes = Buffer.from(content);
    return [encodeHeader(createEntry({ type: "file", size: bytes.length, ...parts })), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, endOfArchive]);
}

let count = 0;
function freshDirectory(): string {
  const path = join(scratch, `d${count++}`);
  mkdirSync(path);
  return path;
}

function unpack(specs: readonly Spec[], options: Partial<UnpackOptions> = {}): string {
  const directory = options.directory ?? freshDirectory();
  unpackLayer({ whiteouts: "overlay", owners, ...options, directory, source: [archive(...specs)] });
  return directory;
}

/** Every path with what it is: content, "-> target", "/" for directories, "gone" for whiteouts. */
function tree(directory: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(directory, prefix))) {
    const path = join(prefix, name);
    const stat = lstatSync(join(directory, path));
    if (stat.isDirectory()) Object.assign(found, { [path]: "/" }, tree(directory, path));
    else if (stat.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(directory, path))}`;
    else if (stat.isCharacterDevice() && stat.rdev === 0) found[path] = "gone";
    else found[path] = stat.isFile() ? readFileSync(join(directory, path), "utf8") : "special";
  }
  return found;
}

const layers: readonly (readonly [string, readonly Spec[], Record<string, string>])[] = [
  ["parents that are not in the archive", [file("a/b/f", "x")], { a: "/", "a/b": "/", "a/b/f": "x" }],
  ["absolute names and dots", [file("/etc/./passwd", "x"), dir("./d/"), file("d/../g", "y")], { etc: "/", "etc/passwd": "x", d: "/", g: "y" }],
  ["the last of several wins", [file("f", "1"), file("f", "2")], { f: "2" }],
  ["a file instead of a full directory", [dir("a"), file("a/f"), file("a", "now a file")], { a: "now a file" }],
  ["a directory instead of a file", [file("a", "x"), dir("a"), file("a/f", "y")], { a: "/", "a/f": "y" }],
  ["a directory entry keeps what is in it", [file("a/f", "x"), dir("a")], { a: "/", "a/f": "x" }],
  ["a directory instead of a symlink", [symlink("a", "b"), dir("b"), dir("a"), file("a/f", "x")], { a: "/", "a/f": "x", b: "/" }],
  ["relative symlink as parent", [symlink("lib", "usr/lib"), file("lib/so", "x")], { lib: "-> usr/lib", usr: "/", "usr/lib": "/", "usr/lib/so": "x" }],
  ["absolute symlink as parent stays inside", [symlink("out", "/etc"), file("out/passwd", "x")], { out: "-> /etc", etc: "/", "etc/passwd": "x" }],
  [
    "climbing symlink stays inside",
    [dir("a"), symlink("a/out", "../../../../tmp"), file("a/out/f", "x")],
    { a: "/", "a/out": "-> ../../../../tmp", tmp: "/", "tmp/f": "x" },
  ],
  ["symlink to a symlink", [symlink("a", "b"), symlink("b", "c"), file("a/f", "x")], { a: "-> b", b: "-> c", c: "/", "c/f": "x" }],
  ["a file over a symlink replaces the link", [symlink("f", "/etc/passwd"), file("f", "x")], { f: "x" }],
  ["hardlinks", [file("f", "x"), hardlink("d/g", "/f"), hardlink("h", "d/../d/g")], { f: "x", d: "/", "d/g": "x", h: "x" }],
  ["hardlink through a symlinked parent", [symlink("l", "d"), file("d/f", "x"), hardlink("g", "l/f")], { l: "-> d", d: "/", "d/f": "x", g: "x" }],
  ["hardlink to a symlink is that symlink", [symlink("l", "/etc/passwd"), hardlink("g", "l")], { l: "-> /etc/passwd", g: "-> /etc/passwd" }],
  ["hardlink to itself", [file("f", "x"), hardlink("f", "f")], { f: "x" }],
  ["whiteouts", [file("a/.wh.f"), file(".wh.g")], { a: "/", "a/f": "gone", g: "gone" }],
  ["a whiteout does not hide what the same layer has", [file("f", "x"), file(".wh.f"), file(".wh.g"), file("g", "y")], { f: "x", g: "y" }],
  ["whiteout bookkeeping of AUFS", [dir(".wh..wh.plnk"), file(".wh..wh.aufs")], {}],
  ["whiteouts below an opaque directory", [file("a/.wh.f"), file("a/.wh..wh..opq"), file("a/b/.wh.g"), file("a/h", "x")], { a: "/", "a/b": "/", "a/h": "x" }],
  ["fifos", [{ type: "fifo", path: "p" }], { p: "special" }],
];

test("layers become directories", { skip: needsRoot }, () => {
  for (const [name, specs, wanted] of layers) assert.deepEqual(tree(unpack(specs)), wanted, name);
});

const refused: readonly (readonly [string, readonly Spec[], string])[] = [
  ["climbing name", [file("../f")], "TAR_PATH_ESCAPES"],
  ["name that the file system does not take", [file(`d/${"n".repeat(256)}`)], "TAR_NAME_TOO_LONG"],
  ["climbing name in the middle", [file("a/../../f")], "TAR_PATH_ESCAPES"],
  ["climbing hardlink", [hardlink("f", "../../etc/passwd")], "TAR_PATH_ESCAPES"],
  ["hardlink to nothing", [hardlink("f", "/etc/passwd")], "HARDLINK_TARGET_MISSING"],
  ["hardlink through an escaping symlink", [symlink("l", "/etc"), hardlink("f", "l/passwd")], "HARDLINK_TARGET_MISSING"],
  ["hardlink to a directory", [dir("d"), hardlink("f", "d")], "HARDLINK_TARGET_MISSING"],
  ["file as parent", [file("f", "x"), file("f/g")], "TAR_PARENT_NOT_DIRECTORY"],
  ["symlink loop", [symlink("a", "b"), symlink("b", "a"), file("a/f")], "TAR_SYMLINK_LOOP"],
  ["symlink as the root", [symlink(".", "/etc"), file("passwd")], "TAR_PATH_ESCAPES"],
  ["whiteout of the parent", [dir("a"), file("a/.wh...")], "INVALID_WHITEOUT"],
];

test("hostile archives are refused and touch nothing outside", () => {
  for (const [name, specs, code] of refused) {
    for (const whiteouts of ["overlay", "apply"] as const) {
      const outside = freshDirectory();
      const directory = join(outside, "inner");
      mkdirSync(directory);
      assert.throws(
        () => unpack(specs, { directory, whiteouts }),
        (error) => isSlipwayError(error, code),
        name,
      );
      assert.deepEqual(readdirSync(outside), ["inner"], name);
    }
  }
});

test("former symlinks give way to directories when a layer is applied", () => {
  const outside = freshDirectory();
  const directory = freshDirectory();
  writeFileSync(join(outside, "f"), "untouched");
  symlinkSync(outside, join(directory, "out"));
  symlinkSync(join(outside, "f"), join(directory, "link"));
  unpack([file("out/f", "new"), file("link", "new"), file("out/.wh.f")], { directory, whiteouts: "apply" });
  assert.equal(readFileSync(join(outside, "f"), "utf8"), "untouched");
  assert.equal(readFileSync(join(directory, "link"), "utf8"), "new");
  assert.deepEqual(tree(directory), { out: "/", "out/f": "new", link: "new" });
});

test("limits", () => {
  assert.throws(
    () => unpack([file("a"), file("b"), file("c")], { limits: { maxEntries: 2 } }),
    (error) => isSlipwayError(error, "UNPACK_LIMIT"),
  );
  assert.throws(
    () => unpack([file("a", "x".repeat(100))], { limits: { maxBytes: 99 } }),
    (error) => isSlipwayError(error, "UNPACK_LIMIT"),
  );
  const unpacker = createUnpacker({ directory: freshDirectory(), whiteouts: "overlay", owners });
  unpacker.push(archive(file("f", "x".repeat(2000))).subarray(0, 1000));
  assert.throws(
    () => unpacker.finish(),
    (error) => isSlipwayError(error, "TAR_TRUNCATED"),
  );
});

test("whiteouts and opaque directories as overlay marks", { skip: needsRoot }, () => {
  const marked = unpack([dir("a"), file("a/.wh..wh..opq"), file(".wh.b"), dir("b"), dir("c")]);
  assert.equal(lGetXattr(join(marked, "a"), "trusted.overlay.opaque")?.toString(), "y");
  assert.equal(lGetXattr(join(marked, "b"), "trusted.overlay.opaque")?.toString(), "y", "deleted and made again");
  assert.equal(lGetXattr(join(marked, "c"), "trusted.overlay.opaque"), undefined);
  const user = unpack([file("a/.wh..wh..opq")], { opaqueXattr: "user.overlay.opaque" });
  assert.deepEqual(lListXattr(join(user, "a")), ["user.overlay.opaque"]);
});

test("whiteouts applied to a directory", () => {
  const directory = unpack([
    file("keep", "1"),
    file("gone", "1"),
    file("d/old", "1"),
    file("d/sub/old", "1"),
    file("e/old", "1"),
    file("e/sub/old", "1"),
    file("f/old", "1"),
  ]);
  unpack(
    [file(".wh.gone"), file("d/new", "2"), file("d/.wh..wh..opq"), file("e/sub/new", "2"), file(".wh.e"), file(".wh.f"), file("f/new", "2"), file(".wh.none")],
    { directory, whiteouts: "apply" },
  );
  assert.deepEqual(tree(directory), { keep: "1", d: "/", "d/new": "2", e: "/", "e/sub": "/", "e/sub/new": "2", f: "/", "f/new": "2" });
});

test("owners, modes, times, attributes", { skip: needsRoot }, () => {
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  const times = { mtimeNs: 1_700_000_000_123_456_789n, uid: 1000, gid: 50 };
  const directory = unpack([
    dir("d", { ...times, mode: 0o2750 }),
    file("d/suid", "x", {
      ...times,
      mode: 0o6755,
      xattrs: new Map([
        ["security.capability", capability],
        ["user.note", Buffer.from([0, 255])],
        ["trusted.overlay.redirect", Buffer.from("/etc")],
      ]),
    }),
    { type: "symlink", path: "d/l", linkname: "nowhere", ...times, mtimeNs: -1_500_000_000n },
    { type: "char", path: "d/null", devmajor: 1, devminor: 3, ...times, mode: 0o666 },
    file("d/readonly", "x", { ...times, mode: 0o000, mtimeNs: 5_000_000_000n }),
    dir("sealed", { mode: 0o500, mtimeNs: 3n }),
    file("sealed/f", "x"),
    dir(".", { mode: 0o711, mtimeNs: 9_000_000_000n }),
  ]);
  const stat = (path: string): readonly unknown[] => {
    const { mode, uid, gid, mtimeNs } = lstatSync(join(directory, path), { bigint: true });
    return [Number(mode & 0o7777n).toString(8), Number(uid), Number(gid), mtimeNs];
  };
  assert.deepEqual(stat("d"), ["2750", 1000, 50, times.mtimeNs]);
  assert.deepEqual(stat("d/suid"), ["6755", 1000, 50, times.mtimeNs]);
  assert.deepEqual(stat("d/l"), ["777", 1000, 50, -1_500_000_000n]);
  assert.deepEqual(stat("d/null"), ["666", 1000, 50, times.mtimeNs]);
  assert.deepEqual(stat("d/readonly"), ["0", 1000, 50, 5_000_000_000n]);
  assert.deepEqual(stat("sealed"), ["500", 0, 0, 3n]);
  assert.deepEqual(stat(""), ["711", 0, 0, 9_000_000_000n]);
  assert.deepEqual(lListXattr(join(directory, "d/suid")).sort(), ["security.capability", "user.note"]);
  assert.deepEqual(lGetXattr(join(directory, "d/suid"), "security.capability"), capability);
  assert.equal(lstatSync(join(directory, "d/null")).rdev, 0x103);
});

test("owners through ranges, or left out", { skip: needsRoot }, () => {
  const range = [{ inside: 0, outside: 100_000, count: 1000 }];
  const mapped = unpack([file("f", "", { uid: 5, gid: 999 })], { owners: { mode: "map", uids: range, gids: range } });
  assert.deepEqual([lstatSync(join(mapped, "f")).uid, lstatSync(join(mapped, "f")).gid], [100_005, 100_999]);
  assert.throws(
    () => unpack([file("f", "", { uid: 1000 })], { owners: { mode: "map", uids: range, gids: range } }),
    (error) => isSlipwayError(error, "UNMAPPED_ID"),
  );
  assert.throws(
    () => unpack([file("f", "", { uid: 2 ** 33 })]),
    (error) => isSlipwayError(error, "UNMAPPED_ID"),
  );
  const ignored = unpack([file("f", "", { uid: 5, gid: 7, mode: 0o4755 })], { owners: { mode: "ignore" } });
  const { uid, gid, mode } = lstatSync(join(ignored, "f"));
  assert.deepEqual([uid, gid, mode & 0o7777], [process.getuid?.(), process.getgid?.(), 0o4755]);
});

test("missing parents look as in the layers below", { skip: needsRoot }, () => {
  const asked: string[] = [];
  const directory = unpack([file("a/b/f"), file("a/g"), file(".wh.c"), file("c/d/f")], {
    missingParent: (path) => {
      asked.push(path);
      return path === "a"
        ? { type: "directory", mode: 0o1777, uid: 7, gid: 8, mtimeNs: 4_000_000_000n, xattrs: new Map([["user.x", Buffer.from("y")]]) }
        : undefined;
    },
  });
  assert.deepEqual(asked, ["a", "a/b"]);
  const a = lstatSync(join(directory, "a"));
  assert.deepEqual([a.mode & 0o7777, a.uid, a.gid, a.mtimeMs], [0o1777, 7, 8, 4000]);
  assert.equal(lGetXattr(join(directory, "a"), "user.x")?.toString(), "y");
  const b = lstatSync(join(directory, "a/b"));
  assert.deepEqual([b.mode & 0o7777, b.uid, b.gid, b.mtimeMs], [0o755, 0, 0, 0]);
});

test("missing parents take nothing from layers that a whiteout hides, before or behind it", { skip: needsRoot }, () => {
  const missingParent = (): LowerParent => ({ type: "directory", mode: 0o711, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() });
  for (const members of [
    [file(".wh.a"), file("a/b/f")],
    [file("a/b/f"), file(".wh.a")],
    [file("a/b/f"), file("a/.wh..wh..opq")],
  ]) {
    const directory = unpack(members, { missingParent });
    assert.equal(lstatSync(join(directory, "a/b")).mode & 0o7777, 0o755);
  }
});

test("hardlinks to files of lower layers are copies", () => {
  const lower = unpack([file("bin/tool", "tool", { mode: 0o755, mtimeNs: 1_000_000_000n })]);
  const directory = unpack(
    [hardlink("bin/alias", "bin/tool")].map((link) => ({ ...link, mode: 0o755, mtimeNs: 1_000_000_000n })),
    { resolveHardlink: (path) => join(lower, path) },
  );
  assert.equal(readFileSync(join(directory, "bin/alias"), "utf8"), "tool");
  const { mode, mtimeMs, nlink } = lstatSync(join(directory, "bin/alias"));
  assert.deepEqual([mode & 0o777, mtimeMs, nlink], [0o755, 1000, 1]);
});

test("GNU tar's archives, sparse files and names in any encoding, in small chunks", () => {
  const source = freshDirectory();
  execFileSync("sh", [
    "-ec",
    `cd "$1" && mkdir -p sub/deep && printf data > sub/f && ln sub/f sub/deep/h && printf x > "$(printf 'latin\\344')" && printf y > grün
    truncate -s 300000 holes && printf mid | dd of=holes bs=1 seek=150000 conv=notrunc status=none && chmod 640 sub/f && touch -d @1.5 sub`,
    "sh",
    source,
  ]);
  for (const format of ["gnu", "pax"]) {
    const bytes = execFileSync("tar", ["-C", source, `--format=${format}`, "--sort=name", "-Scf", "-", "."], { maxBuffer: 1 << 24 });
    const directory = freshDirectory();
    const unpacker = createUnpacker({ directory, whiteouts: "overlay", owners });
    for (let at = 0; at < bytes.length; at += 1000) unpacker.push(bytes.subarray(at, at + 1000));
    const result = unpacker.finish();
    assert.deepEqual(execFileSync("diff", ["-r", source, directory]).toString(), "");
    assert.equal(lstatSync(join(directory, "sub/f")).nlink, 2);
    assert.equal(lstatSync(join(directory, "sub/f")).mode & 0o777, 0o640);
    assert.ok(lstatSync(join(directory, "holes")).blocks * 512 < 100_000, "holes stay holes");
    assert.deepEqual(result.index.map(({ path }) => path).sort(), ["", "grün", "holes", "latin\xe4", "sub", "sub/deep", "sub/deep/h", "sub/f"]);
  }
});

test("devices that this process may not make are left out", { skip: needsRoot }, () => {
  const bytes = archive({ type: "char", path: "null", devmajor: 1, devminor: 3 }, file("f", "x"));
  // what is loaded lazily is loaded while it may be read: nobody reads a checkout in root's home
  const script = `import { unpackLayer } from ${JSON.stringify(import.meta.resolve("./unpack.ts"))}; import { readFileSync, existsSync, mkdirSync } from "node:fs";
    const [directory, tar] = process.argv.slice(1); const source = [readFileSync(tar)];
    const unpack = (name) => { mkdirSync(directory + name); return unpackLayer({ directory: directory + name, whiteouts: "overlay", owners: { mode: "ignore" }, source }); };
    const asRoot = unpack("/root").skippedDevices; process.setgroups([]); process.setgid(65534); process.setuid(65534);
    console.log(asRoot, unpack("/nobody").skippedDevices, existsSync(directory + "/nobody/null"), existsSync(directory + "/nobody/f"));`;
  const directory = freshDirectory();
  chmodSync(scratch, 0o755);
  chmodSync(directory, 0o777);
  writeFileSync(join(scratch, "devices.tar"), bytes);
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script, directory, join(scratch, "devices.tar")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.equal(out.toString().trim(), "0 1 false true");
});

test("names become clean paths", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a/b", "a/b"],
    ["./a", "a"],
    ["/a//b/", "a/b"],
    ["", ""],
    [".", ""],
    ["/", ""],
    ["a/./b", "a/b"],
    ["a/../b", "b"],
    ["/../a", "a"],
    ["a/..", ""],
    ["..a/b..", "..a/b.."],
    ["...", "..."],
  ];
  for (const [name, wanted] of cases) assert.equal(sanitizeEntryPath(name), wanted, name);
  for (const name of ["..", "../a", "a/../..", "./../a"])
    assert.throws(
      () => sanitizeEntryPath(name),
      (error) => isSlipwayError(error, "TAR_PATH_ESCAPES"),
      name,
    );
  const part = fc.constantFrom("a", "b", ".", "..", "", "...", "ä");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      let clean: string;
      try {
        clean = sanitizeEntryPath(parts.join("/"));
      } catch (error) {
        assert.ok(isSlipwayError(error, "TAR_PATH_ESCAPES"));
        return;
      }
      assert.equal(clean, join("/", parts.join("/")).replace(/\/$/, "").slice(1));
    }),
  );
});

test("any archive stays inside its directory", () => {
  const outside = freshDirectory();
  writeFileSync(join(outside, "secret"), "secret");
  const name = fc
    .array(fc.constantFrom("a", "b", "c", "..", "secret", ".wh.a", ".wh..wh..opq"), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/"));
  const target = fc.oneof(
    name,
    fc.constant(outside),
    fc.constant(".."),
    fc.constant("../.."),
    name.map((path) => `/${path}`),
  );
  const spec = fc.record({ path: name, linkname: target, type: fc.constantFrom("file", "directory", "symlink", "hardlink", "fifo" as const) });
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 12 }), fc.boolean(), (specs, apply) => {
      const directory = join(outside, "inner");
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(directory);
      try {
        unpack(
          specs.map(({ linkname, ...parts }) =>
            parts.type === "symlink" || parts.type === "hardlink" ? { ...parts, linkname } : { ...parts, content: parts.type === "file" ? "evil" : "" },
          ),
          {
            directory,
            whiteouts: apply ? "apply" : "overlay",
          },
        );
      } catch (error) {
        assert.ok(isSlipwayError(error), String(error));
        assert.notEqual(error.kind, "internal", error.message);
      }
      assert.deepEqual(readdirSync(outside).sort(), ["inner", "secret"]);
      assert.equal(readFileSync(join(outside, "secret"), "utf8"), "secret");
      assert.ok(!existsSync(join(scratch, "secret")));
    }),
    { numRuns: 150 },
  );
});
