import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseSecurityOptions } from "./security-options.ts";
import { seccompOfProfile, type ProfileChoice } from "./seccomp-file.ts";

const choice: ProfileChoice = { arch: "x64", capabilities: ["CAP_CHOWN"], kernel: "6.1.0-23-amd64" };
const rule = (more: object): object => ({ names: ["mkdir"], action: "SCMP_ACT_ERRNO", ...more });
const of = (profile: object): ReturnType<typeof seccompOfProfile> => seccompOfProfile(JSON.stringify(profile), choice);

// as Docker hands them to its runtime
const conditions: readonly (readonly [name: string, more: object, applies: boolean])[] = [
  ["without one", {}, true],
  ["empty ones", { includes: {}, excludes: {}, args: [], comment: "" }, true],
  ["null", { includes: null, excludes: null, args: null }, true],
  ["a capability that is there", { includes: { caps: ["CAP_CHOWN"] } }, true],
  ["one of two", { includes: { caps: ["CAP_CHOWN", "CAP_BPF"] } }, false],
  ["a capability that must not be there", { excludes: { caps: ["CAP_CHOWN"] } }, false],
  ["this architecture", { includes: { arches: ["amd64", "x32"] } }, true],
  ["another", { includes: { arches: ["arm64"] } }, false],
  ["not this one", { excludes: { arches: ["amd64"] } }, false],
  ["a kernel of before", { includes: { minKernel: "4.8" } }, true],
  ["a kernel to come", { includes: { minKernel: "6.2" } }, false],
  ["not since", { excludes: { minKernel: "5.0" } }, false],
];
describe("a rule that asks for", () => {
  for (const [name, more, applies] of conditions) {
    test(name, () => assert.equal(of({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [rule(more)] })?.syscalls.length, applies ? 1 : 0));
  }
});

test("a whole profile", () => {
  const archMap = [
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] },
  ];
  const args = [{ index: 0, value: 2114060288, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }];
  assert.deepEqual(
    of({ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1, archMap, flags: ["SECCOMP_FILTER_FLAG_LOG"], syscalls: [rule({ args, errnoRet: 38 })] }),
    {
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 1,
      architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
      flags: ["SECCOMP_FILTER_FLAG_LOG"],
      syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 38, args }],
    },
  );
  assert.deepEqual(of({ syscalls: [] }), undefined);
  assert.deepEqual(of({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ name: "chmod", action: "SCMP_ACT_KILL" }] })?.syscalls[0]?.names, ["chmod"]);
});

const faults: readonly (readonly [profile: string, want: RegExp])[] = [
  ["[1]", /^Decoding seccomp profile failed: /],
  ['{"defaultAction":"SCMP_ACT_NOPE"}', /^string SCMP_ACT_NOPE is not a valid action for seccomp$/],
  ['{"architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]}', /^both 'architectures' and 'archMap' are specified/],
  ['{"syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]}', /^both 'name' and 'names' are specified/],
  ['{"syscalls":[{"names":["b"]}]}', /^string  is not a valid action for seccomp$/],
  ['{"syscalls":[{"names":["b"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":0,"op":"EQ"}]}]}', /^string EQ is not a valid operator for seccomp$/],
];
describe("refused:", () => {
  for (const [profile, message] of faults) {
    test(profile, () => assert.throws(() => parseSecurityOptions([`seccomp=${profile}`]), { code: "INVALID_SECCOMP_PROFILE", message }));
  }
});

test("the other options", () => {
  const plain = { seccomp: "default", noNewPrivileges: false, openSystemPaths: false };
  assert.deepEqual(parseSecurityOptions(["apparmor=unconfined", "label:disable", "seccomp=builtin", "no-new-privileges=false"]), plain);
  assert.deepEqual(parseSecurityOptions(["seccomp:unconfined", "no-new-privileges", "systempaths=unconfined"]), {
    seccomp: "unconfined",
    noNewPrivileges: true,
    openSystemPaths: true,
  });
  for (const option of ["nosuch", "foo=bar", "no-new-privileges=maybe", "systempaths=no"])
    assert.throws(() => parseSecurityOptions([option]), {
      code: "INVALID_SECURITY_OPTION",
      message: `invalid --security-opt${option.startsWith("no-new") ? " 2" : ""}: "${option}"`,
    });
});
