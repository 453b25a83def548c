/**
 * The same commands as an ordinary user: with subordinate ids, with a single id, and where user namespaces are forbidden.
 * Run as root it becomes such users itself; run as a user it skips, since then every other suite is this one.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { createSandbox, isRoot, slipwayPath, statesOf, type Sandbox } from "./sandbox.ts";

const become = (id: number): readonly string[] => ["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups"];
const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** An id that no account has and that is in no subordinate range. */
const plainId = 54_321;

function reasonToSkip(): string | false {
  if (!isRoot) return "not root: the other suites run as this user already";
  if (!has("setpriv") || !has("unshare")) return "util-linux is not installed";
  const [program = "", ...args] = become(plainId);
  if (spawnSync(program, [...args, "test", "-r", slipwayPath]).status !== 0) return `other users cannot read ${slipwayPath}`;
  return false;
}
const skip = reasonToSkip();

const name = `slipway-e2e-${process.pid}`;

/** An account with subordinate ids; undefined where none can be made. */
function addUser(): number | undefined {
  if (!has("useradd") || !has("newuidmap")) return undefined;
  if (spawnSync("useradd", ["--no-create-home", "--shell", "/bin/sh", name]).status !== 0) return undefined;
  if (!readFileSync("/etc/subuid", "utf8").includes(`${name}:`)) return undefined;
  return Number(spawnSync("id", ["-u", name], { encoding: "utf8" }).stdout);
}

const dockerfile = `FROM busybox AS build
RUN mkdir /out && echo made >/out/made && test "$(id -u)" = 0
FROM busybox
COPY --from=build /out /out
COPY f /f
WORKDIR /w
RUN test "$(cat /out/made)$(cat /f)" = madef && test "$(stat -c %u:%g /out/made)" = 0:0 && echo ok >result
CMD ["cat", "/w/result"]
`;

/** What works for any user who may make user namespaces. */
function core(open: () => Sandbox): void {
  test("builds with RUN, then takes everything from the cache", async () => {
    const context = open().folder({ Dockerfile: dockerfile, f: "f" });
    const first = await open().call(["build", "--progress=plain", "-t", "app", context]);
    assert.equal(first.code, 0, first.stderr);
    const second = await open().call(["build", "--progress=plain", "-t", "app", context]);
    assert.ok(
      statesOf(second, /\] (RUN|COPY|WORKDIR)/).every((state) => state === "cached"),
      second.stderr,
    );
  });
  test("runs a container", async () => {
    assert.equal(await open().ok(["run", "--rm", "app"]), "ok");
  });
  test("keeps a container in the background, shows its log, removes it", async () => {
    await open().ok(["run", "-d", "--name", "bg", "busybox", "sh", "-c", "echo up; sleep 60"]);
    await open().until(["logs", "bg"], "up");
    assert.equal(await open().ok(["exec", "bg", "echo", "inside"]), "inside");
    await open().ok(["rm", "-f", "bg"]);
  });
  test("saves, removes and loads again", async () => {
    const file = path.join(open().directory, "app.tar");
    await open().ok(["save", "-o", file, "app"]);
    await open().ok(["rmi", "app"]);
    assert.equal(await open().ok(["load", "-i", file]), "Loaded image: app:latest");
    assert.equal(await open().ok(["run", "--rm", "app"]), "ok");
  });
  test("removes and prunes everything it made", async () => {
    await open().ok(["image", "prune", "-af"]);
    await open().ok(["builder", "prune", "-af"]);
    assert.equal(await open().ok(["images", "-aq"]), "");
  });
}

suite("as a user with subordinate ids", { skip }, () => {
  let sandbox: Sandbox | undefined;
  const open = (): Sandbox => {
    assert.ok(sandbox !== undefined, "no account could be made on this machine (useradd, newuidmap)");
    return sandbox;
  };
  before(async () => {
    const id = addUser();
    if (id !== undefined) sandbox = await createSandbox({ owner: id, through: become(id) });
  });
  after(async () => {
    await sandbox?.[Symbol.asyncDispose]();
    spawnSync("userdel", [name]);
  });
  test("other owners than root exist inside, and stay in the image", async () => {
    await open().build("FROM busybox\nRUN touch /x && chown 1234:5678 /x\nRUN test $(stat -c %u:%g /x) = 1234:5678\nUSER 1234\nRUN test $(id -u) = 1234");
  });
  core(open);
});

suite("as a user with a single id", { skip }, () => {
  let sandbox: Sandbox | undefined;
  const open = (): Sandbox => {
    assert.ok(sandbox !== undefined);
    return sandbox;
  };
  before(async () => {
    sandbox = await createSandbox({ owner: plainId, through: become(plainId) });
  });
  after(() => sandbox?.[Symbol.asyncDispose]());
  core(open);
});

suite("where user namespaces are forbidden", { skip }, () => {
  let sandbox: Sandbox | undefined;
  const open = (): Sandbox => {
    assert.ok(sandbox !== undefined);
    return sandbox;
  };
  before(async () => {
    const through = [path.join(import.meta.dirname, "without-userns"), String(plainId)];
    sandbox = await createSandbox({ owner: plainId, through });
  });
  after(() => sandbox?.[Symbol.asyncDispose]());

  test("every build without RUN works", async () => {
    const text =
      'FROM busybox AS a\nWORKDIR /w\nCOPY --chown=7:8 f g/\nENV A=1\nUSER 5\nFROM scratch\nCOPY --from=a /w /w\nCOPY --from=a /bin/busybox /b\nCMD ["/b"]\n';
    await open().build(text, { f: "f" }, ["-t", "norun"]);
    assert.equal(await open().ok(["inspect", "-f", "{{json .Config.Cmd}} {{len .RootFS.Layers}}", "norun"]), '["/b"] 2');
  });
  test("its files come out", async () => {
    const dest = path.join(open().directory, "out");
    await open().ok([
      "build",
      "-q",
      "-o",
      dest,
      open().folder({ Dockerfile: "FROM busybox AS a\nFROM scratch\nCOPY --from=a /etc/passwd /p\nCOPY f /f", f: "f" }),
    ]);
    assert.ok(existsSync(path.join(dest, "p")) && existsSync(path.join(dest, "f")));
  });
  test("a build with RUN fails within a second or so and names what is missing", async () => {
    const outcome = await open().buildPlain("FROM busybox\nRUN true\n");
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, /user namespace/i);
    assert.ok(outcome.elapsedMs < 3000, `it took ${Math.round(outcome.elapsedMs)} ms`);
  });
  test("save and load work", async () => {
    const saved = await open().call(["save", "norun"]);
    assert.match(await open().ok(["load"], { input: saved.stdoutBytes }), /Loaded image: norun:latest/);
  });
});
