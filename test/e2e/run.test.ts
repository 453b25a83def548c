/** Containers from end to end: in front, in the background, published, entered, stopped, removed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { cgroupKind, cgroupsWritable } from "../../src/runtime/cgroups.ts";
import { findInit } from "../../src/runtime/container-init.ts";
import { freePort } from "./free-port.ts";
import { createSandbox, slipwayPath } from "./sandbox.ts";

const limitsSkip = cgroupsWritable(cgroupKind()) ? false : "control groups cannot be written";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

/** Denies by name, by what the container may not, and not by what it may. */
const profile = path.join(sandbox.directory, "profile.json");
writeFileSync(
  profile,
  JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    archMap: [
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] },
      { architecture: "SCMP_ARCH_AARCH64", subArchitectures: [] },
    ],
    syscalls: [
      { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 13, args: [], excludes: { caps: ["CAP_SYS_ADMIN"] } },
      { names: ["rmdir", "unlinkat"], action: "SCMP_ACT_ERRNO", errnoRet: 13, includes: { caps: ["CAP_SYS_ADMIN"] } },
      { names: ["chmod", "fchmodat"], action: "SCMP_ACT_ERRNO", includes: { minKernel: "3.0" } },
    ],
  }),
);

/** Asks until the server answers, at most a minute. */
async function fetchText(url: string): Promise<string> {
  const deadlineMs = Date.now() + 60_000;
  for (;;) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
      if (response.ok) return await response.text();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
    }
    if (Date.now() > deadlineMs) throw new Error(`${url} never answered`);
  }
}

const foreground: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly want: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}[] = [
  { name: "a command", args: ["busybox", "echo", "hi"], want: "hi\n" },
  { name: "the image's own command", args: ["cmd"], want: "from CMD\n" },
  { name: "standard input with -i", args: ["-i", "busybox", "cat"], input: "piped", want: "piped" },
  { name: "no standard input without -i", args: ["busybox", "cat"], input: "piped", want: "" },
  { name: "-e", args: ["-e", "A=1", "-e", "B", "busybox", "sh", "-c", "echo $A$B"], env: { B: "2" }, want: "12\n" },
  { name: "-w", args: ["-w", "/made", "busybox", "pwd"], want: "/made\n" },
  { name: "-u", args: ["-u", "nobody", "busybox", "id", "-un"], want: "nobody\n" },
  { name: "-u uid:gid", args: ["-u", "12:34", "busybox", "sh", "-c", "id -u; id -g"], want: "12\n34\n" },
  { name: "--entrypoint", args: ["--entrypoint", "echo", "busybox", "in place"], want: "in place\n" },
  { name: "--hostname", args: ["--hostname", "here", "busybox", "hostname"], want: "here\n" },
  { name: "--network none", args: ["--network", "none", "busybox", "sh", "-c", "grep -c : /proc/net/dev"], want: "1\n" },
  { name: "--read-only", args: ["--read-only", "busybox", "sh", "-c", "touch /x 2>/dev/null || echo refused"], want: "refused\n" },
  { name: "--tmpfs", args: ["--tmpfs", "/t", "busybox", "sh", "-c", "grep -c ' /t tmpfs ' /proc/mounts"], want: "1\n" },
  { name: "--tmpfs with a mode", args: ["--tmpfs", "/t:size=1m,mode=700", "busybox", "stat", "-c", "%a", "/t"], want: "700\n" },
  { name: "--group-add", args: ["--group-add", "1234", "busybox", "id", "-G"], want: "0 1234\n" },
  {
    name: "--dns",
    args: ["--dns", "9.9.9.9", "--dns-search", "x.y", "--dns-option", "ndots:2", "busybox", "cat", "/etc/resolv.conf"],
    want: "nameserver 9.9.9.9\nsearch x.y\noptions ndots:2\n",
  },
  { name: "--sysctl", args: ["--sysctl", "net.ipv4.ip_forward=1", "busybox", "cat", "/proc/sys/net/ipv4/ip_forward"], want: "1\n" },
  { name: "--domainname", args: ["--domainname", "d.e", "busybox", "cat", "/proc/sys/kernel/domainname"], want: "d.e\n" },
  { name: "--oom-score-adj", args: ["--oom-score-adj", "500", "busybox", "cat", "/proc/self/oom_score_adj"], want: "500\n" },
  { name: "--security-opt", args: ["--security-opt", "no-new-privileges", "busybox", "sh", "-c", "grep -c 'NoNewPrivs:.1' /proc/self/status"], want: "1\n" },
  {
    name: "--security-opt with a seccomp profile of one's own",
    args: ["--security-opt", `seccomp=${profile}`, "busybox", "sh", "-c", "mkdir /x 2>&1; chmod 700 /tmp 2>&1; rmdir /nothing 2>&1; echo fine >/y && cat /y"],
    want: "mkdir: can't create directory '/x': Permission denied\nchmod: /tmp: Operation not permitted\nrmdir: '/nothing': No such file or directory\nfine\n",
  },
  {
    name: "--security-opt systempaths=unconfined",
    args: ["--security-opt", "systempaths=unconfined", "busybox", "sh", "-c", "grep -c ' /proc/[a-z]' /proc/self/mountinfo || true"],
    want: "0\n",
  },
  { name: "--pid host", args: ["--pid", "host", "busybox", "sh", "-c", "test $$ -ne 1 && echo shared"], want: "shared\n" },
  { name: "its own process tree", args: ["busybox", "sh", "-c", "echo $$"], want: "1\n" },
];

