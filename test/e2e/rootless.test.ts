/**
 * The same commands as an ordinary user: with subordinate ids, with a single id, and where user namespaces are forbidden.
 * Run as root it becomes such users itself; run as a user it skips, since then every other suite is this one.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { listProcesses, type Process } from "./processes.ts";
import { createSandbox, isRoot, slipwayPath, statesOf, type Sandbox } from "./sandbox.ts";

const become = (id: number): readonly string[] => ["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups"];
const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** An id that no account has and that is in no subordinate range; another one in each run, because runs may come at the same time. */
const plainId = 50_000 + (process.pid % 10_000);

function reasonToSkip(): string | false {
  if (!isRoot) return "not root: the other suites run as this user already";
  if (!has("setpriv") || !has("unshare")) return "util-linux is not installed";
  const [program = "", ...args] = become(plainId);
  if (spawnSync(program, [...args, "test", "-r", slipwayPath]).status !== 0) return `other users cannot read ${slipwayPath}`;
  return false;
}
const skip = reasonToSkip();

const name = `slipway-e2e-${process.pid}`;

/** An account with subordinate ids, of an id that no image's user has whose processes run meanwhile; undefined where none can be made. */
function addUser(): number | undefined {
  if (!has("useradd") || !has("newuidmap")) return undefined;
  if (spawnSync("useradd", ["--uid", String(plainId - 10_000), "--no-create-home", "--shell", "/bin/sh", name]).status !== 0) return undefined;
  if (!readFileSync("/etc/subuid", "utf8").includes(`${name}:`)) return undefined;
  return Number(spawnSync("id", ["-u", name], { encoding: "utf8" }).stdout);
}

const processesOf = (id: number): readonly Process[] => listProcesses().filter(({ uid }) => uid === id);

/** /dev/net/tun of this mode for one command only, whatever the machine's own is: with 0600 an ordinary user can have no network of its own. */
function withTun(mode: number): readonly string[] {
  const node = path.join(devices, mode.toString(8));
  if (!existsSync(node)) {
    assert.equal(spawnSync("mknod", [node, "c", "10", "200"]).status, 0);
    chmodSync(node, mode);
  }
  return ["unshare", "--mount", "--propagation", "slave", "sh", "-c", 'mount --bind "$0" /dev/net/tun && exec "$@"', node];
}
const devices = mkdtempSync(path.join(tmpdir(), "slipway-tun-"));
after(() => rmSync(devices, { recursive: true, force: true }));

