/** Looking into images where they lie: the same answers from a directory, an archive of either kind and the store. */
import assert from "node:assert/strict";
import { lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Slipway } from "../../engine/index.ts";
import { chunksOf, TestDirectory, writePlaces } from "../../engine/transports/test-layout.ts";
import { runInMemory, type Outcome } from "../memory-cli.ts";

const questions: readonly { readonly name: string; readonly words: (image: string) => readonly string[]; readonly want: Partial<Outcome> }[] = [
  { name: "a directory", words: (image) => ["ls", `${image}:/`], want: { code: 0, stdout: "bin\netc\nloop\nold\nusr\n" } },
  { name: "whiteouts hide", words: (image) => ["ls", `${image}:/etc`], want: { code: 0, stdout: "os-release\n" } },
  { name: "an opaque directory hides", words: (image) => ["ls", "-R", `${image}:/old`], want: { code: 0, stdout: "/old/b\n" } },
  { name: "the topmost file wins", words: (image) => ["cat", `${image}:/bin/tool`], want: { code: 0, stdout: "tool two!" } },
  { name: "links are followed inside the image", words: (image) => ["cat", `${image}:/etc/os-release`], want: { code: 0, stdout: "ID=test\n" } },
  { name: "a hardlink has its file's content", words: (image) => ["cat", `${image}:/usr/lib/same`], want: { code: 0, stdout: "ID=test\n" } },
  { name: "a long line", words: (image) => ["ls", "-l", `${image}:/old/b`], want: { code: 0, stdout: "-rw-r--r-- 0 0 2 1970-01-01 00:00 b\n" } },
  {
    name: "a missing file",
    words: (image) => ["cat", `${image}:/etc/gone`],
    want: { code: 1, stdout: "" },
  },
  { name: "a directory is no file", words: (image) => ["cat", `${image}:/etc`], want: { code: 1, stderr: "/etc: Is a directory\n" } },
  { name: "links that go round", words: (image) => ["cat", `${image}:/loop`], want: { code: 1 } },
  { name: "the last layer's changes", words: (image) => ["diff", image], want: { code: 0, stdout: "C /bin\nC /bin/tool\nA /loop\n" } },
];

describe("an image where it lies", () => {
  const directory = new TestDirectory();
  const named = writePlaces(directory);
  const open = async (): Promise<Slipway> => {
    const engine = await Slipway.open({ root: directory.at("store") });
    await engine.images.load(chunksOf(readFileSync(directory.at("docker.tar")))).result;
    return engine;
  };
  let engine: Slipway | undefined;
  test("opens", async () => void (engine = await open()));
  for (const [place, image] of Object.entries(named)) {
    for (const { name, words, want } of questions) {
      test(`${place}: ${name}`, async () => {
        const { code, stdout, stderr } = await runInMemory(words(image), { open: async () => engine as Slipway, cwd: directory.path });
        assert.deepEqual({ code, ...("stdout" in want ? { stdout } : {}), ...("stderr" in want ? { stderr } : {}) }, want, stderr);
      });
    }
    test(`${place}: copied out`, async () => {
      const out = directory.at("out", place);
      mkdirSync(out, { recursive: true });
      await engine?.transfer.copyPath(image, "/usr", out, { cwd: directory.path });
      await engine?.transfer.copyPath(image, "/bin/tool", `${out}/renamed`, { cwd: directory.path });
      await engine?.transfer.copyPath(image, "/etc/os-release", out, { cwd: directory.path });
      assert.equal(readFileSync(`${out}/usr/lib/same`, "utf8"), "ID=test\n");
      assert.equal(readFileSync(`${out}/renamed`, "utf8"), "tool two!");
      assert.equal(statSync(`${out}/renamed`).mode & 0o7777, 0o644);
      assert.equal(readlinkSync(`${out}/os-release`), "../usr/lib/os-release");
    });
  }
  /** What Docker's cp does with each, from a directory with a file, a directory, and links to both and to nothing. */
  const destinations: readonly { readonly source: string; readonly target: string; readonly want: string }[] = [
    { source: "/bin/tool", target: "new", want: "new" },
    { source: "/bin/tool", target: "new/", want: "no such directory\n" },
    { source: "/bin/tool", target: "file", want: "file" },
    { source: "/bin/tool", target: "file/", want: "stat DIR/file/: not a directory\n" },
    { source: "/bin/tool", target: "directory", want: "directory/tool" },
    { source: "/bin/tool", target: "to-directory", want: "directory/tool" },
    { source: "/bin/tool", target: "to-file", want: "file" },
    { source: "/bin/tool", target: "to-nothing", want: "nothing" },
    { source: "/bin/tool", target: "none/new", want: 'invalid output path: directory "DIR/none" does not exist\n' },
    { source: "/bin/tool/", target: "directory", want: "Error response from daemon: lstat /bin/tool/: not a directory\n" },
    { source: "/etc/../bin/tool", target: "new", want: "new" },
    { source: "/bin", target: "new", want: "new/tool" },
    { source: "/bin", target: "new/", want: "new/tool" },
    { source: "/bin", target: "directory", want: "directory/bin/tool" },
    { source: "/bin/", target: "directory", want: "directory/bin/tool" },
    { source: "/bin/.", target: "directory", want: "directory/tool" },
    { source: "/bin", target: "file", want: "cannot copy directory\n" },
    { source: "/bin", target: "to-nothing", want: "nothing/tool" },
    { source: "/nope", target: "new", want: "Error response from daemon: Could not find the file /nope in image oci:layout:v1\n" },
  ];
  for (const [at, { source, target, want }] of destinations.entries()) {
    test(`cp ${source} ${target}`, async () => {
      const cwd = directory.at("destinations", String(at));
      mkdirSync(`${cwd}/directory`, { recursive: true });
      writeFileSync(`${cwd}/file`, "old");
      symlinkSync("directory", `${cwd}/to-directory`);
      symlinkSync("file", `${cwd}/to-file`);
      symlinkSync("nothing", `${cwd}/to-nothing`);
      symlinkSync(directory.at("layout"), `${cwd}/layout`);
      const { stderr } = await runInMemory(["cp", `oci:layout:v1:${source}`, target], { open: async () => engine as Slipway, cwd });
      const found = readdirSync(cwd, { recursive: true, encoding: "utf8" }).find(
        (path) => lstatSync(`${cwd}/${path}`).isFile() && readFileSync(`${cwd}/${path}`, "utf8") === "tool two!",
      );
      assert.equal(found ?? stderr.replaceAll(cwd, "DIR"), want, stderr);
    });
  }

  test("closes", async () => {
    await engine?.close();
    directory[Symbol.dispose]();
  });
});