test("prepare an image with a command", async () => {
  await sandbox.build('FROM busybox\nENTRYPOINT ["echo"]\nCMD ["from CMD"]', {}, ["-t", "cmd"]);
});
for (const { name, args, want, input, env } of foreground) {
  test(`run --rm: ${name}`, async () => {
    const outcome = await sandbox.call(["run", "--rm", ...args], { ...(input === undefined ? {} : { input }), ...(env === undefined ? {} : { env }) });
    assert.deepEqual([outcome.code, outcome.stdout], [0, want], outcome.stderr);
  });
}

test("exit codes and streams pass through", async () => {
  const outcome = await sandbox.call(["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 42"]);
  assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [42, "out\n", "err\n"]);
});

test("--rm leaves nothing, without it the container stays", async () => {
  const before = await sandbox.ok(["ps", "-aq"]);
  await sandbox.ok(["run", "--rm", "--name", "goes", "busybox", "true"]);
  assert.equal(await sandbox.ok(["ps", "-aq"]), before);
  await sandbox.ok(["run", "--name", "stays", "busybox", "true"]);
  assert.equal(
    await sandbox.ok(["ps", "-a", "--filter", "name=stays", "--format", "{{.Names}} {{.Status}}"]).then((text) => /^stays Exited \(0\) .* ago$/.test(text)),
    true,
  );
  await sandbox.ok(["rm", "stays"]);
  assert.equal(await sandbox.ok(["ps", "-aq"]), before);
});

test("-v binds a folder both ways, :ro one way", async () => {
  const folder = path.join(sandbox.directory, "bound");
  mkdirSync(folder);
  writeFileSync(path.join(folder, "in"), "from outside");
  assert.equal(await sandbox.ok(["run", "--rm", "-v", `${folder}:/b`, "busybox", "sh", "-c", "cat /b/in; echo from inside >/b/out"]), "from outside");
  assert.equal(readFileSync(path.join(folder, "out"), "utf8"), "from inside\n");
  assert.equal(await sandbox.ok(["run", "--rm", "-v", `${folder}:/b:ro`, "busybox", "sh", "-c", "touch /b/x 2>/dev/null || echo refused"]), "refused");
});

