import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/slipway", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "slipway-launcher-"));
after(() => rmSync(folder, { recursive: true }));

function run(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd: folder, encoding: "utf8", env: { PATH: process.env["PATH"], HOME: folder, ...env } });
  return { code: status, stdout, stderr };
}

test("the launcher works from any directory, through links, and without a home", () => {
  mkdirSync(join(folder, "links"));
  symlinkSync(program, join(folder, "links/absolute"));
  symlinkSync("links/absolute", join(folder, "relative"));
  for (const file of [program, join(folder, "links/absolute"), "./relative"]) {
    const { code, stdout } = run(file, ["--version"]);
    assert.equal(code, 0);
    assert.match(stdout, /^Slipway version \d+\.\d+\.\d+/);
  }
  assert.equal(run(program, ["--version"], { HOME: "", XDG_CACHE_HOME: "" }).code, 0);
  assert.equal(run(program, ["--version"], { XDG_CACHE_HOME: "/proc/nosuch" }).code, 0);
  // the home of an account that has none is not made
  assert.equal(run(program, ["--version"], { HOME: join(folder, "none") }).code, 0);
  assert.equal(existsSync(join(folder, "none")), false);
});

test("without its packages it says which command installs them", () => {
  mkdirSync(join(folder, "bare/bin"), { recursive: true });
  const copy = join(folder, "bare/bin/slipway");
  copyFileSync(program, copy);
  const { code, stderr } = run(copy, ["--version"]);
  assert.equal(code, 1);
  assert.ok(stderr.includes(`run 'npm run quickstart' in ${join(folder, "bare")}\n`), stderr);
});

test("a reader that goes away ends the program without a word", () => {
  const { stdout, stderr } = run("sh", ["-c", `"${program}" run --help | head -n 1`]);
  assert.equal(stdout, "Usage:  slipway run [OPTIONS] IMAGE [COMMAND] [ARG...]\n");
  assert.equal(stderr, "");
});

test("global mistakes end as docker's do", () => {
  const { code, stderr } = run(program, ["--zz"]);
  assert.equal(code, 125);
  assert.equal(stderr, "unknown flag: --zz\n\nUsage:  slipway [OPTIONS] COMMAND [ARG...]\n\nRun 'slipway --help' for more information\n");
});

test("a container's --env-file is not Node's", () => {
  const { code, stderr } = run(program, ["run", "--env-file", "/nosuch", "busybox"]);
  assert.deepEqual([code, stderr.split("\n")[0]], [125, "slipway: open /nosuch: no such file or directory"]);
});
