/** From a container's record to what the OCI runtime is told. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { deviceMounts, nodeFrom, parseDeviceRule, requestedDevices } from "./container-devices.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import { initDestination, requireInit } from "./container-init.ts";
import type { ContainerConfig, ContainerMount, ContainerRecord } from "./container-records.ts";
import { blockIoOf } from "./block-limits.ts";
import { cgroupPath } from "./container-cgroup.ts";
import { hostAddress } from "./host-address.ts";
import type { JoinedNamespaces } from "./joined-namespaces.ts";
import { containerAddress, dnsForwardAddress, resolverAddress } from "./network-addresses.ts";
import { makeHosts, makeResolvConf } from "./network-files.ts";
import { specMachine, type OciRuntime } from "./oci-runtime.ts";
import type { OciSpec } from "./oci-spec.ts";
import { resolveUserIn } from "./rootfs-files.ts";
import type { ResolvedUser } from "./user.ts";
import { parseSecurityOptions } from "./security-options.ts";
import { createSpec } from "./spec.ts";
import type { DeviceNode, SpecMount, SpecNetwork } from "./spec-options.ts";

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface ContainerNamespaces {
  readonly network: SpecNetwork;
  readonly joined: JoinedNamespaces;
}

/** The root file system must be mounted at files.rootfs: the user's name is looked up there. */
export function createContainerSpec(host: ContainerHost, record: ContainerRecord, runtime: OciRuntime, { network, joined }: ContainerNamespaces): OciSpec {
  const files = containerFiles(host, record);
  const { config } = record;
  const security = parseSecurityOptions(config.securityOptions);
  const user = containerUser(files.rootfs, config, config.user, { forExec: false });
  const init = config.init ? requireInit() : undefined;
  const shared = config.hostNamespaces ?? [];
  const given = config.devices ?? [];
  if (!runtime.canLimit && Object.keys(config.limits).length > 0) {
    host.onWarning("the limits of memory, processors and processes are discarded: control groups cannot be written here");
  }
  return createSpec(
    {
      args: init === undefined ? config.args : [initDestination, "--", ...config.args],
      env: containerEnv(record, user.home),
      cwd: config.cwd === "" ? "/" : config.cwd,
      user,
      rootfs: files.rootfs,
      hostname: shared.includes("uts") ? "" : config.hostname,
      network,
      mounts: parentsFirst([
        ...systemFiles(host, joined.network?.donor ?? record),
        ...record.mounts.map(specMountOf),
        ...(runtime.rootless ? deviceMounts(given) : []),
        ...(init === undefined ? [] : [{ kind: "bind", source: init, destination: initDestination, readOnly: true, sourceKind: "file" } as const]),
      ]),
      hostPid: shared.includes("pid"),
      hostIpc: shared.includes("ipc"),
      ...(joined.pid === undefined ? {} : { joinedPid: joined.pid.path }),
      ...(joined.ipc === undefined ? {} : { joinedIpc: joined.ipc.path, sharedMemory: joined.ipc.sharedMemory }),
      ...(config.ipcMode === "shareable" ? { sharedMemory: makeSharedMemory(files.sharedMemory) } : {}),
      ...(config.ipcMode === "none" ? { noSharedMemory: true } : {}),
      hostUts: shared.includes("uts"),
      ...(config.oomScoreAdj === undefined ? {} : { oomScoreAdj: config.oomScoreAdj }),
      privileged: config.privileged,
      capAdd: config.capAdd,
      capDrop: config.capDrop,
      seccomp: security.seccomp,
      noNewPrivileges: security.noNewPrivileges,
      openSystemPaths: security.openSystemPaths,
      readonlyRoot: config.readonlyRoot,
      terminal: config.terminal,
      ulimits: config.ulimits,
      shmSizeBytes: config.shmSizeBytes,
      ...(runtime.rootless ? {} : { devices: [...(config.privileged ? hostDevices() : []), ...requestedDevices(given)] }),
      deviceRules: (config.deviceRules ?? []).flatMap((rule) => parseDeviceRule(rule) ?? []),
      ...(runtime.canLimit ? { cgroupsPath: cgroupPath(record), limits: config.limits } : {}),
      ...(runtime.canLimit && config.limits.block !== undefined ? { blockIo: blockIoOf(config.limits.block) } : {}),
      privateCgroups: config.cgroupns === "private",
      ...(config.annotations === undefined ? {} : { annotations: config.annotations }),
      sysctls: {
        // what belongs to the other container stays as it is
        ...(network.kind === "host" || joined.network !== undefined ? {} : networkSysctls(runtime)),
        ...(config.domainname === undefined || config.domainname === "" ? {} : { "kernel.domainname": config.domainname }),
        ...config.sysctls,
      },
    },
    specMachine(runtime, "container"),
  );
}

