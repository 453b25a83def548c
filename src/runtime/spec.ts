/**
 * What to run, as the OCI configuration that crun and runc read. Pure. Mounts, masked paths, capabilities and namespaces are those that
 * Docker gives a container (taken from the configuration that its runtime receives).
 * @see runtime-spec config.md, config-linux.md
 */
import { release } from "node:os";
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { chooseCapabilities } from "./capabilities.ts";
import { deviceRules } from "./device-rules.ts";
import type { OciMount, OciResources, OciSpec } from "./oci-spec.ts";
import { seccompOfProfile } from "./seccomp-file.ts";
import { createSeccompProfile } from "./seccomp-profile.ts";
import type { ResourceLimits, SpecMachine, SpecMount, SpecNetwork, SpecOptions, Ulimit } from "./spec-options.ts";
import { isUlimitName } from "./ulimit.ts";

const maskedPaths = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const defaultShmBytes = 64 << 20;

/** crun 1.8 refuses versions above 1.0; nothing newer is used here. */
const ociVersion = "1.0.2";

export function createSpec(options: SpecOptions, machine: SpecMachine): OciSpec {
  const privileged = options.privileged === true;
  return {
    ociVersion,
    process: createProcess(options, machine),
    root: { path: options.rootfs, ...(options.readonlyRoot === true ? { readonly: true } : {}) },
    ...(options.hostname === "" ? {} : { hostname: options.hostname }),
    mounts: createMounts(options, machine),
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
    linux: {
      namespaces: createNamespaces(options),
      ...(privileged || options.openSystemPaths === true ? {} : { maskedPaths, readonlyPaths }),
      ...seccompOf(options, machine),
      ...(options.devices === undefined
        ? {}
        : { devices: options.devices.map(({ path, type, major, minor, mode, uid, gid }) => ({ path, type, major, minor, fileMode: mode, uid, gid })) }),
      ...(options.cgroupsPath === undefined ? {} : { cgroupsPath: options.cgroupsPath, resources: createResources(options) }),
      ...(options.sysctls === undefined ? {} : { sysctl: options.sysctls }),
    },
  };
}

function createProcess(options: SpecOptions, machine: SpecMachine): OciSpec["process"] {
  const capabilities = capabilitiesOf(options, machine);
  if (machine.singleId === true && (options.user.uid !== 0 || options.user.gid !== 0)) throw unmappedId(options.user.uid, options.user.gid);
  return {
    ...(options.terminal === true ? { terminal: true } : {}),
    user: options.user.additionalGids.length > 0 && machine.singleId !== true ? pickUser(options) : { uid: options.user.uid, gid: options.user.gid },
    args: options.args,
    env: options.env,
    cwd: options.cwd,
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    ...(options.ulimits?.length ? { rlimits: options.ulimits.map(rlimitOf) } : {}),
    ...(options.noNewPrivileges === true ? { noNewPrivileges: true } : {}),
    ...(options.oomScoreAdj === undefined ? {} : { oomScoreAdj: options.oomScoreAdj }),
  };
}

function unmappedId(uid: number, gid: number): SlipwayError {
  const message =
    `user ${uid}:${gid} of the image cannot be used here: your account has no subordinate ids, so only root is mapped; ` +
    "root gives you some with: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER (and newuidmap: apt-get install -y uidmap)";
  return new SlipwayError("failed_precondition", "UNMAPPED_ID", message, { uid, gid });
}

function pickUser({ user }: SpecOptions): { uid: number; gid: number; additionalGids: readonly number[] } {
  return { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids };
}

function capabilitiesOf(options: SpecOptions, machine: SpecMachine): string[] {
  return chooseCapabilities({
    privileged: options.privileged === true,
    add: options.capAdd ?? [],
    drop: options.capDrop ?? [],
    ...(machine.capabilities === undefined ? {} : { available: machine.capabilities }),
  });
}

function seccompOf(options: SpecOptions, machine: SpecMachine): Pick<OciSpec["linux"], "seccomp"> {
  if (options.seccomp === "unconfined") return {};
  if (typeof options.seccomp === "object") {
    const choice = { arch: machine.arch, capabilities: capabilitiesOf(options, machine), kernel: release() };
    const seccomp = seccompOfProfile(options.seccomp.profile, choice);
    return seccomp === undefined ? {} : { seccomp };
  }
  if (options.privileged === true) return {};
  const guardDevices = !machine.rootless && !machine.deviceCgroup && options.cgroupsPath === undefined;
  return { seccomp: createSeccompProfile({ arch: machine.arch, capabilities: capabilitiesOf(options, machine), guardDevices }) };
}

function createNamespaces(options: SpecOptions): OciSpec["linux"]["namespaces"] {
  return [
    { type: "mount" },
    ...(options.hostUts === true ? [] : [{ type: "uts" }]),
    ...(options.hostIpc === true ? [] : [joining("ipc", options.joinedIpc)]),
    ...(options.hostPid === true ? [] : [joining("pid", options.joinedPid)]),
    ...networkNamespace(options.network),
    ...(options.privateCgroups === true ? [{ type: "cgroup" }] : []),
  ];
}

function joining(type: string, path: string | undefined): { type: string; path?: string } {
  return path === undefined ? { type } : { type, path };
}

function networkNamespace(network: SpecNetwork): { type: string; path?: string }[] {
  if (network.kind === "host") return [];
  return network.kind === "netns" ? [{ type: "network", path: network.path }] : [{ type: "network" }];
}

function createMounts(options: SpecOptions, machine: SpecMachine): OciMount[] {
  // a later mount takes the place of an earlier one, in the order too: what lies in it is mounted after it
  const mounts = new Map<string, OciMount>();
  for (const mount of [...baseMounts(options, machine), ...(options.mounts ?? []).map(mountOf)]) mounts.set(mount.destination, mount);
  return [...mounts.values()];
}

