import assert from "node:assert/strict";
import { test } from "node:test";
import { SlipwayError } from "../../base/errors.ts";
import type { ContainerSummary, ImageInspect } from "../../engine/api.ts";
import type { PullEvent } from "../../engine/registry-api.ts";
import { formatPlatform, hostPlatform } from "../../oci/index.ts";
import { runInMemory } from "../memory-cli.ts";

const nowMs = Date.parse("2026-11-23T09:42:36Z");

function lookup(ref: string): never {
  throw new SlipwayError("not_found", "NO_SUCH_IMAGE", `No such image: ${ref}:latest`);
}

const containers: readonly ContainerSummary[] = [
  {
    id: "863f55113d09".padEnd(64, "a"),
    name: "cli-c3",
    image: "busybox",
    imageId: undefined,
    command: "echo hi",
    createdSeconds: nowMs / 1000,
    state: "created",
    startedAtMs: undefined,
    finishedAtMs: undefined,
    exitCode: undefined,
    ports: [],
    labels: { a: "b" },
    mounts: [],
    networks: ["bridge"],
  },
  {
    id: "963cb1c55f7e".padEnd(64, "a"),
    name: "cli-c2",
    image: "busybox",
    imageId: undefined,
    command: "sh -c 'exit 3'",
    createdSeconds: nowMs / 1000,
    state: "exited",
    startedAtMs: nowMs,
    finishedAtMs: nowMs,
    exitCode: 3,
    ports: [],
    labels: {},
    mounts: [],
    networks: ["bridge"],
    sizeBytes: 4096,
    virtualSizeBytes: 2074096,
  },
  {
    id: "ddf105e4754b".padEnd(64, "a"),
    name: "cli-c1",
    image: "busybox",
    imageId: undefined,
    command: "sleep 300 and much more of it",
    createdSeconds: nowMs / 1000 - 1,
    state: "running",
    startedAtMs: nowMs - 100,
    finishedAtMs: undefined,
    exitCode: undefined,
    ports: [
      { hostIp: "0.0.0.0", hostPort: 18080, containerPort: 80, protocol: "tcp" },
      { hostIp: "::", hostPort: 18080, containerPort: 80, protocol: "tcp" },
    ],
    labels: {},
    mounts: ["/tmp", "data"],
    networks: ["bridge"],
  },
];

test("ps, as docker lays it out", async () => {
  const world = { engine: { containers: { list: async () => containers } }, nowMs };
  assert.equal(
    (await runInMemory(["ps", "-a"], world)).stdout,
    `CONTAINER ID   IMAGE     COMMAND                  CREATED                  STATUS                              PORTS                                       NAMES
863f55113d09   busybox   "echo hi"                Less than a second ago   Created                                                                         cli-c3
963cb1c55f7e   busybox   "sh -c 'exit 3'"         Less than a second ago   Exited (3) Less than a second ago                                               cli-c2
ddf105e4754b   busybox   "sleep 300 and much …"   1 second ago             Up Less than a second               0.0.0.0:18080->80/tcp, [::]:18080->80/tcp   cli-c1
`,
  );
  assert.equal(
    (await runInMemory(["ps", "--format", '{{.Names}}|{{.Label "a"}}|{{.Mounts}}|{{.LocalVolumes}}'], world)).stdout,
    "cli-c3|b||0\ncli-c2|||0\ncli-c1||/tmp,data|1\n",
  );
  assert.equal(
    (await runInMemory(["ps", "--format", 'table {{.Label "com.foo-bar"}}\\t{{.Names}}'], world)).stdout,
    "foo bar   NAMES\n          cli-c3\n          cli-c2\n          cli-c1\n",
  );
  assert.equal((await runInMemory(["ps", "-a", "--format", "{{.Names}} {{.Size}}"], world)).stdout, "cli-c3 0B\ncli-c2 4.1kB (virtual 2.07MB)\ncli-c1 0B\n");
  assert.match(
    (await runInMemory(["ps", "--format", "{{.Foo}}"], world)).stderr,
    /^failed to execute template: .*: executing "" at <\.Foo>: can't evaluate field Foo in type \*formatter\.ContainerContext\n$/,
  );
});