test("a web server in the background: published, entered, logged, stopped, removed", async () => {
  const port = await freePort();
  await sandbox.build(
    'FROM busybox\nRUN mkdir /www && echo "Hello from the container" >/www/index.html\nEXPOSE 80\nSTOPSIGNAL SIGINT\nCMD ["sh", "-c", "echo serving; exec httpd -f -p 80 -h /www"]',
    {},
    ["-t", "web"],
  );
  const id = await sandbox.ok(["run", "-d", "-p", `127.0.0.1:${port}:80`, "--name", "web", "web"]);
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.equal(await fetchText(`http://127.0.0.1:${port}/`), "Hello from the container\n");

  const listed = await sandbox.ok(["ps", "--no-trunc", "--filter", "name=web", "--format", "{{.ID}} {{.Names}} {{.Image}} {{.Ports}}"]);
  assert.equal(listed, `${id} web web 127.0.0.1:${port}->80/tcp`);
  assert.match(await sandbox.ok(["ps", "--filter", "name=web", "--format", "{{.Status}}"]), /^Up (Less than a second|\d+ seconds?|About a minute)/);
  assert.match(await sandbox.ok(["ps"]), /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/);

  assert.equal(await sandbox.ok(["exec", "web", "cat", "/www/index.html"]), "Hello from the container");
  assert.equal((await sandbox.call(["exec", "web", "sh", "-c", "exit 7"])).code, 7);
  assert.equal(await sandbox.ok(["exec", "-i", "-e", "A=1", "-w", "/www", "web", "sh", "-c", "pwd; echo $A; cat"], { input: "in" }), "/www\n1\nin");
  await sandbox.ok(["exec", "web", "sh", "-c", "echo changed >/www/index.html"]);
  assert.equal(await fetchText(`http://127.0.0.1:${port}/`), "changed\n");

  assert.equal(await sandbox.ok(["logs", "web"]), "serving");
  assert.match(await sandbox.ok(["logs", "-t", "--tail", "1", "web"]), /^\d{4}-\d\d-\d\dT[\d:.]+Z serving$/);
  assert.equal(await sandbox.ok(["inspect", "-f", "{{.State.Running}} {{.Config.Image}}", "web"]), "true web");

  const taken = await sandbox.call(["run", "-d", "-p", `127.0.0.1:${port}:80`, "web"]);
  assert.equal(taken.code, 125, taken.stderr);
  assert.match(taken.stderr, /port is already allocated|address already in use/);
  const named = await sandbox.call(["run", "-d", "--name", "web", "web"]);
  assert.deepEqual([named.code, /The container name "\/web" is already in use by container/.test(named.stderr)], [125, true], named.stderr);

  const refused = await sandbox.call(["rm", "web"]);
  assert.match(refused.stderr, /cannot remove container "\/?web": container is running: stop the container before removing or force remove/);
  assert.equal(await sandbox.ok(["stop", "-t", "5", "web"]), "web");
  assert.match(await sandbox.ok(["ps", "-a", "--filter", "name=web", "--format", "{{.Status}}"]), /^Exited \(\d+\)/);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  await sandbox.ok(["start", "web"]);
  assert.equal(await fetchText(`http://127.0.0.1:${port}/`), "changed\n");
  assert.equal(await sandbox.ok(["rm", "-f", "web"]), "web");
});

