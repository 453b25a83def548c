/** What this machine can do, and what one would install for what it cannot; feeds `doctor` and `info`. */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { dirname } from "node:path";
import { probeOverlay } from "../store/overlay.ts";
import { cgroupControllers, cgroupKind, cgroupsWritable, insideUserNamespace, type CgroupKind } from "./cgroups.ts";
import { findInit } from "./container-init.ts";
import { emulatedPlatforms, emulationRemedy } from "./emulation.ts";
import { prepareRuntime } from "./oci-runtime.ts";
import { findProgram, installCommand, type Program } from "./programs.ts";
import { runProgram } from "./run-program.ts";
import { tunDevice, tunProblem } from "./tun-device.ts";

export type ProbedProgram =
  | { readonly found: true; readonly name: string; readonly path: string; readonly version: string }
  | { readonly found: false; readonly name: string; readonly neededFor: string; readonly install: string };

export type ProbedAbility =
  | { readonly works: true; readonly name: string; readonly detail: string }
  | { readonly works: false; readonly name: string; readonly reason: string; readonly remedy: string };

const purposes = {
  crun: "RUN steps and containers",
  runc: "RUN steps and containers where crun cannot",
  conmon: "containers in the background, logs",
  pasta: "networks of containers and steps, published ports",
  newuidmap: "builds and containers of ordinary users with more than one user id",
  git: "git repositories as contexts",
} as const satisfies Partial<Record<Program, string>>;

export type ProbedName = keyof typeof purposes;

export interface Machine {
  readonly kernel: string;
  readonly arch: string;
  readonly programs: Readonly<Record<ProbedName, ProbedProgram>>;
  /** which of crun and runc runs processes here, and why; undefined when neither can */
  readonly runtime: { readonly name: "crun" | "runc"; readonly path: string; readonly reason: string } | undefined;
  readonly cgroup: { readonly kind: CgroupKind; readonly writable: boolean; readonly controllers: readonly string[] };
  readonly userNamespaces: ProbedAbility;
  readonly overlay: ProbedAbility;
  readonly seccomp: ProbedAbility;
  /** /dev/net/tun can be opened, which pasta needs */
  readonly tunDevice: ProbedAbility;
  /** for `run --init` */
  readonly init: ProbedAbility;
  /** platforms whose programs run here too: "linux/arm64" … */
  readonly emulated: readonly string[];
  /** the command that makes others run */
  readonly emulationRemedy: string;
}

/** `cacheFile` keeps versions, which take a program start each to find out, keyed by binary, size, mtime and kernel. */
export async function probeMachine(options: { readonly storeDirectory: string; readonly cacheFile?: string }): Promise<Machine> {
  const versions = new VersionCache(options.cacheFile);
  const names = Object.keys(purposes) as ProbedName[];
  const probed = await Promise.all(names.map(async (name) => [name, await probeProgram(name, versions)] as const));
  versions.save();
  const kind = cgroupKind();
  return {
    kernel: release(),
    arch: process.arch,
    programs: Object.fromEntries(probed) as Record<ProbedName, ProbedProgram>,
    runtime: probeRuntime(),
    cgroup: { kind, writable: cgroupsWritable(kind), controllers: cgroupControllers(kind) },
    userNamespaces: probeUserNamespaces(),
    overlay: overlayAbility(options.storeDirectory),
    seccomp: probeSeccomp(),
    tunDevice: probeTunDevice(),
    init: probeInit(),
    emulated: await emulatedIn(options.storeDirectory),
    emulationRemedy: emulationRemedy(),
  };
}

/** A store that cannot be written has a finding of its own. */
async function emulatedIn(directory: string): Promise<readonly string[]> {
  try {
    mkdirSync(directory, { recursive: true });
    return await emulatedPlatforms(directory);
  } catch {
    return [];
  }
}

async function probeProgram(name: ProbedName, versions: VersionCache): Promise<ProbedProgram> {
  const path = findProgram(name);
  if (path === undefined) return { found: false, name, neededFor: purposes[name], install: installCommand(name) };
  return { found: true, name, path, version: await versions.of(path, () => readVersion(name, path)) };
}