/** The user's containers, processes, files and account. */
async function removeUser(sandbox: Sandbox | undefined): Promise<void> {
  await sandbox?.[Symbol.asyncDispose]();
  spawnSync("userdel", ["--force", name], { stdio: "ignore" });
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
function core(open: () => Sandbox, user: () => number): void {
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
  test("has a scanner's image write the bill of a result", async () => {
    const scan = `#!/bin/sh
printf '{"predicateType":"https://spdx.dev/Document","subject":[{"name":"_"}],"predicate":{"name":"%s"}}' "$(id -u) $(cat "$BUILDKIT_SCAN_SOURCE/f")" > "$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json"
`;
    const scanner = open().folder({ Dockerfile: 'FROM busybox\nCOPY --chmod=755 scan.sh /\nENTRYPOINT ["/scan.sh"]\n', "scan.sh": scan });
    await open().ok(["build", "-q", "-t", "scanner:1", scanner]);
    const out = path.join(open().directory, "scanned");
    await open().ok(["build", "--sbom=generator=scanner:1", "-o", out, open().folder({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "of it" })]);
    const { predicate } = JSON.parse(readFileSync(path.join(out, "sbom.spdx.json"), "utf8")) as { readonly predicate: unknown };
    assert.deepEqual(predicate, { name: "0 of it" });
  });
  test("names what it cannot read of a directory", async () => {
    const cwd = open().folder({ "a/package-lock.json": "{}", "b/node_modules/right/package.json": '{"name":"right","version":"2.0.0"}' });
    chmodSync(path.join(cwd, "a/package-lock.json"), 0);
    const { code, stdout, stderr } = await open().call(["sbom", "."], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^right +2\.0\.0 +npm +b\/node_modules/m);
    assert.match(stderr, /WARNING: \/a\/package-lock\.json was not wholly looked into: EACCES/);
  });
  test("runs a container", async () => {
    assert.equal(await open().ok(["run", "--rm", "app"]), "ok");
  });
  test("keeps a container in the background: log, exec, stop, start, rm", async () => {
    await open().ok(["run", "-d", "--name", "bg", "busybox", "sh", "-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done"]);
    await open().until(["logs", "bg"], "up");
    assert.equal(await open().ok(["exec", "bg", "echo", "inside"]), "inside");
    assert.equal(await open().ok(["exec", "-t", "bg", "sh", "-c", "tty >/dev/null && echo terminal"]), "terminal\r");
    await open().ok(["exec", "-d", "bg", "sh", "-c", "echo begun >/begun"]);
    await open().until(["exec", "bg", "sh", "-c", "cat /begun 2>/dev/null; true"], "begun");
    await open().ok(["stop", "bg"]);
    assert.equal(await open().ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "bg"]), "exited 3");
    await open().ok(["start", "bg"]);
    await open().until(["logs", "bg"], "up\nup");
    await open().ok(["rm", "-f", "bg"]);
    assert.equal(await open().ok(["ps", "-aq"]), "");
  });
  test("a container of its own end goes with --rm", async () => {
    await open().ok(["run", "-d", "--rm", "--name", "goes", "busybox", "true"]);
    await open().until(["ps", "-aq"], "");
  });
  test("gets a device that the user may open", async () => {
    const read = ["sh", "-c", "head -c 3 /dev/mine | wc -c"];
    assert.equal(await open().ok(["run", "--rm", "--network", "none", "--device", "/dev/zero:/dev/mine:r", "busybox", ...read]), "3");
  });
  test("shares the host's name spaces when asked to", async () => {
    for (const name of ["pid", "ipc", "uts"])
      assert.equal(await open().ok(["run", "--rm", "--network", "none", `--${name}`, "host", "busybox", "echo", name]), name);
  });
  test("a step whose builder is killed is looked into: its files, its cache, its memory", async () => {
    const text = `FROM busybox
RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/m echo f >/f; echo c >/c/f; echo m >/m/f; echo all written; sleep 1000`;
    const killed = await open().call(["build", "--progress=plain", open().folder({ Dockerfile: text })], {
      onStderr: (said, kill) => {
        if (/ all written\n/.test(said)) kill("SIGKILL");
      },
    });
    assert.equal(killed.signal, "SIGKILL");
    assert.equal(await open().ok(["debug"], { input: "cat /f /c/f /m/f; id -u; rm /f" }), "f\nc\nm\n0");
    const [id = ""] = (await open().ok(["debug", "ls", "-q"])).split("\n");
    assert.equal(await open().ok(["run", "--rm", id, "cat", "/f"]), "f");
  });
  test("where /dev/net/tun is closed: the host's network, with a warning; no published ports", async () => {
    const through = [...withTun(0o600), ...become(user())];
    const alone = await open().call(["run", "--rm", "busybox", "echo", "ran"], { through });
    assert.deepEqual([alone.code, alone.stdout], [0, "ran\n"], alone.stderr);
    assert.match(alone.stderr, /^WARNING: the container uses the host's network, .*chmod 0666 \/dev\/net\/tun\n$/);
    const published = await open().call(["run", "--rm", "-p", "127.0.0.1::80", "busybox", "true"], { through });
    assert.equal(published.code, 125);
    assert.match(published.stderr, /cannot open \/dev\/net\/tun: permission denied; .*chmod 0666 \/dev\/net\/tun/);
    const built = await open().buildPlain("FROM busybox\nRUN echo closed tun", {}, ["--no-cache"], { through });
    assert.equal(built.code, 0, built.stderr);
    assert.match(built.stderr, /WARN: .*host's network.*chmod 0666 \/dev\/net\/tun/);
    assert.match((await open().call(["doctor"], { through })).stdout, /MISSING +\/dev\/net\/tun .*\n.*chmod 0666 \/dev\/net\/tun/);
  });
  test("where it is open: a network of its own, published ports", async () => {
    const through = [...withTun(0o666), ...become(user())];
    await open().ok(["run", "-d", "--name", "web", "-p", "127.0.0.1::80", "busybox", "sh", "-c", "echo page >/index.html; exec httpd -f -p 80 -h /"], {
      through,
    });
    const port = await open().ok(["inspect", "-f", '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', "web"]);
    assert.equal(await fetchText(`http://127.0.0.1:${port}/index.html`), "page\n");
    await open().ok(["rm", "-f", "web"], { through });
  });
  test("where it is open: containers in a network that was made find each other, and the last one ends its keeper", async () => {
    const through = [...withTun(0o666), ...become(user())];
    await open().ok(["network", "create", "shop"]);
    const serve = "echo page >/index.html; exec httpd -f -p 80 -h /";
    await open().ok(["run", "-d", "--name", "web", "--network", "shop", "busybox", "sh", "-c", serve], { through });
    await open().until(["exec", "web", "sh", "-c", "wget -qO- http://127.0.0.1/index.html 2>/dev/null; true"], "page");
    assert.equal(await open().ok(["run", "--rm", "--network", "shop", "busybox", "wget", "-qO-", "http://web/index.html"], { through }), "page");
    await open().ok(["rm", "-f", "web"], { through });
    assert.equal(await open().ok(["network", "prune", "-f"]), "Deleted Networks:\nshop\n");
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
    assert.deepEqual([await open().ok(["images", "-aq"]), await open().ok(["ps", "-aq"])], ["", ""]);
    for (const folder of ["containers", "layers", "steps", "work"]) {
      const place = path.join(open().store, folder);
      assert.deepEqual(existsSync(place) ? readdirSync(place) : [], [], folder);
    }
    // What has ended and was not reaped yet has no command line; what is ending gets a moment.
    const running = (): readonly string[] => processesOf(user()).flatMap(({ words }) => (words === "" || words.endsWith("sleep infinity") ? [] : [words]));
    for (const deadlineMs = Date.now() + 60_000; running().length > 0 && Date.now() < deadlineMs;) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(running(), []);
  });
}

/** Asks until the server answers, at most a minute. */
async function fetchText(url: string): Promise<string> {
  const deadlineMs = Date.now() + 60_000;
  for (;;) {
    try {
      return await (await fetch(url, { signal: AbortSignal.timeout(1000) })).text();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
    }
  }
}

suite("as a user with subordinate ids", { skip }, () => {
  let sandbox: Sandbox | undefined;
  let id: number | undefined;
  const open = (): Sandbox => {
    assert.ok(sandbox !== undefined, "no account could be made on this machine (useradd, newuidmap)");
    return sandbox;
  };
  before(async () => {
    id = addUser();
    if (id !== undefined) sandbox = await createSandbox({ owner: id, through: become(id) });
  });
  after(() => removeUser(sandbox));
  test("other owners than root exist inside, and stay in the image", async () => {
    await open().build("FROM busybox\nRUN touch /x && chown 1234:5678 /x\nRUN test $(stat -c %u:%g /x) = 1234:5678\nUSER 1234\nRUN test $(id -u) = 1234");
  });
  core(open, () => id ?? -1);
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
  after(() => removeUser(sandbox));
  core(open, () => plainId);
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
  after(() => removeUser(sandbox));

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
  test("a build with RUN fails at once and names what is missing", async () => {
    const outcome = await open().buildPlain("FROM busybox\nRUN true\n");
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, /user namespace/i);
    // it does not wait for anything: far below any deadline of ours, however busy the machine is
    assert.ok(outcome.elapsedMs < 30_000, `it took ${Math.round(outcome.elapsedMs)} ms`);
  });
  test("save and load work", async () => {
    const saved = await open().call(["save", "norun"]);
    assert.match(await open().ok(["load"], { input: saved.stdoutBytes }), /Loaded image: norun:latest/);
  });
});