/** With the groups of --group-add, by name or number; a name must be in the container's own /etc/group. */
export function containerUser(rootfs: string, config: ContainerConfig, user: string, options: { readonly forExec: boolean }): ResolvedUser {
  const resolved = resolveUserIn(rootfs, user, options);
  const added = (config.groupAdd ?? []).map((group) => resolveUserIn(rootfs, `0:${group}`, options).gid);
  return { ...resolved, additionalGids: [...resolved.additionalGids, ...new Set(added)] };
}

/** PATH, HOSTNAME, TERM and HOME are added where the image and the user said nothing. */
export function containerEnv(record: ContainerRecord, home: string): string[] {
  const { config } = record;
  const defaults = [defaultPath, `HOSTNAME=${config.hostname}`, ...(config.terminal ? ["TERM=xterm"] : [])];
  // in Docker's order: what replaces a default stands in its place
  const entries = new Map([...defaults, ...config.env].map((entry) => [entry.split("=", 1)[0], entry]));
  return [...entries.values(), ...(entries.has("HOME") ? [] : [`HOME=${home}`])];
}

/** Writes /etc/hosts, /etc/hostname and /etc/resolv.conf of the container. */
export function writeSystemFiles(host: ContainerHost, record: ContainerRecord): void {
  const files = containerFiles(host, record);
  const { config } = record;
  const gateway = hostAddress();
  const hostNetwork = config.networkMode === "host";
  const hosts = hostNetwork
    ? readText("/etc/hosts") +
      makeHosts({ kind: "build", hostname: "", extraHosts: config.extraHosts, ...(gateway === undefined ? {} : { hostGateway: gateway }) })
        .split("\n")
        .slice(2)
        .join("\n")
    : makeHosts({
        kind: "container",
        hostname: config.hostname,
        extraHosts: config.extraHosts,
        ...(gateway === undefined ? {} : { hostGateway: gateway }),
        addresses: ownAddresses(record),
      });
  const resolvConf = makeResolvConf({
    hostText: readText("/etc/resolv.conf"),
    hostNetwork,
    dns: config.dns,
    search: config.dnsSearch,
    options: config.dnsOptions,
    dnsForward: dnsForwardAddress,
    ...(config.networks === undefined || config.networks.attached.length === 0 ? {} : { resolver: resolverAddress }),
  });
  writeFileSync(files.hosts, hosts, { mode: 0o644 });
  writeFileSync(files.hostname, `${config.hostname}\n`, { mode: 0o644 });
  writeFileSync(files.resolvConf, resolvConf, { mode: 0o644 });
}

function ownAddresses({ config, endpoints = [] }: ContainerRecord): readonly string[] {
  const onBridge = config.networkMode === "bridge" && (config.networks?.bridge ?? true);
  const inUse = endpoints.filter(({ networkId }) => config.networks?.attached.some((attachment) => attachment.networkId === networkId));
  return [...(onBridge ? [containerAddress] : []), ...inUse.map(({ address }) => address)];
}

function makeSharedMemory(path: string): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o1777);
  return path;
}

