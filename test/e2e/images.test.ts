/** The commands around images, in the words and columns that Docker's users know. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { makeBaseTar } from "./base-image.ts";
import { createSandbox } from "./sandbox.ts";
import { tarOf } from "./tar-of.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const dockerfile = 'FROM busybox\nENV A=1\nCOPY f /f\nRUN echo r >/r\nCMD ["cat", "/f"]\n';
const id = await sandbox.build(dockerfile, { f: "content" }, ["-t", "app:1", "-t", "registry.example:5000/team/app:2"]);
const short = id.slice("sha256:".length, "sha256:".length + 12);

test("images lists names, short ids and sizes", async () => {
  const lines = (await sandbox.ok(["images"])).split("\n");
  assert.match(lines[0] ?? "", /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
  assert.ok(
    lines.some((line) => new RegExp(`^app +1 +${short} +.* ago +[0-9.]+[kM]B$`).test(line)),
    lines.join("\n"),
  );
  assert.ok(lines.some((line) => line.startsWith("registry.example:5000/team/app ")));
});

const listings: readonly { readonly name: string; readonly args: readonly string[]; readonly want: string }[] = [
  { name: "-q with a name", args: ["images", "-q", "app"], want: short },
  { name: "--no-trunc", args: ["images", "-q", "--no-trunc", "app:1"], want: id },
  { name: "--format", args: ["images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}", "app"], want: `app:1 ${short}` },
  { name: "--filter reference", args: ["images", "--filter", "reference=*/team/*", "--format", "{{.Repository}}"], want: "registry.example:5000/team/app" },
  { name: "--filter reference of nothing", args: ["images", "-q", "--filter", "reference=nothing"], want: "" },
  { name: "image ls", args: ["image", "ls", "-q", "app:1"], want: short },
  { name: "inspect -f field", args: ["inspect", "-f", "{{.Id}}", "app:1"], want: id },
  { name: "inspect -f json", args: ["inspect", "-f", "{{json .Config.Cmd}}", "app:1"], want: '["cat","/f"]' },
  { name: "inspect -f range", args: ["inspect", "-f", "{{range .RepoTags}}{{println .}}{{end}}", "app:1"], want: "app:1\nregistry.example:5000/team/app:2\n" },
  { name: "inspect -f index and len", args: ["inspect", "-f", "{{index .Config.Cmd 0}} {{len .RootFS.Layers}}", "app:1"], want: "cat 3" },
  {
    name: "inspect -f join and if",
    args: ["inspect", "-f", '{{join .Config.Cmd " "}}{{if .Config.User}} user{{else}} root{{end}}', "app:1"],
    want: "cat /f root",
  },
  { name: "inspect by short id", args: ["image", "inspect", "-f", "{{.Os}}", short], want: "linux" },
];
for (const { name, args, want } of listings) {
  test(`prints: ${name}`, async () => assert.equal(await sandbox.ok(args), want));
}

test("tag gives another name, refuses a bad one, and says what is missing", async () => {
  await sandbox.ok(["tag", "app:1", "app:tagged"]);
  assert.equal(await sandbox.ok(["images", "-q", "app:tagged"]), short);
  const bad = await sandbox.call(["tag", "app:1", "App:1"]);
  assert.deepEqual([bad.code, /must be lowercase/.test(bad.stderr)], [1, true], bad.stderr);
  const missing = await sandbox.call(["tag", "nothing", "x"]);
  assert.deepEqual([missing.code, /No such image: nothing:latest/.test(missing.stderr)], [1, true], missing.stderr);
});

test("rmi untags first, deletes with the last name, refuses what a container uses", async () => {
  const other = await sandbox.build("FROM busybox\nLABEL to=remove", {}, ["-t", "gone:1", "-t", "gone:2"]);
  assert.equal(await sandbox.ok(["rmi", "gone:1"]), "Untagged: gone:1");
  assert.match(await sandbox.ok(["rmi", "gone:2"]), new RegExp(`^Untagged: gone:2\nDeleted: ${other}`));
  const again = await sandbox.call(["rmi", "gone:2"]);
  assert.deepEqual([again.code, /No such image: gone:2/.test(again.stderr)], [1, true], again.stderr);
  await sandbox.build("FROM busybox\nLABEL held=1", {}, ["-t", "held"]);
  await sandbox.ok(["run", "--name", "holder", "held", "true"]);
  const held = await sandbox.call(["rmi", "held"]);
  assert.equal(held.code, 1);
  assert.match(
    held.stderr,
    /conflict: unable to (remove repository reference "held" \(must force\)|delete held:latest \(must be forced\)) - container [0-9a-f]{12} is using its referenced image/,
  );
  await sandbox.ok(["rm", "holder"]);
  await sandbox.ok(["rmi", "held"]);
});

test("rmi by id wants force for several names", async () => {
  const several = await sandbox.build("FROM busybox\nLABEL several=1", {}, ["-t", "several:1", "-t", "several:2"]);
  const plain = await sandbox.call(["rmi", several]);
  assert.match(plain.stderr, /image is referenced in multiple repositories|must be forced/);
  assert.match(await sandbox.ok(["rmi", "-f", several]), /Untagged: several:1\n(.*\n)*Deleted: /);
});

test("history shows the newest step first, with its instruction and size", async () => {
  const lines = (await sandbox.ok(["history", "--no-trunc", "--format", "{{.ID}}|{{.CreatedBy}}|{{.Size}}|{{.Comment}}", "app:1"])).split("\n");
  assert.match(lines[0] ?? "", new RegExp(`^${id}\\|CMD \\["cat" "/f"\\]\\|0B\\|buildkit.dockerfile.v0$`));
  assert.match(lines[1] ?? "", /^<missing>\|RUN \/bin\/sh -c echo r >\/r # buildkit\|[0-9.]+k?B\|/);
  assert.match(lines[2] ?? "", /^<missing>\|COPY f \/f # buildkit\|/);
  assert.match(lines[3] ?? "", /^<missing>\|ENV A=1\|0B\|/);
  assert.match(await sandbox.ok(["history", "app:1"]), /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n/);
});

test("save then load brings back names and ids, compressed or not", async () => {
  const file = path.join(sandbox.directory, "app.tar");
  await sandbox.ok(["save", "-o", file, "app:1", "busybox"]);
  const members = execFileSync("tar", ["-tf", file], { encoding: "utf8" }).split("\n");
  for (const name of ["manifest.json", "index.json", "oci-layout"]) assert.ok(members.includes(name), `${name} is missing`);
  for (const [name, pack] of [
    ["plain", (bytes: Buffer) => bytes],
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ] as const) {
    await using other = await createSandbox({ base: false });
    const said = await other.ok(["load"], { input: pack(readFileSync(file)) });
    assert.match(said, /^Loaded image: app:1$/m, name);
    assert.match(said, /^Loaded image: busybox:latest$/m, name);
    assert.equal(await other.ok(["images", "-q", "--no-trunc", "app:1"]), id, name);
    assert.equal(await other.ok(["run", "--rm", "app:1"]), "content", name);
  }
});

test("load refuses what is no image archive and keeps nothing", async () => {
  const before = await sandbox.ok(["images", "-aq"]);
  for (const input of [
    Buffer.from("not a tar"),
    tarOf({ "manifest.json": "[{]" }),
    tarOf({ "manifest.json": '[{"Config":"missing.json","RepoTags":["x:1"],"Layers":[]}]' }),
    tarOf({ other: "x" }),
  ]) {
    const outcome = await sandbox.call(["load"], { input });
    assert.equal(outcome.code, 1, outcome.stdout);
    assert.notEqual(outcome.stderr, "");
  }
  assert.equal(await sandbox.ok(["images", "-aq"]), before, "something was kept");
});

test("import takes changes, export gives the files back", async () => {
  const imported = await sandbox.ok(["import", "-c", "ENV K=v", "-c", 'CMD ["cat", "/etc/group"]', "-m", "by hand", makeBaseTar(), "imported:1"]);
  assert.match(imported, /^sha256:[0-9a-f]{64}$/);
  assert.equal(await sandbox.ok(["inspect", "-f", "{{json .Config.Env}} {{.Comment}}", "imported:1"]), '["K=v"] by hand');
  await sandbox.ok(["run", "--name", "exported", "imported:1", "sh", "-c", "echo written >/w"]);
  const file = path.join(sandbox.directory, "export.tar");
  await sandbox.ok(["export", "-o", file, "exported"]);
  assert.equal(execFileSync("tar", ["-xOf", file, "w"], { encoding: "utf8" }), "written\n");
  await sandbox.ok(["rm", "exported"]);
});

test("import reads standard input", async () => {
  await sandbox.ok(["import", "-", "stdin:1"], { input: tarOf({ hello: "x" }) });
  assert.equal(await sandbox.ok(["inspect", "-f", "{{len .RootFS.Layers}}", "stdin:1"]), "1");
});

test("image prune takes dangling images, with -a every unused one", async () => {
  await using other = await createSandbox();
  await other.build("FROM busybox\nLABEL v=1", {}, ["-t", "moving"]);
  const dangling = await other.ok(["images", "-q", "--no-trunc", "moving"]);
  await other.build("FROM busybox\nLABEL v=2", {}, ["-t", "moving"]);
  assert.equal(await other.ok(["images", "-q", "--no-trunc", "--filter", "dangling=true"]), dangling);
  assert.match(await other.ok(["image", "prune", "-f", "--dry-run"]), new RegExp(dangling.slice(7, 19)));
  assert.match(
    await other.ok(["image", "prune", "-f"]),
    new RegExp(`^Deleted Images:\\n(untagged: .*\\n)?deleted: ${dangling}\\n(.*\\n)*\\nTotal reclaimed space: `),
  );
  await other.ok(["run", "--name", "user", "busybox", "true"]);
  await other.ok(["image", "prune", "-af"]);
  assert.equal(await other.ok(["images", "--format", "{{.Repository}}"]), "busybox");
});

test("image prune filters by label and age", async () => {
  await sandbox.build("FROM busybox\nLABEL prune=me", {}, ["-t", "labelled"]);
  await sandbox.ok(["image", "prune", "-af", "--filter", "label=prune=nobody"]);
  await sandbox.ok(["image", "prune", "-af", "--filter", "until=1h", "--filter", "label=prune"]);
  assert.notEqual(await sandbox.ok(["images", "-q", "labelled"]), "");
  await sandbox.ok(["image", "prune", "-af", "--filter", "label=prune=me"]);
  assert.equal(await sandbox.ok(["images", "-q", "labelled"]), "");
});

test("inspect of nothing prints an empty list and Docker's words", async () => {
  const outcome = await sandbox.call(["image", "inspect", "nothing"]);
  assert.deepEqual([outcome.code, outcome.stdout.trim()], [1, "[]"]);
  assert.match(outcome.stderr, /No such image: nothing/);
});

test("images are known by any unique beginning of their id, and an ambiguous one is refused", async () => {
  assert.equal(await sandbox.ok(["inspect", "-f", "{{.Id}}", id.slice(7, 14)]), id);
  assert.equal((await sandbox.call(["inspect", "zzzz"])).code, 1);
});

test("names with control characters do not reach the terminal", async () => {
  const context = sandbox.folder({ Dockerfile: "FROM busybox\nLABEL x=\u001b[31mred\nRUN : '\u001b]0;title\u0007'" });
  const outcome = await sandbox.call(["build", "--progress=plain", "-t", "control", context]);
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.ok(!outcome.stderr.includes("\u001b]0;"), "a step's name kept its escape sequence");
  assert.ok(!(await sandbox.ok(["history", "--no-trunc", "control"])).includes("\u001b"));
});
