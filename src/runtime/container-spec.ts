/** From a container's record to what the OCI runtime is told. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import type { ContainerMount, ContainerRecord } from "./container-records.ts";
import { hostAddress } from "./host-address.ts";
import { containerAddress, dnsForwardAddress } from "./network.ts";
import { makeHosts, makeResolvConf } from "./network-files.ts";
import { specMachine, type OciRuntime } from "./oci-runtime.ts";
import type { OciSpec } from "./oci-spec.ts";
import { resolveUserIn } from "./rootfs-files.ts";
import { createSpec } from "./spec.ts";
import type { DeviceNode, SpecMount, SpecNetwork } from "./spec-options.ts";

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The root file system must be mounted at files.rootfs: the user's name is looked up there. */
export function createContainerSpec(host: ContainerHost, record: ContainerRecord, runtime: OciRuntime, network: SpecNetwork): OciSpec {
  const files = containerFiles(host, record);
  const { config } = record;
  const security = parseSecurityOptions(config.securityOptions);
  return createSpec(
    {
      args: config.args,
      env: containerEnv(record, resolveUserIn(files.rootfs, config.user, { forExec: false }).home),
      cwd: config.cwd === "" ? "/" : config.cwd,
      user: resolveUserIn(files.rootfs, config.user, { forExec: false }),
      rootfs: files.rootfs,
      hostname: config.hostname,
      network,
      mounts: [...systemFiles(host, record), ...record.mounts.map(specMountOf)],
      privileged: config.privileged,
      capAdd: config.capAdd,
      capDrop: config.capDrop,
      seccomp: security.seccomp,
      noNewPrivileges: security.noNewPrivileges,
      readonlyRoot: config.readonlyRoot,
      terminal: config.terminal,
      ulimits: config.ulimits,
      shmSizeBytes: config.shmSizeBytes,
      ...(config.privileged && !runtime.rootless ? { devices: hostDevices() } : {}),
      ...(runtime.canLimit ? { cgroupsPath: `/slipway/${record.id}`, limits: config.limits } : {}),
      ...(network.kind === "host" ? {} : { sysctls: networkSysctls(runtime) }),
    },
    specMachine(runtime, "container"),
  );
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
        ...(config.networkMode === "bridge" ? { address: containerAddress } : {}),
      });
  const resolvConf = makeResolvConf({
    hostText: readText("/etc/resolv.conf"),
    hostNetwork,
    dns: config.dns,
    search: config.dnsSearch,
    options: config.dnsOptions,
    dnsForward: dnsForwardAddress,
  });
  writeFileSync(files.hosts, hosts, { mode: 0o644 });
  writeFileSync(files.hostname, `${config.hostname}\n`, { mode: 0o644 });
  writeFileSync(files.resolvConf, resolvConf, { mode: 0o644 });
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
    return { kind: "tmpfs", destination: mount.destination, readOnly: mount.readOnly, options: [...cautious, ...mount.options], ...size };
  }
  const propagation = mount.options.filter((option) => /^r?(private|shared|slave)$/.test(option));
  return {
    kind: "bind",
    source: mount.source,
    destination: mount.destination,
    readOnly: mount.readOnly,
    options: propagation.length > 0 ? propagation : ["rprivate"],
  };
}

export function parseSecurityOptions(options: readonly string[]): { readonly seccomp: "default" | "unconfined"; readonly noNewPrivileges: boolean } {
  let seccomp: "default" | "unconfined" = "default";
  let noNewPrivileges = false;
  for (const option of options) {
    if (/^seccomp[=:]unconfined$/.test(option)) seccomp = "unconfined";
    else if (/^no-new-privileges([=:]true)?$/.test(option)) noNewPrivileges = true;
    else if (!/^(seccomp[=:](builtin|default)|no-new-privileges[=:]false|apparmor[=:].*|label[=:].*|systempaths[=:].*)$/.test(option)) {
      throw new SlipwayError("invalid_argument", "INVALID_SECURITY_OPTION", printable(`invalid --security-opt: "${option}"`));
    }
  }
  return { seccomp, noNewPrivileges };
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
    const { rdev, mode, uid, gid } = statSync(path);
    return [
      {
        path,
        type: entry.isBlockDevice() ? "b" : "c",
        major: (rdev >> 8) & 0xfff,
        minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00),
        mode: mode & 0o7777,
        uid,
        gid,
      },
    ];
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