test("run pulls what is missing and says so on standard error; the container's exit code is ours", async () => {
  const engine = {
    images: { inspect: lookup },
    containers: {
      run: async (_options: unknown, attach?: { onOutput(stream: 1 | 2, data: Uint8Array): void }, onPull?: (event: PullEvent) => void) => {
        onPull?.({ status: "latest: Pulling from library/x" });
        attach?.onOutput(1, Buffer.from("out\n"));
        attach?.onOutput(2, Buffer.from("err\n"));
        return { id: "c0ffee", exitCode: 3 };
      },
      create: async (_options: unknown, onPull?: (event: PullEvent) => void) => {
        onPull?.({ status: "latest: Pulling from library/x" });
        return "c0ffee";
      },
      start: async (id: string) => {
        if (id !== "c0ffee") throw new Error(`started ${id}`);
      },
    },
  };
  assert.deepEqual(await runInMemory(["run", "x", "sh"], { engine }), {
    code: 3,
    stdout: "out\n",
    stderr: "Unable to find image 'x:latest' locally\nlatest: Pulling from library/x\nerr\n",
  });
  assert.deepEqual(await runInMemory(["run", "-q", "x", "sh"], { engine }), { code: 3, stdout: "out\n", stderr: "err\n" });
  assert.deepEqual(await runInMemory(["run", "-d", "0123456789ab"], { engine }), { code: 0, stdout: "c0ffee\n", stderr: "latest: Pulling from library/x\n" });
});

test("run warns of an image for other machines, unless that was asked for", async () => {
  const engine = {
    images: { inspect: () => ({ Os: "linux", Architecture: "s390x" }) as unknown as ImageInspect },
    containers: { create: async () => "c", start: async () => {} },
  };
  const warning = `WARNING: The requested image's platform (linux/s390x) does not match the detected host platform (${formatPlatform(hostPlatform())}) and no specific platform was requested\n`;
  assert.equal((await runInMemory(["run", "-d", "x"], { engine })).stderr, warning);
  assert.equal((await runInMemory(["create", "x"], { engine })).stderr, warning);
  assert.equal((await runInMemory(["run", "-d", "--platform", "linux/s390x", "x"], { engine })).stderr, "");
});

test("run's flags as the engine's options", async () => {
  const seen: Record<string, unknown>[] = [];
  const create = async (options: object) => (seen.push({ ...options }), "c");
  const start = async (): Promise<void> => {};
  const words =
    "run -itd --rm -p8080:80 -e A=1 -e B --mount type=bind,src=/a,dst=/b,ro --mount type=tmpfs,dst=/t,tmpfs-size=1m -v x:/x --entrypoint= --shm-size 64m --network host -l k=v -w /w -u 1:2 a sh -c true";
  await runInMemory(words.split(" "), { engine: { images: { inspect: lookup }, containers: { create, start } } });
  const { signal, ...options } = seen[0]!;
  assert.ok(signal instanceof AbortSignal);
  assert.deepEqual(options, {
    image: "a",
    command: ["sh", "-c", "true"],
    env: ["A=1", "B"],
    publish: ["8080:80"],
    publishAll: false,
    volumes: ["x:/x"],
    mounts: [
      { type: "bind", source: "/a", target: "/b", readOnly: true, nonRecursive: false, noCopy: false },
      { type: "tmpfs", target: "/t", readOnly: false, nonRecursive: false, noCopy: false, tmpfsBytes: 1_048_576 },
    ],
    tmpfs: [],
    labels: { k: "v" },
    addHosts: [],
    capAdd: [],
    capDrop: [],
    ulimits: [],
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    devices: [],
    deviceRules: [],
    groupAdd: [],
    sysctls: [],
    securityOptions: [],
    expose: [],
    volumesFrom: [],
    hostNamespaces: [],
    limits: {},
    tty: true,
    interactive: true,
    remove: true,
    init: false,
    readOnly: false,
    privileged: false,
    pull: "missing",
    entrypoint: [],
    workdir: "/w",
    user: "1:2",
    network: "host",
    shmSizeBytes: 67108864,
  });
});

