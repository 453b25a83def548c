import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultCapabilities } from "./capabilities.ts";
import { createSeccompProfile } from "./seccomp-profile.ts";

const base = { arch: "x64", capabilities: defaultCapabilities, guardDevices: false };
const allowed = (choice: Parameters<typeof createSeccompProfile>[0]): Set<string> =>
  new Set(
    createSeccompProfile(choice)
      .syscalls.filter(({ action, args }) => action === "SCMP_ACT_ALLOW" && args === undefined)
      .flatMap(({ names }) => names),
  );

test("as many system calls as Docker's profile allows on the same machine", () => {
  // 361 common ones, three for tracing, two of the architecture, chroot
  assert.equal(allowed(base).size, 361 + 3 + 2 + 1);
});

test("calls that reach the kernel's heart need their capability", () => {
  const cases = { CAP_SYS_ADMIN: "mount", CAP_SYS_MODULE: "init_module", CAP_SYS_BOOT: "reboot", CAP_BPF: "bpf", CAP_SYS_TIME: "clock_settime" };
  for (const [capability, call] of Object.entries(cases)) {
    assert.equal(allowed(base).has(call), false, call);
    assert.equal(allowed({ ...base, capabilities: [...defaultCapabilities, capability] }).has(call), true, call);
  }
});

test("clone may make no namespaces, and clone3 sends libc back to clone", () => {
  const { syscalls } = createSeccompProfile(base);
  const clone = syscalls.find(({ names }) => names.includes("clone"));
  assert.deepEqual(clone?.args, [{ index: 0, value: 0x7e02_0000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }]);
  assert.deepEqual(
    syscalls.find(({ names }) => names.includes("clone3")),
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
  );
});

test("without a device cgroup only harmless nodes may be made", () => {
  const { syscalls } = createSeccompProfile({ ...base, guardDevices: true });
  const rules = syscalls.filter(({ names }) => names.includes("mknodat"));
  assert.ok(rules.length > 10 && rules.every(({ args }) => args !== undefined));
  assert.equal(allowed(base).has("mknodat"), true);
});

test("an architecture without a profile of its own gets the common calls only", () => {
  assert.equal(createSeccompProfile({ ...base, arch: "riscv64" }).architectures, undefined);
  assert.deepEqual(createSeccompProfile({ ...base, arch: "arm64" }).architectures, ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
});
