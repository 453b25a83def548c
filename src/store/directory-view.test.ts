import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, linkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { DirectoryView } from "./directory-view.ts";
import { ownershipFrom } from "./ownership.ts";

const root = mkdtempSync(join(tmpdir(), "slipway-view-"));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, "d/e"), { recursive: true });
writeFileSync(join(root, "d/f"), "12345", { mode: 0o640 });
linkSync(join(root, "d/f"), join(root, "d/hard"));
symlinkSync("d", join(root, "link"));
symlinkSync("/etc", join(root, "out"));

describe("a directory as a tree", () => {
  const view = new DirectoryView(root);

  test("lists names in order, and nothing of what is no directory", () => {
    assert.deepEqual(
      [view.list(""), view.list("d"), view.list("d/f"), view.list("none"), view.list("d/e")],
      [["d", "link", "out"], ["e", "f", "hard"], [], [], []],
    );
  });

  test("follows no symlink, also not on the way", () => {
    assert.deepEqual(
      [view.lookup("link")?.type, view.lookup("link")?.linkname, view.lookup("link/f"), view.lookup("out/passwd"), view.lookup("d/f/x")],
      ["symlink", "d", undefined, undefined, undefined],
    );
  });

  test("tells what files are", () => {
    const node = view.lookup("d/f");
    assert.deepEqual([node?.type, node?.mode, node?.size, node?.diskPath], ["file", 0o640, 5, join(root, "d/f")]);
    assert.equal(view.lookup("")?.type, "directory");
    assert.ok(node !== undefined && node.inode !== "" && node.inode === view.lookup("d/hard")?.inode);
  });

  test("a changed file has another stamp", () => {
    const path = join(root, "d/e/changing");
    writeFileSync(path, "a");
    const before = view.lookup("d/e/changing")?.stamp;
    writeFileSync(path, "bb");
    assert.notEqual(view.lookup("d/e/changing")?.stamp, before);
    rmSync(path);
  });

  test("hides what is excluded, but not what lies below", () => {
    const filtered = new DirectoryView(root, (path) => path === "d" || path === "link");
    assert.deepEqual([filtered.list(""), filtered.lookup("d"), filtered.lookup("d/f")?.type], [["out"], undefined, "file"]);
  });
});

test("what a process may do with owners", () => {
  const rows: readonly (readonly [name: string, map: string, euid: number, want: readonly unknown[]])[] = [
    ["root of the machine", "         0          0 4294967295\n", 0, ["keep", "trusted.overlay.opaque", true, false]],
    ["an ordinary user", "         0          0 4294967295\n", 1000, ["ignore", "trusted.overlay.opaque", false, false]],
    ["root of a namespace with ranges", "0 1000 1\n1 100000 65536\n", 0, ["keep", "user.overlay.opaque", false, true]],
    ["root of a namespace with one id", "0 1000 1\n", 0, ["ignore", "user.overlay.opaque", false, true]],
  ];
  for (const [name, map, euid, want] of rows) {
    const { owners, opaqueXattr, privileged, namespaced } = ownershipFrom(map, euid);
    assert.deepEqual([owners.mode, opaqueXattr, privileged, namespaced], want, name);
  }
});