test("logs go to the stream they came from, with the time before them if asked", async () => {
  const logs = async function* () {
    yield { stream: 1 as const, timestamp: "2026-11-23T09:00:00Z", data: Buffer.from("a\n") };
    yield { stream: 2 as const, timestamp: "2026-11-23T09:00:01Z", data: Buffer.from("b\n") };
  };
  assert.deepEqual(await runInMemory(["logs", "c"], { engine: { containers: { logs } } }), { code: 0, stdout: "a\n", stderr: "b\n" });
  assert.equal((await runInMemory(["logs", "-t", "c"], { engine: { containers: { logs } } })).stdout, "2026-11-23T09:00:00Z a\n");
  assert.equal((await runInMemory(["logs", "-t", "--details", "c"], { engine: { containers: { logs } } })).stdout, "2026-11-23T09:00:00Z  a\n");
  assert.equal((await runInMemory(["logs", "--tail", "x", "c"], { engine: { containers: { logs } } })).stdout, "a\n");
  assert.deepEqual(await runInMemory(["logs", "--since", "foo", "c"], { engine: { containers: { logs } } }), {
    code: 1,
    stdout: "",
    stderr: 'invalid value for "since": failed to parse value as time or duration: "foo"\n',
  });
});

test("what is done to several containers goes on after a failure", async () => {
  const start = async (name: string): Promise<void> => {
    if (name === "b") throw new SlipwayError("not_found", "NO_SUCH_CONTAINER", "No such container: b");
  };
  assert.deepEqual(await runInMemory(["start", "a", "b", "c"], { engine: { containers: { start } } }), {
    code: 1,
    stdout: "a\nc\n",
    stderr: "Error response from daemon: No such container: b\nError: failed to start containers: b\n",
  });
});

test("run's limits and what it shares with the host", async () => {
  const seen: Record<string, unknown>[] = [];
  const create = async (options: object) => (seen.push({ ...options }), "c");
  const engine = { images: { inspect: lookup }, containers: { create, start: async (): Promise<void> => {} } };
  const words =
    "run -d -m 64m --memory-swap -1 --cpus 3/2 --pids-limit 9 --cpuset-cpus 0-1 --pid host --ipc private --uts host --dns 9.9.9.9 --sysctl net.a=b a";
  await runInMemory(words.split(" "), { engine });
  const { limits, hostNamespaces, dns, sysctls } = seen[0]!;
  assert.deepEqual(
    [limits, hostNamespaces, dns, sysctls],
    [{ memoryBytes: 67108864, memorySwapBytes: -1, cpus: 1.5, cpusetCpus: "0-1", pidsLimit: 9 }, ["pid", "uts"], ["9.9.9.9"], ["net.a=b"]],
  );
});

const refusals: readonly (readonly [words: string, line: string])[] = [
  ["--dns foo", 'invalid argument "foo" for "--dns" flag: IP address is not correctly formatted: foo'],
  ["--sysctl kernel.foo=1", `invalid argument "kernel.foo=1" for "--sysctl" flag: sysctl 'kernel.foo=1' is not allowed`],
  ["--sysctl foo", `invalid argument "foo" for "--sysctl" flag: sysctl 'foo' is not allowed`],
  ["--add-host foo:bar", 'invalid argument "foo:bar" for "--add-host" flag: invalid IP address in add-host: "bar"'],
  ["--pid foo", "slipway: --pid: invalid PID mode"],
  ["--expose foo", 'slipway: invalid range format for --expose: foo, error: strconv.ParseUint: parsing "foo": invalid syntax'],
];
for (const [words, line] of refusals) {
  test(`run ${words} is refused`, async () => {
    const { code, stderr } = await runInMemory(["run", ...words.split(" "), "a"]);
    assert.deepEqual([code, stderr.split("\n")[0]], [125, line]);
  });
}