test("logs -f follows to the end", async () => {
  await sandbox.ok(["run", "-d", "--name", "talks", "busybox", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done"]);
  assert.equal(await sandbox.ok(["logs", "-f", "talks"]), "1\n2\n3");
  assert.equal(await sandbox.ok(["wait", "talks"]), "0");
});

test("stop sends the signal, then kills after the time", async () => {
  await sandbox.ok(["run", "-d", "--name", "polite", "busybox", "sh", "-c", 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done']);
  await sandbox.ok(["run", "-d", "--name", "stubborn", "busybox", "sh", "-c", 'trap "" TERM; echo ready; while :; do sleep 0.1; done']);
  for (const name of ["polite", "stubborn"]) await sandbox.until(["logs", name], "ready");
  await sandbox.ok(["stop", "-t", "5", "polite"]);
  assert.equal(await sandbox.ok(["inspect", "-f", "{{.State.ExitCode}}", "polite"]), "3");
  await sandbox.ok(["stop", "-t", "1", "stubborn"]);
  assert.equal(await sandbox.ok(["inspect", "-f", "{{.State.ExitCode}}", "stubborn"]), "137");
});

test("exec -d leaves a process in the background; with -t there is a terminal without ours", async () => {
  await sandbox.ok(["run", "-d", "--name", "entered", "busybox", "sleep", "1000"]);
  assert.equal(await sandbox.ok(["exec", "-d", "entered", "sh", "-c", "echo begun >/begun; exec sleep 1000"]), "");
  await sandbox.until(["exec", "entered", "sh", "-c", "cat /begun 2>/dev/null; true"], "begun");
  const missing = await sandbox.call(["exec", "-d", "entered", "nosuch"]);
  assert.deepEqual([missing.code, missing.stdout], [1, ""]);
  assert.match(missing.stderr, /^Error response from daemon: OCI runtime exec failed: .*"nosuch": executable file not found in \$PATH\n$/);
  const terminal = await sandbox.call(["exec", "-t", "entered", "sh", "-c", "echo a; exit 3"]);
  assert.deepEqual([terminal.code, terminal.stdout], [3, "a\r\n"], terminal.stderr);
  const outside = await sandbox.call(["exec", "-w", "/nosuch", "entered", "true"]);
  assert.match(outside.stderr, /chdir to cwd \("\/nosuch"\) set in config\.json failed: no such file or directory\n$/);
  await sandbox.ok(["rm", "-f", "entered"]);
});

test("start -a gives the output of the new run alone, and its exit code", async () => {
  await sandbox.ok(["create", "--name", "later", "-i", "busybox", "sh", "-c", "echo out; cat; echo err >&2; exit 3"]);
  for (const input of ["one\n", "two\n"]) {
    const outcome = await sandbox.call(["start", "-ai", "later"], { input });
    assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [3, `out\n${input}`, "err\n"]);
  }
  await sandbox.ok(["create", "--name", "broken", "busybox", "nosuch"]);
  const broken = await sandbox.call(["start", "-a", "broken"]);
  assert.deepEqual([broken.code, broken.stderr.endsWith('"nosuch": executable file not found in $PATH\n')], [1, true], broken.stderr);
  const two = await sandbox.call(["start", "-a", "later", "broken"]);
  assert.deepEqual([two.code, two.stderr], [1, "you cannot start and attach multiple containers at once\n"]);
  await sandbox.ok(["rm", "later", "broken"]);
});

test("restart, rename and port", async () => {
  const port = await freePort();
  const id = await sandbox.ok([
    "run",
    "-d",
    "--name",
    "old",
    "-p",
    `127.0.0.1:${port}:80`,
    "-p",
    "127.0.0.1::53/udp",
    "busybox",
    "sh",
    "-c",
    "echo up; exec sleep 1000",
  ]);
  assert.match(await sandbox.ok(["port", "old"]), new RegExp(`^53/udp -> 127\\.0\\.0\\.1:\\d+\n80/tcp -> 127\\.0\\.0\\.1:${port}$`));
  assert.equal(await sandbox.ok(["port", "old", "80"]), `127.0.0.1:${port}`);
  const other = await sandbox.call(["port", "old", "81"]);
  assert.deepEqual([other.code, other.stderr], [1, "Error: No public port '81' published for old\n"]);

  const started = ["inspect", "-f", "{{.State.StartedAt}}", id];
  const before = await sandbox.ok(started);
  assert.equal(await sandbox.ok(["restart", "-t", "0", "old"]), "old");
  assert.notEqual(await sandbox.ok(started), before);
  await sandbox.until(["logs", "old"], "up\nup");

  await sandbox.ok(["create", "--name", "taken", "busybox"]);
  assert.equal(await sandbox.ok(["rename", "old", "new"]), "");
  assert.equal(await sandbox.ok(["ps", "--filter", "name=new", "--format", "{{.Names}}"]), "new");
  const refusals: readonly (readonly [from: string, to: string, reason: RegExp])[] = [
    ["nosuch", "x", /No such container: nosuch/],
    ["new", "taken", /Error when allocating new name: Conflict\. The container name "\/taken" is already in use by container/],
    ["new", "a b", /Error when allocating new name: Invalid container name \(\/a b\), only/],
    ["new", "new", /Renaming a container with the same name as its current name/],
  ];
  for (const [from, to, reason] of refusals) {
    const { code, stderr } = await sandbox.call(["rename", from, to]);
    assert.equal(code, 1);
    assert.match(stderr, reason);
    assert.ok(stderr.endsWith(`\nError: failed to rename container named ${from}\n`), stderr);
  }
  await sandbox.ok(["rm", "-f", "new", "taken"]);
});

test(
  "--init: a first process that hands signals on, and the command as its child",
  { skip: findInit() === undefined ? "no init is installed" : false },
  async () => {
    assert.equal(
      await sandbox.ok(["run", "--rm", "--init", "busybox", "sh", "-c", "tr '\\0' ' ' </proc/1/cmdline | cut -d' ' -f1,2; test $$ -ne 1 && echo child"]),
      "/sbin/docker-init --\nchild",
    );
    await sandbox.ok(["run", "-d", "--init", "--name", "reaped", "busybox", "sleep", "1000"]);
    // without it the first process would not hear of a signal that it has no handler for
    await sandbox.ok(["stop", "-t", "60", "reaped"]);
    assert.equal(await sandbox.ok(["wait", "reaped"]), "143");
    await sandbox.ok(["rm", "reaped"]);
  },
);

test("limits reach the control groups", { skip: limitsSkip }, async () => {
  const args = ["--cpus", "0.5", "--pids-limit", "50", "-m", "64m"];
  const script =
    cgroupKind() === "v2"
      ? "cd /sys/fs/cgroup; cat pids.max memory.max cpu.max"
      : "cd /sys/fs/cgroup; cat pids/pids.max memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us";
  const want = cgroupKind() === "v2" ? "50\n67108864\n50000 100000" : "50\n67108864\n50000";
  assert.equal(await sandbox.ok(["run", "--rm", ...args, "busybox", "sh", "-c", script]), want);
});

test("--volumes-from shares another container's mounts, and does not take them along", async () => {
  await sandbox.ok(["run", "--name", "owner", "-v", "/data", "busybox", "sh", "-c", "echo x >/data/f"]);
  assert.equal(await sandbox.ok(["run", "--rm", "--volumes-from", "owner", "busybox", "cat", "/data/f"]), "x");
  assert.equal(await sandbox.ok(["run", "--rm", "--volumes-from", "owner:ro", "busybox", "sh", "-c", "touch /data/g 2>/dev/null || cat /data/f"]), "x");
  await sandbox.ok(["rm", "-v", "owner"]);
  assert.deepEqual(readdirSync(path.join(sandbox.store, "volumes")), []);
});

test("--cidfile: without a place for the id no container is made", async () => {
  const file = path.join(sandbox.directory, "cid");
  await sandbox.ok(["run", "--rm", "--cidfile", file, "busybox", "true"]);
  assert.match(readFileSync(file, "utf8"), /^[0-9a-f]{64}$/);
  for (const [place, reason] of [
    [file, /container ID file found/],
    ["/nosuch/cid", /failed to create the container ID file: open \/nosuch\/cid: no such file/],
  ] as const) {
    const outcome = await sandbox.call(["run", "--name", "untold", "--cidfile", place, "busybox", "true"]);
    assert.equal(outcome.code, 125);
    assert.match(outcome.stderr, reason);
  }
  assert.equal(await sandbox.ok(["ps", "-aq", "--filter", "name=untold"]), "");
});

test("a range of host ports gives each container a free one", async () => {
  const first = await freePort(5);
  const range = `127.0.0.1:${first}-${first + 4}:80`;
  for (const name of ["one", "two"]) await sandbox.ok(["run", "-d", "--name", name, "-p", range, "busybox", "sleep", "1000"]);
  const [one, two] = [await sandbox.ok(["port", "one", "80"]), await sandbox.ok(["port", "two", "80"])];
  assert.notEqual(one, two);
  for (const text of [one, two]) assert.ok(Number(text.split(":")[1]) - first <= 4, text);
  await sandbox.ok(["rm", "-f", "one", "two"]);
});

test("sizes: what a container wrote, and what it sees", async () => {
  await sandbox.ok(["run", "--name", "sized", "busybox", "sh", "-c", "head -c 100000 /dev/zero >/zeros"]);
  assert.match(await sandbox.ok(["ps", "-as", "--filter", "name=sized", "--format", "{{.Size}}"]), /^1\d\d(\.\d)?kB \(virtual [\d.]+MB\)$/);
  const sizes = await sandbox.ok(["inspect", "-s", "-f", "{{.SizeRw}} {{.SizeRootFs}}", "sized"]);
  const [written = 0, seen = 0] = sizes.split(" ").map(Number);
  assert.ok(written >= 100_000 && seen > written, sizes);
  await sandbox.ok(["rm", "sized"]);
});

test("the environment stands in Docker's order", async () => {
  const env = await sandbox.ok(["run", "--rm", "--hostname", "h", "-e", "B=1", "-e", "PATH=/bin", "busybox", "env"]);
  assert.equal(env, "PATH=/bin\nHOSTNAME=h\nB=1\nHOME=/root");
});

test("an intermediate result runs by the id of its image", async () => {
  const id = await sandbox.build("FROM busybox AS half\nRUN echo half >/h\nFROM half\nRUN exit 0", {}, ["--target", "half"]);
  assert.equal(await sandbox.ok(["run", "--rm", id, "cat", "/h"]), "half");
});

test("a finished step runs by the id that `system df -v` shows", async () => {
  const failed = await sandbox.buildPlain("FROM busybox\nWORKDIR /w\nRUN echo step >made\nRUN exit 9");
  assert.equal(failed.code, 1, failed.stderr);
  const usage = await sandbox.ok(["system", "df", "-v"]);
  const rows = usage.slice(usage.indexOf("CACHE ID")).split("\n").slice(1);
  const ids = rows.map((row) => row.split(" ", 1)[0] ?? "").filter((id) => /^[0-9a-f]{12}$/.test(id));
  const outputs = await Promise.all(ids.map((id) => sandbox.call(["run", "--rm", id, "sh", "-c", "cat made; pwd"])));
  assert.ok(
    outputs.some(({ code, stdout }) => code === 0 && stdout === "step\n/w\n"),
    usage,
  );
});

const interrupts: readonly { readonly name: string; readonly signal: NodeJS.Signals; readonly trap: string; readonly code: number }[] = [
  { name: "Ctrl-C", signal: "SIGINT", trap: "INT", code: 130 },
  { name: "a request to end", signal: "SIGTERM", trap: "TERM", code: 143 },
  { name: "a signal of the program's own", signal: "SIGUSR1", trap: "USR1", code: 5 },
];
for (const { name, signal, trap, code } of interrupts) {
  test(`in the foreground ${name} goes to the container, whose exit code is ours`, async () => {
    const before = await sandbox.ok(["ps", "-aq"]);
    const script = `trap 'echo caught; exit ${code}' ${trap}; echo ready; while :; do sleep 0.05; done`;
    const child = spawn(slipwayPath, ["run", "--rm", "busybox", "sh", "-c", script], {
      cwd: sandbox.directory,
      env: sandbox.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output === "ready\n") child.kill(signal);
    });
    assert.deepEqual([await once(child, "close"), output], [[code, null], "ready\ncaught\n"]);
    assert.equal(await sandbox.ok(["ps", "-aq"]), before);
  });
}

test("the container is confined", async () => {
  const script =
    "grep CapEff /proc/self/status | cut -f2; grep Seccomp: /proc/self/status | cut -f2; touch /proc/sys/x 2>/dev/null || echo ro; cat /proc/kcore 2>/dev/null | head -c 1 | wc -c";
  const [capabilities, seccomp, sys, kcore] = (await sandbox.ok(["run", "--rm", "busybox", "sh", "-c", script])).split("\n");
  assert.deepEqual([capabilities, sys, kcore], ["00000000a80425fb", "ro", "0"]);
  assert.match(seccomp ?? "", /^[02]$/);
});

test("network: the container reaches the host's name server file and its own address", async () => {
  assert.match(await sandbox.ok(["run", "--rm", "busybox", "sh", "-c", "cat /etc/resolv.conf"]), /nameserver /);
  const names = (await sandbox.ok(["run", "--rm", "--hostname", "self", "busybox", "cat", "/etc/hosts"])).split("\n");
  assert.ok(
    names.some((line) => /\bself\b/.test(line)),
    names.join("\n"),
  );
});
