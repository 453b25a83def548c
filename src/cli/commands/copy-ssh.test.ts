/** Pushes over ssh: the program on the PATH is a shell script that runs the other side here, as ssh would there. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { Slipway } from "../../engine/index.ts";
import { LayoutDraft, TestDirectory } from "../../engine/transports/test-layout.ts";
import { runInMemory, type Outcome } from "../memory-cli.ts";

const directory = new TestDirectory();
const path = process.env["PATH"] ?? "";
let env: Readonly<Record<string, string>> = {};
const programs = resolve(import.meta.dirname, "../../../bin");
let engine: Slipway;

const run = (...words: readonly string[]): Promise<Outcome> => runInMemory(words, { open: async () => engine, cwd: directory.path, env });

/** `body` sees the destination as $1 and the command as $2. */
function writeSsh(name: string, body: string): void {
  mkdirSync(directory.at(name), { recursive: true });
  writeFileSync(directory.at(name, "ssh"), `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift\n${body}\n`);
  chmodSync(directory.at(name, "ssh"), 0o755);
  env = { ...process.env, PATH: `${directory.at(name)}:${path}` } as Record<string, string>;
}

before(async () => {
  engine = await Slipway.open({ root: directory.at("store") });
  const draft = new LayoutDraft();
  draft.name(draft.image([[{ path: "a", content: "one" }], [{ path: "b", content: "two" }]]), "x").write(directory.at("image"));
});
after(async () => {
  await engine.close();
  directory[Symbol.dispose]();
});

test("the other side gets the image under its name, and only the layers that it lacks", async () => {
  writeSsh("works", `echo "$1" > ${directory.at("destination")}; export SLIPWAY_ROOT=${directory.at("there")} PATH=${programs}:$PATH; exec sh -c "$2"`);
  const first = await run("copy", "oci:image:x", "ssh://me@example.test:2222/team/app:1");
  assert.equal(first.code, 0, first.stderr);
  assert.doesNotMatch(first.stderr, /already there/);
  const second = await run("copy", "oci:image:x", "ssh://me@example.test/team/app:2");
  assert.equal(second.stderr.match(/already there/g)?.length, 2);
  await run("copy", "-q", "oci:image:x", "store:team/app:3");
  const pushed = await run("push", "ssh://example.test/team/app:3");
  assert.equal(pushed.code, 0, pushed.stderr);
  await using there = await Slipway.open({ root: directory.at("there") });
  assert.deepEqual(
    there.images.list().map(({ repoTags }) => repoTags),
    [["team/app:1", "team/app:2", "team/app:3"]],
  );
});

const failures: readonly { readonly name: string; readonly body: string; readonly want: RegExp }[] = [
  {
    name: "no slipway there",
    body: "echo 'sh: slipway: not found' >&2; exit 127",
    want: /^example\.test has no slipway on the PATH of its shell: sh: slipway: not found\nHint: install slipway on example\.test/,
  },
  {
    name: "no way there",
    body: "echo 'ssh: connect to host example.test port 22: Connection refused' >&2; exit 255",
    want: /^ssh could not reach example\.test: ssh: connect to host/,
  },
  { name: "another program", body: "exit 3", want: /^slipway on example\.test ended with 3$/m },
  {
    name: "a refusal",
    body: `read line; echo '{"have":[]}'; cat >/dev/null; echo '{"error":{"kind":"resource_exhausted","code":"STORE_NO_SPACE","message":"no space left"}}'`,
    want: /example\.test: no space left \(STORE_NO_SPACE\)$/m,
  },
];
for (const { name, body, want } of failures) {
  test(`told: ${name}`, async () => {
    writeSsh("fails", body);
    const { code, stderr } = await run("copy", "-q", "oci:image:x", "ssh://example.test/app:1");
    assert.equal(code, 1);
    assert.match(stderr, want);
  });
}

test("told: no ssh here, and a host that would be a flag", async () => {
  env = { PATH: directory.at("empty") };
  assert.match((await run("copy", "-q", "oci:image:x", "ssh://example.test/app:1")).stderr, /^ssh is not on this machine's PATH\nHint: /);
  assert.match((await run("copy", "-q", "oci:image:x", "ssh://-oProxyCommand=x/app:1")).stderr, /^invalid location/);
});