/** A volume at /etc must not cover /etc/hosts, nor one at /a another at /a/b. */
function parentsFirst(mounts: readonly SpecMount[]): readonly SpecMount[] {
  const depth = ({ destination }: SpecMount): number => destination.split("/").length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}

function systemFiles(host: ContainerHost, record: ContainerRecord): SpecMount[] {
  const files = containerFiles(host, record);
  const file = (source: string, destination: string): SpecMount => ({ kind: "bind", source, destination, readOnly: false, sourceKind: "file" });
  return [file(files.resolvConf, "/etc/resolv.conf"), file(files.hostname, "/etc/hostname"), file(files.hosts, "/etc/hosts")];
}

function specMountOf(mount: ContainerMount): SpecMount {
  const size = mount.sizeBytes === undefined ? {} : { sizeBytes: mount.sizeBytes };
  if (mount.type === "tmpfs") {
    // the options that the user gave replace the cautious ones of the same name
    const cautious = ["nosuid", "noexec", "nodev"].filter((option) => !mount.options.includes(option.slice(2)) && !mount.options.includes(option));
    const mode = mount.options.map((option) => /^mode=([0-7]+)$/.exec(option)?.[1]).findLast((digits) => digits !== undefined);
    const options = [...cautious, ...mount.options.filter((option) => !/^mode=[0-7]+$/.test(option))];
    const given = mode === undefined ? {} : { mode: Number.parseInt(mode, 8) };
    return { kind: "tmpfs", destination: mount.destination, readOnly: mount.readOnly, options, ...size, ...given };
  }
  if (mount.filesystem !== undefined) {
    const { type, device, options } = mount.filesystem;
    return { kind: "filesystem", type, source: device, destination: mount.destination, readOnly: mount.readOnly, options };
  }
  const propagation = mount.options.filter((option) => /^r?(private|shared|slave)$/.test(option));
  return {
    kind: "bind",
    source: mount.subpath === undefined ? mount.source : subpathOf(mount.source, mount.subpath),
    destination: mount.destination,
    readOnly: mount.readOnly,
    ...(mount.nonRecursive === true ? { nonRecursive: true } : {}),
    options: propagation.length > 0 ? propagation : ["rprivate"],
  };
}

/** VOLUME_SUBPATH (failed_precondition) in Docker's words; links that lead out of the volume are refused. */
function subpathOf(volume: string, subpath: string): string {
  const path = join(volume, subpath);
  const failed = (reason: string): SlipwayError =>
    new SlipwayError("failed_precondition", "VOLUME_SUBPATH", printable(`cannot access path ${path}: ${reason}`), { path, exitCode: 127 });
  try {
    const real = realpathSync(path);
    if (real === volume || real.startsWith(`${realpathSync(volume)}/`)) return real;
  } catch (error) {
    throw failed(`lstat ${path}: ${errnoOf(error) === "ENOENT" ? "no such file or directory" : String(errnoOf(error))}`);
  }
  throw failed("it leads out of the volume");
}

function networkSysctls(runtime: OciRuntime): Record<string, string> {
  // groups that are not mapped cannot be named
  return { "net.ipv4.ip_unprivileged_port_start": "0", ...(runtime.rootless ? {} : { "net.ipv4.ping_group_range": "0 2147483647" }) };
}

const skippedDevices = new Set([
  "console",
  "fd",
  "mqueue",
  "pts",
  "ptmx",
  "shm",
  "stderr",
  "stdin",
  "stdout",
  "tty",
  "null",
  "zero",
  "full",
  "random",
  "urandom",
]);

/** What a privileged container finds in /dev: the host's devices. */
function hostDevices(directory = "/dev", depth = 0): DeviceNode[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry): DeviceNode[] => {
    const path = join(directory, entry.name);
    if (depth === 0 && skippedDevices.has(entry.name)) return [];
    if (entry.isDirectory()) return depth < 3 ? hostDevices(path, depth + 1) : [];
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    const node = nodeFrom(statSync(path), path);
    return node === undefined ? [] : [node];
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
