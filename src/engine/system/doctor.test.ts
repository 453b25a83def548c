import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Machine, ProbedProgram } from "../../runtime/probe.ts";
import { openTestStore } from "../images/test-images.ts";
import { findingsFrom } from "./doctor.ts";
import { policiesFinding } from "./policies-finding.ts";
import { operatingSystem, systemInfo } from "./info.ts";
import { versionInfo } from "./version.ts";

const found = (name: string): ProbedProgram => ({ found: true, name, path: `/usr/bin/${name}`, version: "1.2" });
const absent = (name: string): ProbedProgram => ({ found: false, name, neededFor: "something", install: `apt-get install -y ${name}` });
const works = (name: string) => ({ works: true, name, detail: "fine" }) as const;
const fails = (name: string) => ({ works: false, name, reason: "forbidden", remedy: "allow it" }) as const;

const good: Machine = {
  kernel: "6.1",
  arch: "x64",
  programs: { crun: found("crun"), runc: absent("runc"), conmon: found("conmon"), pasta: found("pasta"), newuidmap: found("newuidmap"), git: found("git") },
  runtime: { name: "crun", path: "/usr/bin/crun", reason: "first choice" },
  cgroup: { kind: "v2", writable: true, controllers: ["cpu", "memory"] },
  userNamespaces: works("user namespaces"),
  overlay: works("overlayfs"),
  seccomp: works("seccomp"),
  init: { works: true, name: "init", detail: "/usr/bin/catatonit" },
  tunDevice: works("/dev/net/tun"),
  emulated: ["linux/386", "linux/arm64"],
  emulationRemedy: "install qemu",
};

test("a machine that has everything: nothing to mend", () => {
  for (const finding of findingsFrom(good, true)) assert.deepEqual([finding.name, finding.status, finding.remedy], [finding.name, "ok", undefined]);
});

test("each missing part with the command that mends it", () => {
  const programs = { ...good.programs, crun: absent("crun"), conmon: absent("conmon"), newuidmap: absent("newuidmap") };
  const bare: Machine = {
    ...good,
    programs,
    runtime: undefined,
    userNamespaces: fails("user namespaces"),
    cgroup: { kind: "none", writable: false, controllers: [] },
    emulated: ["linux/386"],
  };
  const findings = (privileged: boolean): Readonly<Record<string, readonly [string, string | undefined]>> =>
    Object.fromEntries(findingsFrom(bare, privileged).map(({ name, status, remedy }) => [name, [status, remedy]]));
  const forUser = findings(false);
  assert.deepEqual(forUser["runtime"], ["missing", "apt-get install -y crun"]);
  assert.deepEqual(forUser["conmon"], ["missing", "apt-get install -y conmon"]);
  assert.deepEqual(forUser["newuidmap"], ["warning", "apt-get install -y newuidmap"]);
  assert.deepEqual(forUser["user namespaces"], ["missing", "allow it"]);
  assert.deepEqual(forUser["cgroups"], ["warning", undefined]);
  assert.deepEqual(forUser["other architectures"], ["warning", "install qemu"]);
  const forRoot = findings(true);
  assert.equal(forRoot["newuidmap"], undefined);
  assert.equal(forRoot["user namespaces"]?.[0], "warning");
});

test("info and version", async () => {
  using box = openTestStore();
  const info = await systemInfo(box.store);
  assert.equal(info["Containers"], 0);
  assert.equal(info["DockerRootDir"], box.store.layout.root);
  assert.equal(info["ServerVersion"], versionInfo()["Version"]);
  assert.match(versionInfo()["Version"] ?? "", /^\d+\.\d+\.\d+/);
});

test("names of operating systems", () => {
  assert.equal(operatingSystem('NAME=x\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'), "Debian GNU/Linux 12 (bookworm)");
  assert.equal(operatingSystem("PRETTY_NAME='Alpine Linux v3.20'"), "Alpine Linux v3.20");
  assert.equal(operatingSystem(""), "Linux");
});

test("policies: those that hold, and other programs' that do not", () => {
  using box = openTestStore();
  const env = { HOME: join(box.root, "home") };
  const own = { path: "/own.json", exists: false };
  const finding = (exists = false) =>
    policiesFinding(
      [
        { path: "/etc/own.json", exists: false },
        { ...own, exists },
      ],
      env,
      box.root,
    );
  assert.deepEqual([finding().status, finding().message], ["ok", "none: every image may be used"]);
  mkdirSync(join(box.root, "containers"));
  const theirs = join(box.root, "containers/policy.json");
  writeFileSync(theirs, '{"default": [{"type": "insecureAcceptAnything"}]}');
  assert.equal(finding().status, "ok");
  writeFileSync(theirs, '{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"a.b": [{"type":"reject"}]}}}');
  assert.deepEqual([finding().status, finding().remedy], ["warning", `slipway policy import -o /own.json ${theirs}`]);
  assert.deepEqual([finding(true).status, finding(true).message], ["ok", "/own.json"]);
  mkdirSync(join(env.HOME, ".config/notation"), { recursive: true });
  writeFileSync(join(env.HOME, ".config/notation/trustpolicy.json"), "{}");
  assert.match(finding().message, /containers\/policy\.json and .*trustpolicy\.json demand of images/);
});
