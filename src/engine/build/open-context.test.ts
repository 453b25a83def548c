import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { SlipwayError } from "../../base/errors.ts";
import { createIgnoreMatcher, parseIgnore } from "../../dockerfile/ignore.ts";
import { findProgram } from "../../runtime/programs.ts";
import { Store, type FileView } from "../../store/index.ts";
import { tarOf } from "../../store/test-store.ts";
import { ContextView } from "./context-view.ts";
import { loadDockerfile } from "./load-dockerfile.ts";
import { openContext, type OpenedContext } from "./open-context.ts";

const scratch = mkdtempSync(join(tmpdir(), "slipway-context-"));
const store = Store.open(join(scratch, "store"));
after(() => {
  store.close();
  rmSync(scratch, { recursive: true });
});
const { signal } = new AbortController();

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

const stream = (bytes: Uint8Array): Promise<OpenedContext> => openContext({ kind: "stream", source: chunks(bytes) }, store, signal);
const tar = tarOf([
  { path: "Dockerfile", content: "FROM scratch\n" },
  { path: "d/f", content: "x", mode: 0o4755 },
  { path: ".dockerignore", content: "d\n" },
]);

function compressedBy(program: string): Buffer {
  return execFileSync(program, ["-c"], { input: tar });
}

describe("a stream", () => {
  const forms: readonly (readonly [name: string, bytes: () => Uint8Array, program?: string])[] = [
    ["a plain tar", () => tar],
    ["gzip", () => gzipSync(tar)],
    ["zstd", () => zstdCompressSync(tar)],
    ["bzip2", () => compressedBy("bzip2"), "bzip2"],
    ["xz", () => compressedBy("xz"), "xz"],
  ];
  for (const [name, bytes, program] of forms) {
    test(`of ${name}`, { skip: program === undefined || findProgram(program) !== undefined ? false : `needs ${program}` }, async () => {
      const context = await stream(bytes());
      assert.deepEqual(readdirSync(context.directory).sort(), [".dockerignore", "Dockerfile", "d"]);
      const { text, ignoreText, name: shown } = loadDockerfile(context, undefined);
      assert.deepEqual(
        [text.toString(), ignoreText?.toString(), shown, readFileSync(join(context.directory, "d/f"), "utf8")],
        ["FROM scratch\n", "d\n", "Dockerfile", "x"],
      );
    });
  }

  test("that is a lone Dockerfile comes with an empty context", async () => {
    const context = await stream(Buffer.from("FROM scratch\n# long enough to come in several pieces\n".repeat(30)));
    assert.deepEqual([readdirSync(context.directory), loadDockerfile(context, undefined).text.length], [[], 1590]);
  });

  const faults: readonly (readonly [name: string, bytes: Uint8Array, message: RegExp])[] = [
    ["names that climb out", tarOf([{ path: "../evil", content: "x" }]), /evil/],
    [
      "names behind a link that leads out",
      tarOf([
        { path: "l", type: "symlink", linkname: "/tmp" },
        { path: "l/../../evil", content: "x" },
      ]),
      /evil/,
    ],
    ["half a tar", tar.subarray(0, 1000), /unexpected EOF/],
    ["half a gzip stream", gzipSync(tar).subarray(0, 60), /unexpected E/i],
    ["a Dockerfile without end", Buffer.alloc((16 << 20) + 1, "F"), /larger than/],
  ];
  for (const [name, bytes, message] of faults) {
    test(`refuses ${name}`, async () =>
      assert.rejects(
        stream(bytes),
        (error) => error instanceof SlipwayError && error.kind !== "internal" && assert.match(error.message, message) === undefined,
      ));
  }

  test("links lead nowhere outside", async () => {
    const outside = join(scratch, "outside");
    mkdirSync(outside);
    await stream(
      tarOf([
        { path: "l", type: "symlink", linkname: outside },
        { path: "l/f", content: "x" },
      ]),
    );
    assert.deepEqual(readdirSync(outside), []);
  });
});

describe("a directory", () => {
  test("that is none", async () => {
    const file = join(scratch, "file");
    writeFileSync(file, "");
    await assert.rejects(openContext({ kind: "directory", path: join(scratch, "none") }, store, signal), {
      code: "INVALID_CONTEXT",
      message: `unable to prepare context: path ${JSON.stringify(join(scratch, "none"))} not found`,
    });
    await assert.rejects(openContext({ kind: "directory", path: file }, store, signal), {
      code: "INVALID_CONTEXT",
      message: `unable to prepare context: context must be a directory: ${file}`,
    });
  });
});

describe("what a build sees of a directory", () => {
  const directory = join(scratch, "view");
  mkdirSync(join(directory, "node_modules/keep"), { recursive: true });
  for (const path of ["a.txt", "b.txt", "node_modules/x", "node_modules/keep/y"]) writeFileSync(join(directory, path), path);
  chmodSync(join(directory, "a.txt"), 0o640);
  symlinkSync("a.txt", join(directory, "l"));
  const viewOf = (rules: string): FileView => new ContextView(directory, rules === "" ? undefined : createIgnoreMatcher(parseIgnore(rules)));
  const all = (view: FileView, path = ""): readonly string[] =>
    view.list(path).flatMap((name) => [path === "" ? name : `${path}/${name}`, ...all(view, path === "" ? name : `${path}/${name}`)]);

  const rows: readonly (readonly [rules: string, want: readonly string[]])[] = [
    ["", ["a.txt", "b.txt", "l", "node_modules", "node_modules/keep", "node_modules/keep/y", "node_modules/x"]],
    ["node_modules", ["a.txt", "b.txt", "l"]],
    ["node_modules\n!node_modules/keep", ["a.txt", "b.txt", "l", "node_modules", "node_modules/keep", "node_modules/keep/y"]],
    ["node_modules\n!node_modules/nothing", ["a.txt", "b.txt", "l"]],
    ["*\n!b.txt", ["b.txt"]],
    ["**/y\n*.txt", ["l", "node_modules", "node_modules/keep", "node_modules/x"]],
  ];
  for (const [rules, want] of rows) test(JSON.stringify(rules), () => assert.deepEqual(all(viewOf(rules)), want));

  test("an ignored file cannot be looked up either, nor what lies in an ignored directory", () => {
    const view = viewOf("a.txt\nnode_modules");
    assert.deepEqual([view.lookup("a.txt"), view.lookup("node_modules/x"), view.lookup("node_modules")], [undefined, undefined, undefined]);
  });

  test("everything belongs to root, modes stay", () => {
    const node = viewOf("").lookup("a.txt");
    assert.deepEqual([node?.uid, node?.gid, node?.mode, existsSync(node?.diskPath ?? "")], [0, 0, 0o640, true]);
  });
});