/** "" for those that do not tell. */
async function readVersion(name: ProbedName, path: string): Promise<string> {
  if (name === "newuidmap") return "";
  try {
    const text = await runProgram(path, ["--version"], { timeoutMs: 5_000 });
    return /\d+\.\d+[\w.+~-]*|\d{4}_\d\d_\d\d\.\w+/.exec(text.split("\n", 1)[0] ?? "")?.[0] ?? (text.split("\n", 1)[0] ?? "").slice(0, 80);
  } catch {
    return "";
  }
}

function probeRuntime(): Machine["runtime"] {
  try {
    const { name, path, cgroups } = prepareRuntime();
    const hybrid = cgroups === "hybrid" ? "cgroup v1 in hybrid mode: its v2 part is covered in a private mount namespace" : "first choice";
    return { name, path, reason: name === "crun" ? hybrid : "crun is missing, or refuses this machine's control groups" };
  } catch {
    return undefined;
  }
}

function probeUserNamespaces(): ProbedAbility {
  const name = "user namespaces";
  if (insideUserNamespace()) return { works: true, name, detail: "in use" };
  const switches = [
    { file: "/proc/sys/user/max_user_namespaces", off: "0", remedy: "sysctl -w user.max_user_namespaces=15000" },
    { file: "/proc/sys/kernel/unprivileged_userns_clone", off: "0", remedy: "sysctl -w kernel.unprivileged_userns_clone=1" },
    { file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", off: "1", remedy: "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
  ];
  if (!existsSync("/proc/self/ns/user")) return { works: false, name, reason: "the kernel has none", remedy: "use a kernel with CONFIG_USER_NS" };
  const closed = switches.find(({ file, off }) => readText(file).trim() === off);
  if (closed === undefined) return { works: true, name, detail: "allowed for ordinary users" };
  return { works: false, name, reason: `${closed.file} is ${closed.off}`, remedy: closed.remedy };
}

function overlayAbility(directory: string): ProbedAbility {
  const name = "overlayfs";
  try {
    mkdirSync(directory, { recursive: true });
    const probe = probeOverlay(directory);
    if (probe.supported) return { works: true, name, detail: probe.userxattr ? "with user.* attributes" : "with trusted.* attributes" };
    return { works: false, name, reason: probe.reason, remedy: "use a store on ext4 or xfs, as root or with user namespaces" };
  } catch (error) {
    return { works: false, name, reason: error instanceof Error ? error.message : String(error), remedy: "choose a writable SLIPWAY_ROOT" };
  }
}

function probeSeccomp(): ProbedAbility {
  const name = "seccomp";
  if (/^Seccomp:/m.test(readText("/proc/self/status"))) return { works: true, name, detail: "the default profile is applied" };
  return { works: false, name, reason: "the kernel has no seccomp filters", remedy: "use a kernel with CONFIG_SECCOMP_FILTER" };
}

function probeTunDevice(): ProbedAbility {
  const problem = tunProblem();
  return problem === undefined ? { works: true, name: tunDevice, detail: "can be opened" } : { works: false, name: tunDevice, ...problem };
}

function probeInit(): ProbedAbility {
  const name = "init";
  const path = findInit();
  if (path !== undefined) return { works: true, name, detail: path };
  return { works: false, name, reason: "no static init (catatonit, tini): run --init needs one", remedy: installCommand("catatonit") };
}

class VersionCache {
  readonly #file: string | undefined;
  readonly #known: Record<string, string>;
  #changed = false;

  constructor(file: string | undefined) {
    this.#file = file;
    this.#known = file === undefined ? {} : readCache(file);
  }

  async of(path: string, ask: () => Promise<string>): Promise<string> {
    const { mtimeMs, size } = statSync(path);
    const key = `${path} ${size} ${mtimeMs} ${release()}`;
    const known = this.#known[key];
    if (known !== undefined) return known;
    const version = await ask();
    this.#known[key] = version;
    this.#changed = true;
    return version;
  }

  save(): void {
    if (this.#file === undefined || !this.#changed) return;
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      writeFileSync(`${this.#file}.${process.pid}`, JSON.stringify(this.#known));
      renameSync(`${this.#file}.${process.pid}`, this.#file);
    } catch {
      // only a cache
    }
  }
}

function readCache(file: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return {};
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
