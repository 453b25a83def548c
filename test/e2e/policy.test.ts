/** Policies at every door, with a registry of the distribution's own and keys that were made for the test. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { after, describe, test } from "node:test";
import { scheduler } from "node:timers/promises";
import { startRegistry } from "../lab/registry.ts";
import { listProcesses } from "./processes.ts";
import { createSandbox, type Outcome } from "./sandbox.ts";

const { createServer, request } = process.getBuiltinModule("node:http");
const absent = spawnSync("docker-registry", ["--version"]).error !== undefined;

describe("policies", { skip: absent ? "needs docker-registry (Debian package docker-registry)" : false }, async () => {
  if (absent) return;
  const password = { env: { SLIPWAY_KEY_PASSWORD: "pw" } };
  const sandbox = await createSandbox();
  const registry = await startRegistry(sandbox.directory);
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
  const host = registry.address;
  const home = path.join(sandbox.directory, "home");
  for (const name of ["ours", "others"]) await sandbox.ok(["key", "generate", "-o", path.join(home, name)], password);

  const bill = String.raw`echo '{\"predicateType\":\"https://spdx.dev/Document\",\"predicate\":{}}' >$BUILDKIT_SCAN_DESTINATION/sbom.json`;
  /** Builds and pushes; the store keeps nothing of it. Answers the digest. */
  async function publish(name: string, content: string, key?: string): Promise<string> {
    await sandbox.build(`FROM busybox\nCOPY f /content\nCMD ["sh", "-c", "test -z $BUILDKIT_SCAN_DESTINATION || ${bill}"]\n`, { f: content }, ["-t", name]);
    const pushed = await sandbox.ok(["push", name]);
    if (key !== undefined) await sandbox.ok(["sign", "--key", path.join(home, `${key}.key`), name], password);
    await sandbox.ok(["rmi", "-f", name]);
    return /sha256:[0-9a-f]{64}/.exec(pushed.split("\n").at(-1) ?? "")?.[0] ?? "";
  }
  const signed = `${host}/acme/signed:1`;
  const signedDigest = await publish(signed, "signed", "ours");
  const unsigned = `${host}/acme/unsigned:1`;
  const unsignedDigest = await publish(unsigned, "unsigned");
  const forged = `${host}/acme/forged:1`;
  await publish(forged, "forged", "others");
  const free = `${host}/free/app:1`;
  await publish(free, "free");
  const forbidden = `${host}/forbidden/app:1`;
  await publish(forbidden, "forbidden");

  const rules = {
    version: 1,
    // the base that these tests build on
    loaded: "accept",
    scopes: { [`${host}/acme`]: { signed: [{ keys: "ours.pub" }] }, [`${host}/free`]: { accept: true } },
    default: { reject: true, reason: "ask the platform team" },
  };
  let files = 0;
  function policyFile(body: object | string): string {
    const file = path.join(home, `policy-${(files += 1)}.json`);
    writeFileSync(file, typeof body === "string" ? body : JSON.stringify(body, null, 2), { mode: 0o644 });
    return file;
  }
  const policy = policyFile(rules);
  const with_ = (file: string, ...words: readonly string[]): readonly string[] => ["--policy", file, ...words];
  const clean = async (...names: readonly string[]): Promise<void> => void (await sandbox.call(["rmi", "-f", ...names]));

  interface Door {
    readonly name: string;
    readonly words: (image: string) => readonly string[];
  }
  const doors: readonly Door[] = [
    { name: "pull", words: (image) => ["pull", image] },
    { name: "run", words: (image) => ["run", "--rm", "--network=none", image, "true"] },
    { name: "create", words: (image) => ["create", image] },
    { name: "FROM", words: (image) => ["build", "--progress=plain", sandbox.folder({ Dockerfile: `FROM ${image}\nRUN true\n` })] },
    {
      name: "--sbom=generator",
      words: (image) => [
        "build",
        "--progress=plain",
        `--sbom=generator=${image}`,
        "-o",
        `type=tar,dest=${path.join(sandbox.directory, "scanned.tar")}`,
        sandbox.folder({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" }),
      ],
    },
    { name: "COPY --from", words: (image) => ["build", "--progress=plain", sandbox.folder({ Dockerfile: `FROM scratch\nCOPY --from=${image} /content /\n` })] },
    {
      name: "RUN --mount",
      words: (image) => ["build", "--progress=plain", sandbox.folder({ Dockerfile: `FROM busybox\nRUN --mount=from=${image},target=/m true\n` })],
    },
  ];
  const copies = [{ name: "copy into the store", words: (image: string) => ["copy", `docker://${image}`, "store:copied:1"] }];
  const images: readonly { readonly name: string; readonly image: string; readonly refused: RegExp | undefined }[] = [
    { name: "signed", image: signed, refused: undefined },
    { name: "of a scope that is free", image: free, refused: undefined },
    {
      name: "not signed",
      image: unsigned,
      refused: /policy refuses .*unsigned(?::1)?@sha256:[0-9a-f]{64}: it has no signature \(rule signed of ".*\/acme", .*policy-1\.json:5\)/,
    },
    { name: "signed by somebody else", image: forged, refused: /no signature is accepted/ },
    { name: "of no scope", image: forbidden, refused: /policy refuses .*: ask the platform team \(rule reject of default, / },
  ];
  for (const { name, words } of copies) {
    test(name, async () => {
      await sandbox.ok(with_(policy, ...words(signed)));
      assert.match((await sandbox.call(with_(policy, ...words(unsigned)))).stderr, /policy refuses/);
      await clean("copied:1");
    });
  }
  for (const { name: door, words } of doors) {
    for (const { name, image, refused } of images) {
      test(`${door}: an image that is ${name}, from the registry and from the store`, async () => {
        await clean(image);
        const answers = async (): Promise<Outcome> => await sandbox.call(with_(policy, ...words(image)));
        const before = await answers();
        await sandbox.ok(["pull", "-q", image]);
        const here = door === "pull" ? before : await answers();
        for (const outcome of [before, here]) {
          assert.equal(outcome.code !== 0, refused !== undefined, outcome.stderr);
          if (refused !== undefined) assert.match(outcome.stderr, refused);
        }
        if (door !== "pull" && refused !== undefined)
          assert.match(here.stderr, /Hint: to use exactly this image all the same.*: --policy-override sha256:[0-9a-f]{64}=REASON/);
      });
    }
  }

  test("an override is for one digest, wants a reason, and is recorded", async () => {
    await clean(unsigned);
    const override = `${unsignedDigest}=incident 17`;
    const used = await sandbox.call(["--policy", policy, "--policy-override", override, "pull", unsigned]);
    assert.equal(used.code, 0, used.stderr);
    assert.match(used.stderr, /WARNING: policy .* is overridden for .*unsigned:1@sha256/);
    await sandbox.ok(["run", "--rm", "--network=none", unsigned, "true"], { env: { SLIPWAY_POLICY: policy, SLIPWAY_POLICY_OVERRIDE: override } });
    const log = await sandbox.ok(["policy", "log"]);
    assert.match(log, /override pull .*unsigned:1@sha256[\s\S]*because: incident 17[\s\S]*override run /);
    const entries = (await sandbox.ok(["policy", "log", "-o", "json"])).split("\n").map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
    assert.deepEqual(
      entries.slice(0, 2).map(({ kind, use, digest, rule, because }) => [kind, use, digest, rule, because]),
      ["pull", "run"].map((use) => ["override", use, unsignedDigest, "signed", "incident 17"]),
    );
    for (const wrong of [`${signedDigest}=other`, unsignedDigest, `${unsignedDigest}= `, "all=please"]) {
      assert.notEqual((await sandbox.call(["--policy", policy, "--policy-override", wrong, "pull", unsigned])).code, 0, wrong);
    }
    const strict = policyFile({ ...rules, override: false });
    const refused = await sandbox.call(["--policy", strict, "--policy-override", override, "pull", unsigned]);
    assert.match(refused.stderr, /this policy is not to be overridden/);
  });

  describe("a container that is there already is judged when it is started:", () => {
    const made = async (image: string, name: string, ...flags: readonly string[]): Promise<void> => {
      await sandbox.ok(["pull", "-q", image]);
      await sandbox.ok(["create", "--name", name, "--network=none", ...flags, image, "sleep", "600"]);
    };
    const stateOf = async (name: string): Promise<string> => await sandbox.ok(["inspect", "-f", "{{.State.Status}}", name]);
    const refusal =
      /policy refuses .*unsigned@sha256:[0-9a-f]{64}: it has no signature \(rule signed of .*\nHint: to use exactly this image all the same.*--policy-override sha256:/;
    const ways: readonly { readonly name: string; readonly words: readonly string[] }[] = [
      { name: "start", words: ["start", "late"] },
      { name: "start --attach", words: ["start", "-a", "late"] },
      { name: "restart", words: ["restart", "late"] },
    ];
    for (const { name, words } of ways) {
      test(name, async () => {
        await made(unsigned, "late");
        const { code, stderr } = await sandbox.call(with_(policy, ...words));
        assert.equal(code, 1);
        assert.match(stderr, refusal);
        assert.equal(await stateOf("late"), "created");
        await sandbox.ok(["rm", "late"]);
      });
    }

    test("accepted ones start, an override starts and is noted, audit only notes", async () => {
      await made(signed, "good");
      assert.equal(await sandbox.ok(with_(policy, "start", "good")), "good");
      await made(unsigned, "late");
      const overridden = await sandbox.call(["--policy-override", `${unsignedDigest}=incident 18`, ...with_(policy, "start", "late")]);
      assert.equal(overridden.stdout, "late\n");
      assert.match(overridden.stderr, /^WARNING: policy .* is overridden for /);
      // what runs goes on, also where it is refused by now
      assert.equal(await sandbox.ok(with_(policy, "start", "late")), "late");
      assert.match((await sandbox.call(with_(policy, "restart", "late"))).stderr, refusal);
      assert.equal(await stateOf("late"), "running");
      await sandbox.ok(["kill", "late"]);
      const audit = await sandbox.call(with_(policyFile({ ...rules, mode: "audit" }), "start", "late"));
      assert.deepEqual([audit.code, audit.stdout], [0, "late\n"]);
      assert.match(audit.stderr, /^WARNING: policy .* would refuse /);
      assert.match(await sandbox.ok(["policy", "log"]), /override start .*[\s\S]*because: incident 18[\s\S]*audit +start /);
      await sandbox.ok(["rm", "-f", "late", "good"]);
    });

    test("system start, which restart policies ask", async () => {
      await made(unsigned, "late", "--restart=always");
      await made(free, "other", "--restart=always");
      await sandbox.ok(["start", "late", "other"]);
      for (const { pid, words } of listProcesses()) if (words.includes("conmon ") && words.includes(sandbox.store)) process.kill(pid, "SIGKILL");
      for (const name of ["late", "other"]) {
        process.kill(Number(await sandbox.ok(["inspect", "-f", "{{.State.Pid}}", name])), "SIGKILL");
        while ((await stateOf(name)) !== "exited") await scheduler.yield();
      }
      const started = await sandbox.call(with_(policy, "system", "start"));
      assert.equal(started.stdout, "other\n");
      assert.match(started.stderr, refusal);
      assert.match(started.stderr, /\nError: failed to start containers: late\n$/);
      await sandbox.ok(["rm", "-f", "late", "other"]);
    });

    test("of an image that has lost its names", async () => {
      await made(free, "late");
      await sandbox.ok(["rmi", "-f", free]);
      const strict = policyFile({ ...rules, loaded: "reject" });
      assert.match((await sandbox.call(with_(strict, "start", "late"))).stderr, /it came from no registry that is known.*\(rule loaded/);
      await sandbox.ok(["rm", "late"]);
    });

    test("of a step's result, which was made here", async () => {
      const context = sandbox.folder({ Dockerfile: "FROM busybox\nRUN echo made >/made\n" });
      await sandbox.ok(["build", "-q", context]);
      const step =
        (await sandbox.ok(["builder", "du", "--format", "{{.ID}} {{.Description}}"]))
          .split("\n")
          .find((line) => line.includes("echo made"))
          ?.split(" ")[0] ?? "";
      const run = ["run", "--rm", "--network=none", step, "cat", "/made"];
      assert.equal(await sandbox.ok(with_(policy, ...run)), "made");
      assert.match((await sandbox.call(with_(policyFile({ ...rules, local: "reject" }), ...run))).stderr, /policy refuses .*it was made here/);
    });
  });

  test("signedByAll wants each of them", async () => {
    const both = `${host}/acme/both:1`;
    await publish(both, "both", "ours");
    const file = policyFile({ ...rules, scopes: { [host]: { signedByAll: [{ keys: "ours.pub" }, { keys: "others.pub" }] } } });
    assert.match((await sandbox.call(with_(file, "pull", both))).stderr, /rule signed of/);
    await sandbox.ok(["sign", "--key", path.join(home, "others.key"), both], password);
    await sandbox.ok(with_(file, "pull", "-q", both));
    await clean(both);
  });

  test("the flags stand before the command or behind it", async () => {
    const override = `${unsignedDigest}=reason`;
    for (const words of [
      ["pull", "-q", "--policy", policy, "--policy-override", override, unsigned],
      ["--policy", policy, "pull", "-q", "--policy-override", override, unsigned],
      ["run", "--rm", "--network=none", "--policy", policy, "--policy-override", override, unsigned, "true"],
      ["policy", "check", "--policy", policy, signed],
    ]) {
      await sandbox.ok(words);
    }
    const refused = await sandbox.call(["build", "--policy", policy, sandbox.folder({ Dockerfile: `FROM ${unsigned}\n` })]);
    assert.match(refused.stderr, /policy refuses/);
    await clean(unsigned);
  });

  test("an index that is signed vouches for the image that is taken of it, not for others by their own digest", async () => {
    const several = `${host}/acme/several:1`;
    await sandbox.build('FROM scratch\nARG TARGETARCH\nCOPY f /f-$TARGETARCH\nCMD ["/x"]\n', { f: "f" }, [
      "--platform",
      "linux/amd64,linux/arm64",
      "-t",
      several,
    ]);
    await sandbox.ok(["push", "-q", several]);
    await sandbox.ok(["sign", "--key", path.join(home, "ours.key"), several], password);
    await clean(several);
    await sandbox.ok(with_(policy, "pull", "-q", several));
    const id = await sandbox.ok(["inspect", "-f", "{{.Id}}", several]);
    for (const name of [several, id]) await sandbox.ok(with_(policy, "create", name));
    const index = (await (
      await fetch(`http://${host}/v2/acme/several/manifests/1`, { headers: { accept: "application/vnd.oci.image.index.v1+json" } })
    ).json()) as {
      readonly manifests: readonly { readonly digest: string }[];
    };
    const child = index.manifests[0]?.digest ?? "";
    const alone = await sandbox.call(with_(policy, "pull", `${host}/acme/several@${child}`));
    assert.match(alone.stderr, /policy refuses .* it has no signature/);
    await clean(several);
  });

  test("audit notes what would be refused, for all or for one scope", async () => {
    await clean(unsigned);
    const before = (await sandbox.ok(["policy", "log", "-o", "json"])).split("\n").length;
    const audit = await sandbox.call(with_(policyFile({ ...rules, mode: "audit" }), "pull", "-q", unsigned));
    assert.equal(audit.code, 0, audit.stderr);
    assert.match(audit.stderr, /WARNING: policy .* would refuse .*unsigned:1@sha256/);
    const scopes = { ...rules.scopes, [`${host}/acme/unsigned`]: { mode: "audit", signed: [{ keys: "ours.pub" }] } };
    await sandbox.ok(with_(policyFile({ ...rules, scopes }), "pull", "-q", unsigned));
    assert.notEqual((await sandbox.call(with_(policyFile({ ...rules, scopes }), "pull", "-q", forged))).code, 0);
    const log = (await sandbox.ok(["policy", "log", "-o", "json"])).split("\n");
    assert.equal(log.length, before + 2);
    assert.match(log.at(-1) ?? "", /"kind":"audit"/);
  });

  test("the most specific scope decides", async () => {
    const scopes = {
      [host]: { reject: true },
      [`${host}/acme`]: { accept: true },
      [`${host}/acme/unsigned`]: { reject: true },
      [`${host}/acme/forged:1`]: { accept: true },
    };
    const file = policyFile({ version: 1, scopes, default: { accept: true } });
    const code = async (image: string): Promise<number | undefined> => (await sandbox.call(with_(file, "policy", "check", image))).code;
    assert.deepEqual(await Promise.all([signed, unsigned, forged, free].map(code)), [0, 1, 0, 1]);
  });

  test("what was pulled by a tag whose scope lets it in is that tag's in the store too, without network", async () => {
    const fresh = `${host}/acme/fresh:1`;
    await publish(fresh, "fresh");
    await clean(signed);
    const scopes = { [host]: { reject: true }, [fresh]: { accept: true }, [signed]: { signed: [{ keys: "ours.pub", signedName: { match: "exact" } }] } };
    const file = policyFile({ ...rules, scopes });
    const run = (image: string): Promise<Outcome> => sandbox.call(with_(file, "run", "--rm", "--network=none", image, "true"));
    await sandbox.ok(["pull", "-q", fresh]);
    assert.match((await run(fresh)).stderr, /policy refuses/, "nobody knows yet which tag it had");
    for (const image of [fresh, signed]) {
      await sandbox.ok(with_(file, "pull", "-q", image));
      assert.equal((await run(image)).code, 0);
    }
    const before = await sandbox.ok(["policy", "log", "-o", "json"]);
    await sandbox.ok(with_(policyFile({ ...rules, mode: "audit", scopes }), "run", "--rm", "--network=none", fresh, "true"));
    assert.equal(await sandbox.ok(["policy", "log", "-o", "json"]), before, "nothing to note");
    await clean(fresh, signed);
  });

  test("a tag that somebody writes beside a digest matches no scope of tags", async () => {
    const scopes = { [signed]: { accept: true } };
    const file = policyFile({ version: 1, scopes, default: { reject: true } });
    await sandbox.ok(with_(file, "policy", "check", signed));
    const faked = await sandbox.call(with_(file, "pull", `${host}/acme/signed:1@${await publish(`${host}/acme/signed:2`, "another")}`));
    assert.match(faked.stderr, /policy refuses/);
  });

  test("push goes only where it may, before anything is sent", async () => {
    await sandbox.ok(["tag", "busybox", `${host}/elsewhere/app:1`]);
    await sandbox.build("FROM busybox\nRUN echo mine >/mine\n", {}, ["-t", `${host}/acme/mine:1`]);
    await sandbox.ok(with_(policy, "push", `${host}/acme/mine:1`));
    const refused = await sandbox.call(with_(policy, "push", `${host}/elsewhere/app:1`));
    assert.match(refused.stderr, /policy refuses .*elsewhere\/app:1/);
    const built = await sandbox.call(with_(policy, "build", "--push", "-t", `${host}/elsewhere/app:2`, sandbox.folder({ Dockerfile: "FROM busybox\n" })));
    assert.match(built.stderr, /policy refuses .*elsewhere\/app:2/);
    assert.equal((await fetch(`http://${host}/v2/elsewhere/app/tags/list`)).status, 404);
    await clean(`${host}/elsewhere/app:1`, `${host}/acme/mine:1`);
  });

  test("what was built here is local, whatever it is called; what was pulled is not, whatever it is called", async () => {
    await sandbox.build("FROM busybox\nRUN echo here >/here\n", {}, ["-t", `${host}/acme/built:1`]);
    const run = (image: string, file = policy): Promise<Outcome> => sandbox.call(with_(file, "run", "--rm", "--network=none", image, "true"));
    assert.equal((await run(`${host}/acme/built:1`)).code, 0);
    const strict = policyFile({ ...rules, local: "reject" });
    // also when it has been pushed
    await sandbox.ok(with_(policy, "push", `${host}/acme/built:1`));
    assert.equal((await run(`${host}/acme/built:1`)).code, 0);
    assert.match((await run(`${host}/acme/built:1`, strict)).stderr, /rule local of local/);
    await sandbox.ok(["pull", "-q", forbidden]);
    await sandbox.ok(["tag", forbidden, "renamed:1"]);
    const id = await sandbox.ok(["inspect", "-f", "{{.Id}}", "renamed:1"]);
    for (const name of ["renamed:1", id]) assert.match((await run(name)).stderr, /ask the platform team/, name);
    await clean("renamed:1", forbidden);
  });

  test("what came in an archive or layout is refused at every door unless the policy lets it in, whatever it is called", async () => {
    const strict = policyFile({ ...rules, loaded: "reject" });
    const archive = path.join(sandbox.directory, "archive.tar");
    const layout = path.join(sandbox.directory, "layout");
    await sandbox.build("FROM busybox\nCOPY f /content\n", { f: "archived" }, ["-t", `${host}/acme/archived:1`]);
    await sandbox.ok(["save", "-o", archive, `${host}/acme/archived:1`]);
    await sandbox.ok(["copy", `${host}/acme/archived:1`, `oci:${layout}`]);
    await clean(`${host}/acme/archived:1`);
    await sandbox.ok(with_(strict, "load", "-i", archive));
    await sandbox.ok(["tag", `${host}/acme/archived:1`, "loaded:1"]);
    const context = (value: string): readonly string[] => [
      "build",
      "--build-context",
      `x=${value}`,
      sandbox.folder({ Dockerfile: "FROM scratch\nCOPY --from=x /content /\n" }),
    ];
    const all: readonly (readonly string[])[] = [
      ...doors.filter(({ name }) => name !== "pull").flatMap(({ words }) => [words(`${host}/acme/archived:1`), words("loaded:1")]),
      context("docker-image://loaded:1"),
      context(`oci-layout://${layout}`),
    ];
    for (const words of all) {
      const outcome = await sandbox.call(with_(strict, ...words));
      assert.notEqual(outcome.code, 0, words.join(" "));
      assert.match(outcome.stderr, /policy refuses .*it came from no registry that is known.* \(rule loaded of loaded, /);
      await sandbox.ok(with_(policy, ...words));
    }
    await clean(`${host}/acme/archived:1`, "loaded:1");
  });

  test("an image that lost its repository's name is no image of this machine", async () => {
    const strict = policyFile({ ...rules, loaded: "reject" });
    await sandbox.ok(["pull", "-q", forbidden]);
    await sandbox.ok(["tag", forbidden, "laundered:1"]);
    await sandbox.ok(["rmi", forbidden]);
    const run = await sandbox.call(with_(strict, "run", "--rm", "--network=none", "laundered:1", "true"));
    assert.match(run.stderr, /policy refuses/);
    await clean("laundered:1");
  });

  test("what was committed of a container is of this machine, and so is an index that was built here", async () => {
    const strict = policyFile({ ...rules, loaded: "reject" });
    const container = await sandbox.ok(["create", "busybox", "true"]);
    await sandbox.ok(["commit", container, "committed:1"]);
    await sandbox.build("FROM busybox\nRUN echo 1 >/1\n", {}, ["-t", `${host}/acme/index:1`, "--platform", "linux/amd64", "--provenance=mode=min"]);
    await sandbox.ok(["push", "-q", `${host}/acme/index:1`]);
    for (const image of ["committed:1", `${host}/acme/index:1`]) await sandbox.ok(with_(strict, "run", "--rm", "--network=none", image, "true"));
    await sandbox.ok(["rm", container]);
    await clean("committed:1", `${host}/acme/index:1`);
  });

  test("all tags are asked for one by one", async () => {
    const all = `${host}/acme/all`;
    await publish(`${all}:1`, "all-1", "ours");
    await publish(`${all}:2`, "all-2");
    const pulled = await sandbox.call(with_(policy, "pull", "--all-tags", all));
    assert.match(pulled.stderr, /policy refuses .*all:2@/);
    assert.notEqual((await sandbox.call(["inspect", `${all}:2`])).code, 0);
    await sandbox.ok(["sign", "--key", path.join(home, "ours.key"), `${all}:2`], password);
    await sandbox.ok(with_(policy, "pull", "-q", "--all-tags", all));
    await clean(`${all}:1`, `${all}:2`);
  });

  const elsewhere = `${host}/elsewhere`;
  const ways: readonly { readonly name: string; readonly words: (from: string, to: string) => readonly string[] }[] = [
    { name: "copy", words: (from, to) => ["copy", `docker://${from}`, to] },
    { name: "copy to docker://", words: (from, to) => ["copy", `docker://${from}`, `docker://${to}`] },
    { name: "imagetools create", words: (from, to) => ["buildx", "imagetools", "create", "--tag", to, from] },
  ];
  for (const { name, words } of ways) {
    test(`${name} goes only where it may`, async () => {
      const refused = await sandbox.call(with_(policy, ...words(signed, `${elsewhere}/${name.length}:1`)));
      assert.match(refused.stderr, /policy refuses .*elsewhere/);
      assert.equal((await fetch(`http://${host}/v2/elsewhere/${name.length}/tags/list`)).status, 404);
      await sandbox.ok(with_(policy, ...words(signed, `${host}/free/${name.length}:1`)));
    });
  }
  test("manifest push goes only where it may", async () => {
    for (const [list, isFree] of [
      [`${elsewhere}/list:1`, false],
      [`${host}/free/list:1`, true],
    ] as const) {
      await sandbox.ok(["manifest", "create", "--insecure", list, signed]);
      const pushed = await sandbox.call(with_(policy, "manifest", "push", "--insecure", "--purge", list));
      assert.equal(pushed.code === 0, isFree, pushed.stderr);
      assert.equal(/policy refuses .*elsewhere\/list:1/.test(pushed.stderr), !isFree);
    }
  });
  for (const target of ["docker://HOST/free/stolen:1", "oci:DIRECTORY/stolen", "docker-archive:DIRECTORY/stolen.tar"]) {
    test(`a copy from a registry is judged by where it comes from: ${target.split(":")[0]}`, async () => {
      const words = (from: string): readonly string[] => ["copy", `docker://${from}`, target.replace("HOST", host).replace("DIRECTORY", sandbox.directory)];
      assert.match((await sandbox.call(with_(policy, ...words(unsigned)))).stderr, /policy refuses .*it has no signature/);
      await sandbox.ok(with_(policy, ...words(signed)));
    });
  }

  test("a cache that is refused is not read, and the build goes on without it", async () => {
    const cached = `${host}/forbidden/cached:1`;
    const directory = sandbox.folder({ Dockerfile: "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid >/id\n" });
    await sandbox.ok(["build", "--no-cache", "--push", "--cache-to", "type=inline", "-t", cached, directory]);
    await sandbox.ok(["builder", "prune", "-af"]);
    const words = ["build", "--progress=plain", "--cache-from", `type=registry,ref=${cached}`, directory];
    const built = await sandbox.call(with_(policy, ...words));
    assert.equal(built.code, 0, built.stderr);
    assert.match(built.stderr, /importing cache manifest from[\s\S]*policy refuses .*forbidden\/cached:1/);
    assert.doesNotMatch(built.stderr, /RUN cat.*\n#\d+ CACHED/);
  });

  test("a target of bake is built under the policy", async () => {
    const cwd = sandbox.folder({ Dockerfile: `FROM ${unsigned}\n`, "docker-bake.hcl": 'target "default" {}\n' });
    assert.match((await sandbox.call(with_(policy, "buildx", "bake"), { cwd })).stderr, /policy refuses .*it has no signature/);
  });

  test("a signature of another repository is none here", async () => {
    const copy = `${host}/acme/copy:1`;
    await sandbox.ok(["copy", "--referrers", `docker://${signed}`, copy]);
    const legacy = ["--signature-format", "legacy"];
    const only = `${host}/acme/legacy:1`;
    await publish(only, "legacy");
    await sandbox.ok(["sign", "--key", path.join(home, "ours.key"), ...legacy, only], password);
    await sandbox.ok(["copy", "--referrers", `docker://${only}`, `${host}/acme/replayed:1`]);
    const replayed = await sandbox.call(with_(policy, "pull", `${host}/acme/replayed:1`));
    assert.notEqual(replayed.code, 0);
    assert.match(replayed.stderr, /policy refuses/);
    const mirror = policyFile({ ...rules, scopes: { [`${host}/acme`]: { signed: [{ keys: "ours.pub", signedFor: `${host}/acme/legacy` }] } } });
    await sandbox.ok(with_(mirror, "pull", "-q", `${host}/acme/replayed:1`));
  });

  test("what was verified is what is used, when the tag moves in between", async () => {
    const name = `${host}/acme/moving:1`;
    const digest = await publish(name, "first", "ours");
    await sandbox.ok(with_(policy, "pull", "-q", name));
    await publish(`${host}/acme/moving:2`, "second");
    const second = await fetch(`http://${host}/v2/acme/moving/manifests/2`, { headers: { accept: "application/vnd.oci.image.manifest.v1+json" } });
    const moved = await fetch(`http://${host}/v2/acme/moving/manifests/1`, {
      method: "PUT",
      body: await second.text(),
      headers: { "content-type": second.headers.get("content-type") ?? "" },
    });
    assert.equal(moved.status, 201);
    assert.notEqual((await sandbox.call(with_(policy, "pull", name))).code, 0);
    // the one that is here was verified, and stays usable
    assert.equal(await sandbox.ok(with_(policy, "run", "--rm", "--network=none", name, "cat", "/content")), "first");
    await sandbox.ok(with_(policy, "pull", "-q", `${host}/acme/moving@${digest}`));
  });

  test("a tag that is another image at the second question is asked for once, at every door", async () => {
    for (const tag of ["a", "b"]) await publish(`${host}/acme/flip:${tag}`, tag);
    let asked = 0;
    const flipping = createServer((call, response) => {
      const isTag = call.url === "/v2/acme/flip/manifests/1";
      const path = isTag ? `/v2/acme/flip/manifests/${asked++ === 0 ? "a" : "b"}` : call.url;
      const { method, headers } = call;
      const forwarded = request(`http://${host}${path}`, { method, headers }, (upstream) => {
        response.writeHead(upstream.statusCode ?? 502, upstream.headers);
        upstream.pipe(response);
      });
      call.pipe(forwarded);
    }).listen(0, "127.0.0.1");
    await once(flipping, "listening");
    const proxy = `127.0.0.1:${(flipping.address() as AddressInfo).port}`;
    await sandbox.ok(["sign", "--key", path.join(home, "ours.key"), `${proxy}/acme/flip:a`], password);
    const strict = policyFile({ ...rules, scopes: { [proxy]: { signed: [{ keys: "ours.pub" }] } } });
    for (const { name, words } of [...doors, ...copies]) {
      asked = 0;
      await sandbox.ok(with_(strict, ...words(`${proxy}/acme/flip:1`)));
      assert.equal(asked, 1, name);
      await clean(`${proxy}/acme/flip:1`, "copied:1");
    }
    flipping.closeAllConnections();
    flipping.close();
  });

  test("a key that is exchanged undoes what was verified by it", async () => {
    await sandbox.ok(["pull", "-q", signed]);
    const own = path.join(home, "mine.pub");
    writeFileSync(own, readFileSync(path.join(home, "ours.pub")));
    const file = policyFile({ ...rules, scopes: { [`${host}/acme`]: { signed: [{ keys: ["mine.pub"] }] } } });
    const run = (): Promise<Outcome> => sandbox.call(with_(file, "run", "--rm", "--network=none", signed, "true"));
    assert.equal((await run()).code, 0);
    writeFileSync(own, readFileSync(path.join(home, "others.pub")));
    assert.notEqual((await run()).code, 0);
  });

  test("attestations: of the type, by the key, saying what they have to", async () => {
    const name = `${host}/acme/attested:1`;
    await publish(name, "attested");
    const predicate = path.join(home, "predicate.json");
    writeFileSync(predicate, JSON.stringify({ build: { from: "main", at: new Date().toISOString() }, tests: [{ passed: 3 }, { passed: 9 }] }));
    await sandbox.ok(["attest", "--key", path.join(home, "ours.key"), "--type", "https://example.test/build/v1", "--predicate", predicate, name], password);
    const check = async (where: readonly object[], key = "ours.pub"): Promise<Outcome> => {
      const attested = [{ type: "https://example.test/build/v1", keys: key, where }];
      return await sandbox.call(with_(policyFile({ ...rules, scopes: { [`${host}/acme`]: { attested } } }), "policy", "check", name));
    };
    assert.equal((await check([])).code, 0);
    assert.equal(
      (
        await check([
          { path: "build.from", is: "main" },
          { path: "build.at", maxAgeDays: 1 },
          { path: "tests.*.passed", atLeast: 9 },
        ])
      ).code,
      0,
    );
    const other = await check([{ path: "build.from", oneOf: ["release", "next"] }]);
    assert.deepEqual([other.code, /says that build\.from is one of release, next/.test(other.stdout)], [1, true], other.stdout);
    assert.equal((await check([], "others.pub")).code, 1);
  });

  test("what is attested of one platform's image in an index is not remembered for another's", async () => {
    const name = `${host}/acme/halves:1`;
    const [own, other] = process.arch === "arm64" ? ["arm64", "amd64"] : ["amd64", "arm64"];
    const dockerfile = 'FROM scratch\nARG TARGETARCH\nCOPY f /f-$TARGETARCH\nCMD ["/x"]\n';
    await sandbox.build(dockerfile, { f: "f" }, ["--platform", "linux/amd64,linux/arm64", "-t", name]);
    await sandbox.ok(["push", "-q", name]);
    const index = (await (
      await fetch(`http://${host}/v2/acme/halves/manifests/1`, { headers: { accept: "application/vnd.oci.image.index.v1+json" } })
    ).json()) as { readonly manifests: readonly { readonly digest: string; readonly platform: { readonly architecture: string } }[] };
    const child = index.manifests.find(({ platform }) => platform.architecture === own)?.digest ?? "";
    const predicate = path.join(home, "halves.json");
    writeFileSync(predicate, "{}");
    const attest = ["attest", "--key", path.join(home, "ours.key"), "--type", "https://example.com/half", "--predicate", predicate];
    await sandbox.ok([...attest, `${host}/acme/halves@${child}`], password);
    await clean(name);
    const strict = policyFile({ ...rules, scopes: { [`${host}/acme`]: { attested: [{ type: "https://example.com/half", keys: "ours.pub" }] } } });
    await sandbox.ok(with_(strict, "pull", "-q", name));
    await sandbox.ok(["pull", "-q", "--platform", `linux/${other}`, name]);
    await sandbox.ok(with_(strict, "create", "--platform", `linux/${own}`, name));
    const refused = await sandbox.call(with_(strict, "create", "--platform", `linux/${other}`, name));
    assert.match(refused.stderr, /policy refuses [^]*rule attested of/);
    await clean(name);
  });
  test("what build --sign attests of the image in an index counts, from the registry and from the store", async () => {
    const name = `${host}/acme/provenance:1`;
    const key = ["--sign", "--key", path.join(home, "ours.key"), "--provenance=mode=min"];
    await sandbox.ok(["build", "--push", ...key, "-t", name, sandbox.folder({ Dockerfile: "FROM busybox\nRUN echo provenance >/p\n" })], password);
    await clean(name);
    const rule = (keys: string): string =>
      policyFile({
        ...rules,
        scopes: { [`${host}/acme`]: { attested: [{ type: "slsaprovenance02", keys, where: [{ path: "buildType", matches: ".*buildkit.*" }] }] } },
      });
    assert.match((await sandbox.call(with_(rule("others.pub"), "pull", name))).stderr, /rule attested of/);
    await sandbox.ok(with_(rule("ours.pub"), "pull", "-q", name));
    await sandbox.ok(with_(rule("ours.pub"), "create", name));
    const unasked = await sandbox.call(["verify", "--key", path.join(home, "ours.pub"), "--type", "slsaprovenance02", name]);
    assert.match(unasked.stderr, /Hint: it is an index, and its images may have some: --platform linux\/amd64/);
    await clean(name);
  });

  test("vulnerabilities: without a database nothing is clean", async () => {
    const file = policyFile({ ...rules, scopes: { [host]: { vulnerabilities: { failOn: "high" } } } });
    const outcome = await sandbox.call(with_(file, "policy", "check", signed));
    assert.equal(outcome.code, 1);
    assert.match(outcome.stdout, /vulnerabilities: it cannot be scanned/);
  });

  test("vulnerabilities: from the registry, from the store and before a push, with grace and exceptions", async () => {
    const record = (id: string, published: string): string =>
      JSON.stringify({
        id,
        published,
        affected: [{ package: { ecosystem: "npm", name: "left" }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0.0" }] }] }],
        database_specific: { severity: "HIGH" },
      });
    const yesterday = new Date(Date.now() - 86_400_000).toISOString();
    const advisories = sandbox.folder({ "npm.jsonl": [record("CVE-2024-1", "2024-01-01T00:00:00Z"), record("CVE-2024-2", yesterday)].join("\n") });
    await sandbox.ok(["db", "import", "-q", path.join(advisories, "npm.jsonl")]);
    const image = `${host}/acme/left:1`;
    const files = { "left.json": '{"name":"left","version":"1.0.0"}' };
    await sandbox.build("FROM busybox\nCOPY left.json /node_modules/left/package.json\n", files, ["-t", image]);
    await sandbox.ok(["push", image]);
    const file = (rule: object): string => policyFile({ ...rules, scopes: { [host]: rule } });
    const failing = { vulnerabilities: { failOn: ["high", "fixable"] } };
    const pushed = await sandbox.call(with_(file(failing), "push", image));
    assert.match(pushed.stderr, /policy refuses .*it has 2 of high, fixable: CVE-2024-\d \(high, left 1\.0\.0, fixed in 2\.0\.0\)/);
    await clean(image);
    const check = async (rule: object): Promise<string> => (await sandbox.call(with_(file(rule), "policy", "check", image))).stdout;
    assert.match(await check(failing), /it has 2 of/);
    assert.match(await check({ vulnerabilities: { ...failing.vulnerabilities, graceDays: 7 } }), /it has 1 of high, fixable: CVE-2024-1 /);
    const exceptions = (until: string): object => ({
      vulnerabilities: { ...failing.vulnerabilities, graceDays: 7, exceptions: [{ id: "CVE-2024-1", until, reason: "not reachable" }] },
    });
    assert.match(await check(exceptions("2099-01-01")), /: accepted\n/);
    assert.match(await check(exceptions("2024-06-01")), /it has 1 of .*CVE-2024-1 .*, excused until 2024-06-01/);
    const statement = (id: string): object => ({
      vulnerability: { name: id },
      products: [{ "@id": "pkg:npm/left@1.0.0" }],
      status: "not_affected",
      justification: "vulnerable_code_not_present",
    });
    const vex = { "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://acme.test/1", author: "a", timestamp: "2026-01-01T00:00:00Z", version: 1 };
    writeFileSync(path.join(home, "vex.json"), JSON.stringify({ ...vex, statements: ["CVE-2024-1", "CVE-2024-2"].map(statement) }));
    assert.match(await check({ vulnerabilities: { ...failing.vulnerabilities, vex: "vex.json" } }), /: accepted\n/);
    assert.match(await check({ maxScanAgeDays: 0 }), /maxScanAgeDays: what is known of vulnerabilities \(npm\) is 0 days old, 0 are allowed/);
    // what ended long ago is old, however lately it was imported
    assert.match(await check({ maxScanAgeDays: 30 }), /: accepted\n/);
    await sandbox.ok(["db", "import", "-q", path.join(sandbox.folder({ "old.jsonl": record("CVE-2024-1", "2024-01-01T00:00:00Z") }), "old.jsonl")]);
    assert.match(
      await check({ maxScanAgeDays: 30 }),
      /maxScanAgeDays: what is known of vulnerabilities \(npm\) ends \d+ days ago, however lately it was imported \(old\.jsonl: newest record of 2024-01-01\); 30 are allowed, and 30 in which a feed may be quiet: slipway db pull or db import/,
    );
    assert.match(await check({ vulnerabilities: { failOn: ["kev"] } }), /it is not known which vulnerabilities are exploited: slipway db import/);
    await sandbox.ok(["db", "import", "-q", path.join(advisories, "npm.jsonl")]);
    await sandbox.ok(["pull", "-q", image]);
    const run = await sandbox.call(with_(file(failing), "run", "--rm", "--network=none", image, "true"));
    assert.match(run.stderr, /policy refuses .*it has 2 of/);
    await clean(image);
  });

  test("check and verify --policy tell what holds", async () => {
    const good = await sandbox.ok(with_(policy, "policy", "check", signed));
    assert.match(good, new RegExp(`^${signed}@sha256:[0-9a-f]{64}: accepted\n  accepted by .*policy-1.json:5, ${host}/acme\n    signed by ours.pub$`));
    assert.equal(await sandbox.ok(with_(policy, "verify", "--policy", "-q", signed)), `${signed}@${signedDigest}`);
    assert.equal((await sandbox.call(with_(policy, "verify", "--policy", unsigned))).code, 1);
    assert.match((await sandbox.call(with_(policy, "verify", "--policy", "--key", "x", signed))).stderr, /exclude each other/);
    assert.match(await sandbox.ok(["policy", "check", signed]), /there is no policy/);
    const nothing = await sandbox.call(["verify", "--policy", "-q", signed]);
    assert.deepEqual([nothing.code, nothing.stdout], [1, ""]);
    assert.match(nothing.stderr, /is not verified: there is no policy\nHint: slipway policy init/);
  });

  test("init writes a policy that holds, in the place where it is looked for", async () => {
    const env = { XDG_CONFIG_HOME: path.join(home, "config") };
    const key = path.join(home, "ours.pub");
    const written = await sandbox.ok(["policy", "init", "--key", key, `${host}/acme`], { env });
    assert.equal(written, path.join(home, "config/slipway/policy.json"));
    assert.match((await sandbox.call(["policy", "init", `${host}/acme`], { env })).stderr, /is there already/);
    assert.match((await sandbox.call(["pull", free], { env })).stderr, /this registry is not among those that are allowed/);
    chmodSync(written, 0o666);
    assert.match((await sandbox.call(["pull", free], { env })).stderr, /anybody may write this file/);
  });

  const broken: readonly { readonly name: string; readonly text: string; readonly want: RegExp }[] = [
    { name: "an unknown key", text: '{"version": 1,\n"scope": {},\n"default": {"accept": true}}', want: /:2: unknown key "scope"/ },
    { name: "a key twice", text: '{"version": 1,\n"default": {"reject": true},\n"default": {"accept": true}}', want: /:3: the key "default" stands twice/ },
    { name: "no default", text: '{"version": 1}', want: /:1: "default" is missing/ },
    {
      name: "a key file that is not there",
      text: '{"version": 1, "scopes": {"a.b":\n{"signed": [{"keys": "no.pub"}]}}, "default": {"reject": true}}',
      want: /:2: no\.pub cannot be read/,
    },
    { name: "nobody who may sign", text: '{"version": 1, "scopes": {"a.b":\n{"signed": []}}, "default": {"reject": true}}', want: /:2: "signed" names nobody/ },
    { name: "no JSON", text: "version: 1\n", want: /:1: unexpected "v"/ },
  ];
  for (const { name, text, want } of broken) {
    test(`a policy that cannot be read stops everything: ${name}`, async () => {
      const file = policyFile(text);
      for (const words of [
        ["pull", free],
        ["run", "--rm", "busybox", "true"],
        ["policy", "check", free],
      ]) {
        const outcome = await sandbox.call(with_(file, ...words));
        assert.notEqual(outcome.code, 0);
        assert.match(outcome.stderr, want);
      }
    });
  }

  test("without a policy nothing of policies is loaded", async () => {
    const loaded = path.join(sandbox.directory, "loaded");
    const hook = path.join(
      sandbox.folder({
        "hook.mjs": `import { registerHooks } from "node:module";
import { appendFileSync } from "node:fs";
registerHooks({ load: (url, context, next) => (appendFileSync(process.env.LOADED, url + "\\n"), next(url, context)) });
`,
      }),
      "hook.mjs",
    );
    const env = { NODE_OPTIONS: `--import ${hook}`, LOADED: loaded };
    const images = { pull: free, run: "busybox" };
    for (const words of [
      ["pull", "-q", images.pull],
      ["run", "--rm", "--network=none", images.run, "true"],
      ["build", "-q", sandbox.folder({ Dockerfile: "FROM busybox\n" })],
    ]) {
      writeFileSync(loaded, "");
      await sandbox.ok(words, { env });
      const modules = readFileSync(loaded, "utf8");
      assert.match(modules, /engine\/slipway\.ts/);
      assert.doesNotMatch(modules, /engine\/policy\/|engine\/lock\/|located-json/);
    }
  });

  test("a policy that is named has to be there", async () => {
    assert.match(
      (await sandbox.call(["pull", free], { env: { SLIPWAY_POLICY: "/nowhere/policy.json" } })).stderr,
      /there is no policy file \/nowhere\/policy\.json/,
    );
  });
});
