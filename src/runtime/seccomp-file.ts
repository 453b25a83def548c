/**
 * A profile that the user wrote, in Docker's format, as the runtime takes it. Rules may depend on capabilities, architectures and the kernel.
 * @see docs.docker.com/engine/security/seccomp; runtime-spec config-linux.md#seccomp
 */
import { SlipwayError } from "../base/errors.ts";
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import type { OciSeccomp, OciSeccompArg, OciSeccompRule } from "./oci-spec.ts";

export interface ProfileChoice {
  /** Node's process.arch */
  readonly arch: string;
  /** with the CAP_ prefix */
  readonly capabilities: readonly string[];
  /** uname -r */
  readonly kernel: string;
}

const limits = { maxBytes: 1 << 20, maxDepth: 16 };
const goNames: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le", mipsel: "mipsle" };
const nativeNames: Readonly<Record<string, string>> = {
  x64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
  arm: "SCMP_ARCH_ARM",
  ppc64: "SCMP_ARCH_PPC64LE",
  s390x: "SCMP_ARCH_S390X",
  riscv64: "SCMP_ARCH_RISCV64",
  loong64: "SCMP_ARCH_LOONGARCH64",
};
const actions = ["ALLOW", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "LOG", "TRACE", "TRAP"].map((name) => `SCMP_ACT_${name}`);
const operators = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"].map((name) => `SCMP_CMP_${name}`);

function invalid(why: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_SECCOMP_PROFILE", why, {});
}

/** undefined: everything is allowed. Fails with INVALID_SECCOMP_PROFILE (invalid_argument), which names what is wrong. */
export function seccompOfProfile(json: string, choice: ProfileChoice): OciSeccomp | undefined {
  const profile = fieldsOf(json);
  const defaultAction = profile.string("defaultAction");
  const rules = profile.children("syscalls") ?? [];
  if (defaultAction === undefined && rules.length === 0) return undefined;
  const defaultErrnoRet = profile.integer("defaultErrnoRet");
  const flags = profile.strings("flags") ?? [];
  return {
    defaultAction: actionOf(defaultAction ?? ""),
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    ...architecturesOf(profile, choice.arch),
    ...(flags.length === 0 ? {} : { flags }),
    syscalls: rules.filter((rule) => applies(rule, choice)).map(ruleOf),
  };
}

/** Fails as seccompOfProfile does, without a choice: what is wrong is said when the container is made. */
export function checkSeccompProfile(json: string): void {
  const profile = fieldsOf(json);
  const action = profile.string("defaultAction");
  if (action !== undefined) actionOf(action);
  architecturesOf(profile, "");
  for (const rule of profile.children("syscalls") ?? []) ruleOf(rule);
}

function fieldsOf(json: string): Fields {
  try {
    return new Fields(parseJsonObject(Buffer.from(json), "seccomp profile", limits), "seccomp profile");
  } catch (error) {
    throw invalid(`Decoding seccomp profile failed: ${error instanceof Error ? error.message : ""}`);
  }
}

function architecturesOf(profile: Fields, arch: string): Pick<OciSeccomp, "architectures"> {
  const architectures = profile.strings("architectures") ?? [];
  const map = profile.children("archMap") ?? [];
  if (architectures.length > 0 && map.length > 0)
    throw invalid("both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'");
  if (architectures.length > 0) return { architectures };
  const own = map.find((entry) => entry.string("architecture") === nativeNames[arch]);
  const name = own?.string("architecture");
  return name === undefined ? {} : { architectures: [name, ...(own?.strings("subArchitectures") ?? [])] };
}

function actionOf(action: string): string {
  if (actions.includes(action)) return action;
  throw invalid(`string ${action} is not a valid action for seccomp`);
}

/** All that a rule includes has to be there, and nothing that it excludes. */
function applies(rule: Fields, { arch, capabilities, kernel }: ProfileChoice): boolean {
  const go = goNames[arch] ?? arch;
  const [includes, excludes] = [rule.child("includes"), rule.child("excludes")];
  const has = (name: string): boolean => capabilities.includes(name);
  const isNewer = (least: string | undefined): boolean => least === undefined || isKernelAtLeast(kernel, least);
  const [arches, without] = [includes?.strings("arches") ?? [], excludes?.strings("arches") ?? []];
  const least = excludes?.string("minKernel");
  return (
    (arches.length === 0 || arches.includes(go)) &&
    (includes?.strings("caps") ?? []).every(has) &&
    isNewer(includes?.string("minKernel")) &&
    !without.includes(go) &&
    !(excludes?.strings("caps") ?? []).some(has) &&
    (least === undefined || !isKernelAtLeast(kernel, least))
  );
}

function isKernelAtLeast(kernel: string, least: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = least.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function ruleOf(rule: Fields): OciSeccompRule {
  const [name, names] = [rule.string("name") ?? "", rule.strings("names") ?? []];
  if (name !== "" && names.length > 0) throw invalid("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'");
  const errnoRet = rule.integer("errnoRet");
  const args = (rule.children("args") ?? []).map(argOf);
  return {
    names: name === "" ? names : [name],
    action: actionOf(rule.string("action") ?? ""),
    ...(errnoRet === undefined ? {} : { errnoRet }),
    ...(args.length === 0 ? {} : { args }),
  };
}

function argOf(arg: Fields): OciSeccompArg {
  const op = arg.string("op") ?? "";
  if (!operators.includes(op)) throw invalid(`string ${op} is not a valid operator for seccomp`);
  const valueTwo = arg.integer("valueTwo");
  return { index: arg.integer("index") ?? 0, value: arg.integer("value") ?? 0, ...(valueTwo === undefined ? {} : { valueTwo }), op };
}
