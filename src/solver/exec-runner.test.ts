import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { ExecOp } from "../graph/op.ts";
import { lower } from "../graph/test-lowering.ts";
import { digestOf } from "../oci/digest.ts";
import { isSlipwayError } from "../base/errors.ts";
import { whyNoContainers } from "../runtime/test-machine.ts";
import { execInputs, execKey, type ExecStep } from "./exec-step.ts";
import { createTestBuilder } from "./test-build.ts";

const reason = whyNoContainers();
const skip = reason === undefined ? {} : { skip: reason };
const builder = createTestBuilder();
after(() => builder[Symbol.dispose]());
const { build, context, store } = builder;

/** Content of the files at the image's root that a build left. */
async function built(dockerfile: string, options: Parameters<typeof build>[1] = {}): Promise<(path: string) => string | undefined> {
  const { files } = await build(dockerfile, options);
  return (path) => {
    const node = files.lookup(path);
    return node?.diskPath === undefined ? undefined : readFileSync(node.diskPath, "utf8").trim();
  };
}

const mountsBelow = (root: string): readonly string[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(root));
const workOf = (): readonly string[] => readdirSync(store.lease().directory).filter((name) => name.startsWith("step"));

describe("a command", { skip: skip.skip ?? false }, () => {
  test("sees its variables, its user, its directory; its output is told", async () => {
    const { output } = await build(
      "FROM busybox\nENV E=1\nARG A=2\nUSER web\nWORKDIR /home/web/w\nRUN echo out $E $A; echo err >&2; id -un; pwd; echo $HOME\n",
    );
    assert.deepEqual(output.split("\n").sort(), ["", "/home/web", "/home/web/w", "err", "out 1 2", "web"]);
  });

  test("that fails names its exit code and leaves nothing mounted", async () => {
    await assert.rejects(build("FROM busybox\nRUN exit 42\n"), (error) => {
      assert.ok(isSlipwayError(error, "PROCESS_FAILED"));
      assert.deepEqual([error.message, error.details["exitCode"]], ['process "/bin/sh -c exit 42" did not complete successfully: exit code: 42', 42]);
      return true;
    });
    assert.deepEqual([workOf(), mountsBelow(store.layout.work)], [[], []]);
  });

  test("as a user that does not exist", async () => {
    await assert.rejects(
      build("FROM busybox\nUSER ghost\nRUN true\n"),
      (error) => isSlipwayError(error, "PROCESS_FAILED") && error.message.endsWith("unable to find user ghost: no matching entries in passwd file"),
    );
  });

  test("leaves in its layer what it did, and no mount point", async () => {
    const { files, chain } = await build("FROM busybox\nRUN --mount=type=tmpfs,target=/t/u --mount=type=cache,target=/c echo 1 > /made; touch /t/u/x\n");
    assert.deepEqual(files.list(""), ["bin", "dev", "etc", "home", "made", "proc", "root", "sys", "tmp"]);
    assert.deepEqual([files.list("etc"), files.list("dev"), chain.length], [["group", "passwd"], [], 2]);
  });

  const mounted: readonly (readonly [flags: string, want: readonly string[]])[] = [
    ["--mount=type=cache,target=/device", ["bin", "dev", "proc", "sys"]],
    ["--mount=type=tmpfs,target=/dev/shm", ["bin", "proc", "sys"]],
  ];
  for (const [flags, want] of mounted) {
    test(`leaves no mount point that a mount of its own stands in: ${flags}`, async () => {
      const { files } = await build(`FROM scratch\nCOPY --from=busybox /bin /bin\nRUN ${flags} true\n`);
      assert.deepEqual(files.list(""), want);
    });
  }

  test("runs programs that lie in memory", async () => {
    const { output } = await build(
      "FROM busybox\nRUN --mount=type=tmpfs,target=/m,size=4m /bin/busybox cp /bin/busybox /m/; /m/busybox grep ' /m ' /proc/mounts\n",
    );
    assert.match(output, /^tmpfs \/m tmpfs rw,nosuid,relatime,size=4096k/);
  });

  test("deletes what lower layers have", async () => {
    const { files } = await build(
      "FROM busybox\nRUN echo 1 > /tmp/a; echo 1 > /tmp/b\nRUN rm /tmp/a; rm -r /home; mkdir /home; echo n > /home/new\n"
        .replaceAll("rm ", "busybox rm ")
        .replaceAll("mkdir ", "busybox mkdir "),
    );
    assert.deepEqual([files.list("tmp"), files.list("home")], [["b"], ["new"]]);
  });

  test("that is canceled ends at once, with nothing left", async () => {
    // far longer than any deadline, and in no other command line of the machine
    const marker = `1000000${process.pid}`;
    const abort = new AbortController();
    const onOutput = (text: string): void => {
      if (text.includes("go")) abort.abort(new Error("enough"));
    };
    const running = build(`FROM busybox\nRUN echo up; sleep 0.3; echo go; sleep ${marker}\n`, { signal: abort.signal, onOutput });
    await assert.rejects(running);
    assert.deepEqual([workOf(), mountsBelow(store.layout.work)], [[], []]);
    assert.ok(!readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(`go; sleep ${marker}`)));
  });

  test("is found in the cache by what it sees, with whatever inputs", async () => {
    const dockerfile = "FROM busybox\nARG V\nRUN echo $V > /v\n";
    await build(dockerfile, { buildArgs: { V: "1" } });
    assert.deepEqual((await build(dockerfile, { buildArgs: { V: "1" } })).ran, {});
    assert.deepEqual(Object.values((await build(dockerfile, { buildArgs: { V: "2" } })).ran), ["ARG V 1 → 2"]);
  });
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

describe("mounts", { skip: skip.skip ?? false }, () => {
  test("bind: the context, fixed; writes are thrown away", async () => {
    mkdirSync(join(context, "d"), { recursive: true });
    writeFileSync(join(context, "d/f"), "ctx");
    if (!existsSync(join(context, "l"))) symlinkSync("d", join(context, "l"));
    const read = await built(
      "FROM busybox\nRUN --mount=target=/c --mount=target=/one,source=d/f --mount=target=/lnk,source=l --mount=target=/rw,source=d,rw cat /c/d/f /one /lnk/f > /o; echo x > /rw/new; ls /rw > /o2; touch /c/d/new || echo ro >> /o2\n",
    );
    assert.deepEqual([read("o"), read("o2"), readdirSync(join(context, "d"))], ["ctxctxctx", "f\nnew\nro", ["f"]]);
  });

  test("bind from a stage: its links count in the stage", async () => {
    const read = await built(
      "FROM busybox AS s\nRUN echo s > /tmp/f; busybox ln -s /tmp /abs\nFROM busybox\nRUN --mount=from=s,source=/abs,target=/m cat /m/f > /o\n",
    );
    assert.equal(read("o"), "s");
  });

  test("bind of what is not there", async () => {
    await assert.rejects(build("FROM busybox\nRUN --mount=source=nope,target=/x true\n"), {
      message: 'failed to compute cache key: failed to calculate checksum of ref context: "/nope": not found',
    });
  });

  test("cache: kept between builds, with owner and mode under the builder's umask", async () => {
    const first = await built("FROM busybox\nRUN --mount=type=cache,id=k,target=/c,uid=5,gid=6,mode=0770 busybox stat -c '%a %u:%g' /c > /o; echo 1 >> /c/n\n");
    const second = await built("FROM busybox\nRUN --mount=type=cache,id=k,target=/d echo 2 >> /d/n; cat /d/n > /o\n");
    assert.deepEqual([first("o"), second("o")], ["750 5:6", "1\n2"]);
  });

  test("cache: a step without cache begins it anew, once in a build", async () => {
    const step = (name: string): string => `FROM busybox AS ${name}\nRUN --mount=type=cache,id=anew,target=/c echo ${name} >> /c/n; cat /c/n > /o\n`;
    const last = "FROM busybox\nCOPY --from=b /o /b\nRUN --mount=type=cache,id=anew,target=/c cat /c/n > /o\n";
    const dockerfile = `${step("a")}${step("b").replace("busybox", "a")}${last}`;
    const read = async (noCache: boolean | ReadonlySet<string>): Promise<string | undefined> => (await built(dockerfile, { noCache }))("o");
    assert.deepEqual([await read(false), await read(true), await read(new Set(["b"])), await read(true)], ["a\nb", "a\nb", "b", "a\nb"]);
  });

  test("cache from a stage begins with its content, owner and mode", async () => {
    const read = await built(
      "FROM busybox AS s\nRUN busybox mkdir -m 1777 /i; echo init > /i/f\nFROM busybox\nRUN --mount=type=cache,id=f,target=/c,from=s,source=/i,mode=700,uid=9 busybox stat -c '%a %u' /c > /o; cat /c/f >> /o\n",
    );
    assert.equal(read("o"), "1777 0\ninit");
  });

  test("cache sharing: private gives a second directory, locked waits", async () => {
    // those that run side by side wait for each other, however slow the machine is; those that may not have nobody to wait for
    const meet = (name: string): string => `> /m/${name}; i=0; while [ ! -e /m/a ] || [ ! -e /m/b ]; do sleep 0.1; i=$((i+1)); [ $i -lt 600 ] || exit 1; done`;
    const step = (sharing: string, name: string): string =>
      `FROM busybox AS ${name}\nRUN --mount=type=cache,id=${sharing},sharing=${sharing},target=/c --mount=type=cache,id=meet-${sharing},target=/m echo ${name} > /c/${name}; ${sharing === "locked" ? "sleep 0.3" : meet(name)}; ls /c > /o\n`;
    const both = async (sharing: string): Promise<readonly (string | undefined)[]> => {
      const read = await built(`${step(sharing, "a")}${step(sharing, "b")}FROM scratch\nCOPY --from=a /o /a\nCOPY --from=b /o /b\n`);
      return [read("a"), read("b")].sort((one, other) => ((one ?? "") < (other ?? "") ? -1 : 1));
    };
    assert.deepEqual(await both("private"), ["a", "b"]);
    const locked = await both("locked");
    assert.ok(locked.includes("a\nb") && (locked.includes("a") || locked.includes("b")), locked.join("|"));
    assert.deepEqual(await both("shared"), ["a\nb", "a\nb"]);
  });

  test("secrets: in memory, for the step alone, in no layer and in no key", async () => {
    const dockerfile =
      "FROM busybox\nRUN --mount=type=secret,id=s,mode=0440,uid=3 --mount=type=secret,id=s,env=S --mount=type=secret,id=none cat /run/secrets/s | busybox wc -c > /o; echo ${#S} >> /o; busybox stat -c '%a %u' /run/secrets/s >> /o; busybox grep -c 'tmpfs.*run/secrets' /proc/mounts >> /o\n";
    const value = "very-secret-value";
    const { files, chain } = await build(dockerfile, { secrets: { s: value } });
    assert.deepEqual([readFileSync(files.lookup("o")?.diskPath ?? "", "utf8").trim(), files.lookup("run")], ["17\n17\n440 3\n1", undefined]);
    assert.deepEqual((await build(dockerfile, { secrets: { s: "another" } })).ran, {});
    const [, directory = ""] = await store.materializer.directories(chain);
    assert.ok(!readFileSync(join(directory, "o"), "utf8").includes(value));
    assert.ok(!readFileSync(store.layout.database).includes(value));
  });

  test("a secret that must be there", async () => {
    await assert.rejects(build("FROM busybox\nRUN --mount=type=secret,id=none,required true\n"), {
      code: "SECRET_NOT_FOUND",
      message: "secret none: not found",
    });
  });

  test("ssh: the variable is there even when nothing was forwarded, unless it must be", async () => {
    assert.equal((await built("FROM busybox\nRUN --mount=type=ssh echo $SSH_AUTH_SOCK > /o\n"))("o"), "/run/buildkit/ssh_agent.0");
    await assert.rejects(build("FROM busybox\nRUN --mount=type=ssh,required true\n"), (error) => isSlipwayError(error, "SSH_NOT_FORWARDED"));
  });

  test("what is over a directory of the image comes back afterwards", async () => {
    const { files } = await build("FROM busybox\nRUN echo k > /tmp/keep\nRUN --mount=type=tmpfs,target=/tmp touch /tmp/x\n");
    assert.deepEqual(files.list("tmp"), ["keep"]);
  });
});

describe("the key of a command", () => {
  const root = lower("FROM busybox\nARG A=1\nRUN --mount=type=cache,target=/c make\n").root;
  assert.ok(root?.op.type === "exec");
  const layer = digestOf("layer");
  const step = (op: Partial<ExecOp>, chain = [layer]): ExecStep => ({
    store,
    vertex: root,
    op: { ...(root.op as ExecOp), ...op },
    inputs: [{ kind: "layers", chain, createdMs: 0 }],
    signal: undefined,
  });

  test("is golden: every cached command hangs on it", () => {
    assert.equal(execKey(step({})), "sha256:e68dd765cf018d0c52c1dffbafffa711cf04d7f2f6da757b4149026d3a0681d9");
  });

  test("changes with the file system below and what the command is, not with proxies", () => {
    const keys = [execKey(step({})), execKey(step({}, [digestOf("other")])), execKey(step({ args: ["x"] })), execKey(step({ mounts: [] }))];
    assert.equal(new Set(keys).size, 4);
    assert.equal(execKey(step({ proxyEnv: ["http_proxy=x"] })), keys[0]);
  });

  test("what explains a miss: arguments apart from variables", () => {
    const inputs = execInputs(step({}));
    assert.deepEqual([inputs["arg:A"], inputs["env:A"], inputs["env:PATH"] !== undefined], ["1", undefined, true]);
  });
});