function baseMounts(options: SpecOptions, machine: SpecMachine): OciMount[] {
  const access = options.privileged === true ? [] : ["ro"];
  const quiet = ["nosuid", "noexec", "nodev"];
  const terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
  const sysfs = { destination: "/sys", type: "sysfs", source: "sysfs", options: [...quiet, ...access] };
  const hostSysfs = { destination: "/sys", type: "bind", source: "/sys", options: ["rbind", ...quiet, "ro"] };
  const cgroup = { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...access, ...quiet] };
  const host = (destination: string): OciMount => ({ destination, type: "bind", source: destination, options: ["rbind", ...quiet] });
  const shm = { destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...quiet, "mode=1777", `size=${options.shmSizeBytes ?? defaultShmBytes}`] };
  const mqueue = { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: quiet };
  return [
    // a user namespace may mount proc only together with a process namespace of its own
    machine.rootless && options.hostPid === true ? host("/proc") : { destination: "/proc", type: "proc", source: "proc", options: quiet },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: machine.singleId === true ? terminals : [...terminals, "gid=5"] },
    ...(options.hostIpc === true ? [host("/dev/shm"), ...hostQueues(machine).map(host)] : [...sharedMemory(options, shm), mqueue]),
    // a user namespace may mount sysfs only together with a network namespace of its own
    machine.rootless && options.network.kind === "host" ? hostSysfs : sysfs,
    ...(machine.cgroupMount ? [cgroup] : []),
  ];
}

function sharedMemory({ sharedMemory: source, noSharedMemory }: SpecOptions, own: OciMount): readonly OciMount[] {
  if (source !== undefined) return [{ ...own, type: "bind", source, options: ["rbind", "nosuid", "noexec", "nodev"] }];
  return noSharedMemory === true ? [] : [own];
}

/** Some machines have no message queues mounted. */
function hostQueues(machine: SpecMachine): readonly string[] {
  return machine.hostQueues === true ? ["/dev/mqueue"] : [];
}

function mountOf(mount: SpecMount): OciMount {
  if (mount.kind === "bind") {
    const options = [mount.nonRecursive === true ? "bind" : "rbind", ...(mount.options ?? ["rprivate"]), ...(mount.readOnly ? ["ro"] : [])];
    return { destination: mount.destination, type: "bind", source: mount.source, options };
  }
  if (mount.kind === "filesystem") {
    const { destination, type, source } = mount;
    return { destination, type, source, options: [...mount.options, ...(mount.readOnly ? ["ro"] : [])] };
  }
  const options = [
    ...(mount.options ?? ["nosuid", "noexec", "nodev"]),
    ...(mount.readOnly === true ? ["ro"] : []),
    ...(mount.sizeBytes === undefined ? [] : [`size=${mount.sizeBytes}`]),
    `mode=${(mount.mode ?? 0o1777).toString(8)}`,
  ];
  return { destination: mount.destination, type: "tmpfs", source: "tmpfs", options };
}

function createResources(options: SpecOptions): OciResources {
  const limits = options.limits ?? {};
  return {
    devices: deviceRules(options.privileged === true, options.devices ?? [], options.deviceRules),
    ...memoryOf(limits),
    ...cpuOf(limits),
    ...pidsOf(limits),
    ...(options.blockIo === undefined ? {} : { blockIO: options.blockIo }),
  };
}

function memoryOf(limits: ResourceLimits): Pick<OciResources, "memory"> {
  const memory = {
    ...(limits.memoryBytes === undefined ? {} : { limit: limits.memoryBytes }),
    ...(limits.memorySwapBytes === undefined ? {} : { swap: limits.memorySwapBytes }),
    ...(limits.memoryReservationBytes === undefined ? {} : { reservation: limits.memoryReservationBytes }),
    ...(limits.memorySwappiness === undefined ? {} : { swappiness: limits.memorySwappiness }),
    ...(limits.oomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
  return Object.keys(memory).length === 0 ? {} : { memory };
}

function cpuOf(limits: ResourceLimits): Pick<OciResources, "cpu"> {
  const cpu = {
    ...(limits.cpuShares === undefined ? {} : { shares: limits.cpuShares }),
    ...(limits.cpuQuotaUs === undefined ? {} : { quota: limits.cpuQuotaUs }),
    ...(limits.cpuPeriodUs === undefined ? {} : { period: limits.cpuPeriodUs }),
    ...(limits.cpusetCpus === undefined ? {} : { cpus: limits.cpusetCpus }),
    ...(limits.cpusetMems === undefined ? {} : { mems: limits.cpusetMems }),
    ...(limits.realtimePeriodUs === undefined ? {} : { realtimePeriod: limits.realtimePeriodUs }),
    ...(limits.realtimeRuntimeUs === undefined ? {} : { realtimeRuntime: limits.realtimeRuntimeUs }),
  };
  return Object.keys(cpu).length === 0 ? {} : { cpu };
}

function pidsOf(limits: ResourceLimits): Pick<OciResources, "pids"> {
  return limits.pidsLimit === undefined ? {} : { pids: { limit: limits.pidsLimit } };
}

function rlimitOf(limit: Ulimit): { type: string; soft: number; hard: number } {
  if (!isUlimitName(limit.name)) throw new SlipwayError("invalid_argument", "INVALID_ULIMIT", printable(`invalid ulimit type: ${limit.name}`));
  return { type: `RLIMIT_${limit.name.toUpperCase()}`, soft: limit.soft, hard: limit.hard };
}
