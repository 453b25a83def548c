import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { createSpec } from "./spec.ts";
import type { SpecMachine, SpecOptions } from "./spec-options.ts";

const machine: SpecMachine = { arch: "x64", rootless: false, cgroupMount: true, deviceCgroup: true };
const options: SpecOptions = {
  args: ["/bin/sh", "-c", "true"],
  env: ["PATH=/bin"],
  cwd: "/",
  user: { uid: 0, gid: 0, additionalGids: [0] },
  rootfs: "/r",
  hostname: "buildkitsandbox",
  network: { kind: "none" },
};
const mountOf = (destination: string, changes: Partial<SpecOptions> = {}, where: SpecMachine = machine) =>
  createSpec({ ...options, ...changes }, where).mounts.find((mount) => mount.destination === destination);

test("the whole of a plain step, but for the system call filter", () => {
  const {
    linux: { seccomp, ...linux },
    process: { capabilities, ...process },
    ...spec
  } = createSpec(options, machine);
  assert.equal(seccomp?.defaultAction, "SCMP_ACT_ERRNO");
  assert.equal(capabilities.bounding.length, 14);
  assert.deepEqual(capabilities.effective, capabilities.bounding);
  assert.deepEqual(process, { user: { uid: 0, gid: 0, additionalGids: [0] }, args: ["/bin/sh", "-c", "true"], env: ["PATH=/bin"], cwd: "/" });
  assert.deepEqual(spec, {
    ociVersion: "1.0.2",
    root: { path: "/r" },
    hostname: "buildkitsandbox",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
      { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
      { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"] },
      { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
      { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid", "noexec", "nodev"] },
    ],
  });
  assert.deepEqual(linux.namespaces, [{ type: "mount" }, { type: "uts" }, { type: "ipc" }, { type: "pid" }, { type: "network" }]);
  assert.ok(linux.maskedPaths?.includes("/proc/kcore") && linux.readonlyPaths?.includes("/proc/sys"));
  assert.equal(linux.resources, undefined);
});

test("networks", () => {
  const namespacesOf = (network: SpecOptions["network"]) =>
    createSpec({ ...options, network }, machine).linux.namespaces.filter(({ type }) => type === "network");
  assert.deepEqual(namespacesOf({ kind: "host" }), []);
  assert.deepEqual(namespacesOf({ kind: "netns", path: "/n" }), [{ type: "network", path: "/n" }]);
});

test("a mount of the user replaces the one that would be there", () => {
  const mounts = createSpec({ ...options, mounts: [{ kind: "bind", source: "/s", destination: "/dev/shm", readOnly: true }] }, machine).mounts;
  assert.deepEqual(
    mounts.filter(({ destination }) => destination === "/dev/shm"),
    [{ destination: "/dev/shm", type: "bind", source: "/s", options: ["rbind", "rprivate", "ro"] }],
  );
});

test("tmpfs mounts", () => {
  const mount = mountOf("/t", { mounts: [{ kind: "tmpfs", destination: "/t", sizeBytes: 1024, options: ["nosuid"] }] });
  assert.deepEqual(mount?.options, ["nosuid", "size=1024", "mode=1777"]);
});

test("privileged: everything is open", () => {
  const { linux, process, mounts } = createSpec({ ...options, privileged: true, cgroupsPath: "/x" }, machine);
  assert.equal(linux.seccomp, undefined);
  assert.equal(linux.maskedPaths, undefined);
  assert.equal(process.capabilities.bounding.length, 41);
  assert.deepEqual(linux.resources?.devices, [{ allow: true, access: "rwm" }]);
  assert.deepEqual(mounts.find(({ destination }) => destination === "/sys")?.options, ["nosuid", "noexec", "nodev"]);
});

test("what the kernel is told of block devices, swapping and real time, and the runtime of annotations", () => {
  const limits = { memoryBytes: 1 << 24, memorySwappiness: 7, oomKillDisable: true, realtimePeriodUs: 1000, realtimeRuntimeUs: 500 };
  const blockIo = { weight: 300, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1024 }] };
  const spec = createSpec({ ...options, limits, blockIo, cgroupsPath: "/x", privateCgroups: true, annotations: { a: "b" } }, machine);
  const { memory, cpu, blockIO } = spec.linux.resources ?? {};
  assert.deepEqual(
    [memory, cpu, blockIO],
    [{ limit: 1 << 24, swappiness: 7, disableOOMKiller: true }, { realtimePeriod: 1000, realtimeRuntime: 500 }, blockIo],
  );
  assert.deepEqual(spec.annotations, { a: "b" });
  assert.equal(
    spec.linux.namespaces.some(({ type }) => type === "cgroup"),
    true,
  );
  assert.equal(
    createSpec(options, machine).linux.namespaces.some(({ type }) => type === "cgroup"),
    false,
  );
});

test("limits need a cgroup", () => {
  const limits = { memoryBytes: 1000, pidsLimit: 5, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000 };
  assert.equal(createSpec({ ...options, limits }, machine).linux.resources, undefined);
  const resources = createSpec({ ...options, limits, cgroupsPath: "/slipway/x" }, machine).linux.resources;
  assert.deepEqual(resources?.memory, { limit: 1000 });
  assert.deepEqual(resources?.pids, { limit: 5 });
  assert.deepEqual(resources?.cpu, { quota: 50_000, period: 100_000 });
  assert.deepEqual(resources?.devices?.[0], { allow: false, access: "rwm" });
});

test("in a user namespace the host's network brings the host's /sys", () => {
  const rootless = { ...machine, rootless: true, cgroupMount: false };
  assert.equal(mountOf("/sys", { network: { kind: "host" } }, rootless)?.type, "bind");
  assert.equal(mountOf("/sys", {}, rootless)?.type, "sysfs");
  assert.equal(mountOf("/sys/fs/cgroup", {}, rootless), undefined);
});

test("the host's process and IPC name spaces bring what is mounted for them", () => {
  const rootless = { ...machine, rootless: true, cgroupMount: false };
  assert.equal(mountOf("/proc", { hostPid: true }, rootless)?.type, "bind");
  assert.equal(mountOf("/proc", { hostPid: true }, machine)?.type, "proc");
  assert.deepEqual([mountOf("/dev/shm", { hostIpc: true }, machine)?.type, mountOf("/dev/mqueue", { hostIpc: true }, machine)], ["bind", undefined]);
  assert.equal(mountOf("/dev/mqueue", { hostIpc: true }, { ...machine, hostQueues: true })?.type, "bind");
  const types = createSpec({ ...options, hostPid: true, hostIpc: true, hostUts: true }, machine).linux.namespaces.map(({ type }) => type);
  assert.deepEqual(types, ["mount", "network"]);
});

test("where one id is mapped, no other group is named and no other user can run", () => {
  const single = { ...machine, rootless: true, singleId: true };
  assert.equal(mountOf("/dev/pts", {}, single)?.options?.includes("gid=5"), false);
  assert.deepEqual(createSpec(options, single).process.user, { uid: 0, gid: 0 });
  assert.throws(
    () => createSpec({ ...options, user: { uid: 1, gid: 1, additionalGids: [] } }, single),
    (error: unknown) => isSlipwayError(error, "UNMAPPED_ID"),
  );
});

test("ulimits, oom score, no-new-privileges, terminal", () => {
  const { process } = createSpec(
    { ...options, ulimits: [{ name: "nofile", soft: 10, hard: 20 }], oomScoreAdj: 5, noNewPrivileges: true, terminal: true },
    machine,
  );
  assert.deepEqual(process.rlimits, [{ type: "RLIMIT_NOFILE", soft: 10, hard: 20 }]);
  assert.deepEqual([process.oomScoreAdj, process.noNewPrivileges, process.terminal], [5, true, true]);
  assert.throws(
    () => createSpec({ ...options, ulimits: [{ name: "fun", soft: 1, hard: 1 }] }, machine),
    (error: unknown) => isSlipwayError(error, "INVALID_ULIMIT"),
  );
});
