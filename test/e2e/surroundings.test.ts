/** What surrounds the program and must not matter: the caller's umask, unusual paths, a closed standard input. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { makeBaseTar } from "./base-image.ts";
import { createSandbox, isRoot } from "./sandbox.ts";

test("a umask of 077 reaches no image and no container, but the files that results go to", async (t) => {
  const sandbox = await createSandbox({ base: false, through: ["sh", "-c", 'umask 077; exec "$@"', "sh"] });
  t.after(() => sandbox[Symbol.asyncDispose]());
  await sandbox.ok(["import", makeBaseTar(), "busybox"]);
  const dockerfile = `FROM busybox
COPY f /made/f
RUN mkdir /by-run && echo x >/by-run/x
WORKDIR /work/dir
USER 1234
RUN cat /made/f /by-run/x && stat -c '%n %a' / /made /made/f /by-run /by-run/x /work/dir /etc/hosts
`;
  const built = await sandbox.buildPlain(dockerfile, { f: { text: "f\n", mode: 0o644 } }, ["-t", "masked", "--iidfile", path.join(sandbox.directory, "iid")]);
  assert.equal(built.code, 0, built.stderr);
  const modes = ["/ 755", "/made 755", "/made/f 644", "/by-run 755", "/by-run/x 644", "/work/dir 755", "/etc/hosts 644"];
  assert.deepEqual(
    modes.filter((line) => !new RegExp(`^#\\d+ [\\d.]+ ${line}$`, "m").test(built.stderr)),
    [],
    built.stderr,
  );
  const inside = await sandbox.ok(["run", "--rm", "-v", "/volume", "masked", "stat", "-c", "%n %a", "/", "/etc/resolv.conf", "/volume"]);
  assert.equal(inside, "/ 755\n/etc/resolv.conf 644\n/volume 755");

  await sandbox.build(dockerfile, { f: "f\n" }, ["-o", path.join(sandbox.directory, "local")]);
  await sandbox.build(dockerfile, { f: "f\n" }, ["-o", `type=tar,dest=${path.join(sandbox.directory, "tar")}`]);
  const modeOf = (name: string): string => (statSync(path.join(sandbox.directory, name)).mode & 0o777).toString(8);
  assert.deepEqual(["iid", "local", "tar", "local/made/f"].map(modeOf), ["600", "700", "600", "644"]);
});

test("a store and a context whose paths have blanks, quotes and letters beyond ASCII", async (t) => {
  const outer = await createSandbox({ base: false });
  const sandbox = await createSandbox({ store: path.join(outer.directory, 'it\'s a "störe" $x') });
  t.after(async () => {
    await sandbox[Symbol.asyncDispose]();
    await outer[Symbol.asyncDispose]();
  });
  const context = path.join(sandbox.folder({ "ü x/Dockerfile": "FROM busybox\nCOPY . /c\nRUN cat '/c/ä b'\n", "ü x/ä b": "in" }), "ü x");
  await sandbox.ok(["build", "-q", "-t", "odd", context]);
  await sandbox.ok(["run", "-d", "--name", "odd", "-v", `${context}:/b:ro`, "odd", "sh", "-c", "echo up; sleep 60"]);
  await sandbox.until(["logs", "odd"], "up");
  assert.equal(await sandbox.ok(["exec", "odd", "cat", "/b/ä b"]), "in");
  await sandbox.ok(["rm", "-f", "odd"]);
  await sandbox.ok(["save", "-o", path.join(context, "é.tar"), "odd"]);
  assert.ok(readFileSync(path.join(context, "é.tar")).length > 0);
});

test("a working directory that was removed: what is relative to it is not found, the rest works", async (t) => {
  const gone = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"];
  const sandbox = await createSandbox();
  t.after(() => sandbox[Symbol.asyncDispose]());
  const folder = sandbox.folder({ Dockerfile: "FROM busybox\nRUN pwd >/x\n" });
  const call = async (...words: readonly string[]): Promise<string> => await sandbox.ok(words, { through: gone });
  const id = await call("build", "-q", folder);
  assert.equal(await call("run", "--rm", "--network=none", id, "cat", "/x"), "/");
  assert.match(await call("images", "--format", "{{.Repository}}"), /^busybox$/m);
  const here = await sandbox.call(["build", "."], { through: gone });
  assert.equal(here.code, 1);
  assert.match(here.stderr, /ERROR: .*(?:open Dockerfile: no such file|not found)/);
});

test("closed standard streams", async (t) => {
  const sandbox = await createSandbox({ through: ["sh", "-c", 'exec "$@" <&-', "sh"] });
  t.after(() => sandbox[Symbol.asyncDispose]());
  await sandbox.build("FROM busybox\nRUN echo x >/x\n", {}, ["-t", "closed"]);
  assert.equal(await sandbox.ok(["run", "--rm", "closed", "cat", "/x"]), "x");
  const silent = await sandbox.call(["run", "--rm", "closed", "true"], { through: ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"] });
  assert.equal(silent.code, 0);
});

const chroots: readonly { readonly name: string; readonly without: string }[] = [
  { name: "without control groups", without: "/sys/fs/cgroup" },
  { name: "without anything in /sys", without: "/sys" },
];

for (const { name, without } of chroots) {
  test(`a chroot ${name}: steps and containers run, and a container is entered where it lives`, { skip: isRoot ? false : "needs root" }, async (t) => {
    const root = mkdtempSync(path.join(tmpdir(), "slipway-chroot-"));
    // the mounts are those of a namespace that ends with the call
    const script = `mount --rbind / "$1" && umount -R -l "$1${without}" && here=$PWD && root=$1 && shift && exec chroot "$root" sh -c 'cd "$0" && exec "$@"' "$here" "$@"`;
    const sandbox = await createSandbox({ through: ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", root] });
    t.after(async () => {
      await sandbox[Symbol.asyncDispose]();
      rmdirSync(root);
    });
    await sandbox.build("FROM busybox\nRUN echo x >/x\n", {}, ["-t", "made"]);
    assert.equal(await sandbox.ok(["run", "--rm", "made", "cat", "/x"]), "x");
    await sandbox.ok(["run", "-d", "--name", "inside", "made", "sleep", "1000"]);
    assert.equal(await sandbox.ok(["exec", "inside", "cat", "/x"]), "x");
    await sandbox.ok(["pause", "inside"]);
    assert.equal(await sandbox.ok(["inspect", "-f", "{{.State.Status}}", "inside"]), "paused");
    await sandbox.ok(["rm", "-f", "inside"]);
  });
}
