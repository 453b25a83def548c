/** The one-file program works alone: no Node on PATH, nothing of the checkout beside it. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { buildExecutable } from "../scripts/build-sea.ts";

const directory = mkdtempSync(path.join(tmpdir(), "slipway-one-file-"));
const program = path.join(directory, "slipway");
process.env["SLIPWAY_TEST_PROGRAM"] = program;
const { createSandbox, isRoot } = await import("./e2e/sandbox.ts");
const { findBusybox } = await import("./e2e/base-image.ts");
const env = { PATH: "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin" };

suite("the one-file program", () => {
  before(async () => await buildExecutable(program));
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("tells its version, builds, makes system calls, saves and loads", async () => {
    await using sandbox = await createSandbox({ base: false, env });
    assert.match(await sandbox.ok(["version"]), /Version: +\d+\.\d+\.\d+\n/);
    assert.match(await sandbox.ok(["--version"]), /^Slipway version \d+\.\d+\.\d+$/);
    const id = await sandbox.build("FROM scratch\nCOPY greeting.txt /\n", { "greeting.txt": "hello\n" }, ["-t", "alone:1"]);
    await sandbox.ok(["save", "-o", path.join(sandbox.directory, "alone.tar"), "alone:1"]);
    await sandbox.ok(["rmi", "alone:1"]);
    await sandbox.ok(["load", "-i", path.join(sandbox.directory, "alone.tar")]);
    assert.equal(await sandbox.ok(["images", "--no-trunc", "-q"]), id);
  });

  test("speaks to registries: a refused connection is told as such", async () => {
    await using sandbox = await createSandbox({ base: false, env });
    assert.match((await sandbox.call(["pull", "127.0.0.1:1/some/image"])).stderr, /connection refused/);
  });

  const lacking = [
    isRoot ? undefined : "root",
    findBusybox() === undefined ? "busybox" : undefined,
    ...["conmon", "crun"].map((part) => (existsSync(`/usr/bin/${part}`) ? undefined : part)),
  ].filter((part) => part !== undefined);
  test("is the cleanup of its own containers", { skip: lacking.length > 0 ? `needs ${lacking.join(", ")}` : false }, async () => {
    await using sandbox = await createSandbox({ env });
    await sandbox.ok(["run", "-d", "--rm", "--network", "none", "busybox", "true"]);
    await sandbox.until(["ps", "-aq"], "");
  });
});
