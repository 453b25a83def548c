/** Docker's `container inspect` object from a record. Pure but for the store's path. */
import type { DeviceRate } from "../../runtime/block-limits.ts";
import type { ContainerMount, ContainerRecord, ContainerState } from "../../runtime/container-records.ts";
import type { Health } from "../../runtime/health-checks.ts";
import { isUp } from "../../runtime/container-status.ts";
import type { ContainerSize } from "./container-size.ts";
import { predefinedId } from "../networks/network-store.ts";
import { containerEndpoints, networkModeOf } from "./inspect-endpoints.ts";
import type { Store } from "../../store/index.ts";

const never = "0001-01-01T00:00:00Z";

export interface Surroundings {
  readonly state: ContainerState;
  readonly store: Store;
  readonly size?: ContainerSize;
  readonly health?: Health;
}

export function inspectContainer(record: ContainerRecord, { state, store, size, health }: Surroundings): Readonly<Record<string, unknown>> {
  const { config } = record;
  const [path, ...args] = config.args;
  return {
    Id: record.id,
    Created: record.created,
    Path: path ?? "",
    Args: args,
    State: {
      Status: state.status,
      Running: isUp(state),
      Paused: state.status === "paused",
      Restarting: state.status === "restarting",
      OOMKilled: state.oomKilled,
      Dead: state.status === "dead",
      Pid: state.pid,
      ExitCode: state.exitCode,
      Error: state.error,
      StartedAt: state.startedAt === "" ? never : state.startedAt,
      FinishedAt: state.finishedAt === "" ? never : state.finishedAt,
      ...(health === undefined ? {} : { Health: healthObject(health) }),
    },
    Image: record.imageId,
    ResolvConfPath: `${record.paths.directory}/resolv.conf`,
    HostnamePath: `${record.paths.directory}/hostname`,
    HostsPath: `${record.paths.directory}/hosts`,
    LogPath: `${record.paths.directory}/container.log`,
    Name: `/${record.name}`,
    RestartCount: record.restarts?.count ?? 0,
    Driver: "overlayfs",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: hostConfig(record),
    GraphDriver: { Data: { LowerDir: record.paths.lowers.join(":"), UpperDir: record.paths.upper, WorkDir: record.paths.work }, Name: "overlayfs" },
    ...(size === undefined ? {} : { SizeRw: size.writtenBytes, SizeRootFs: size.rootBytes }),
    Mounts: record.mounts.filter((mount) => mount.type !== "tmpfs" || mount.asMount === true).map(mountPoint),
    Config: containerConfig(record, store),
    NetworkSettings: networkSettings(record, state, (name) => predefinedId(store, name)),
  };
}

function healthObject({ status, failingStreak, log }: Health): Readonly<Record<string, unknown>> {
  const results = log.map(({ start, end, exitCode, output }) => ({ Start: start, End: end, ExitCode: exitCode, Output: output }));
  return { Status: status, FailingStreak: failingStreak, Log: results };
}

function mountPoint(mount: ContainerMount): Readonly<Record<string, unknown>> {
  const propagation = mount.options.find((option) => /^r?(?:private|shared|slave)$/.test(option)) ?? "rprivate";
  return {
    Type: mount.type,
    ...(mount.name === undefined ? {} : { Name: mount.name }),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.type === "volume" ? { Driver: "local" } : {}),
    Mode: mount.type === "volume" || mount.asMount !== true ? mount.options.join(",") : "",
    RW: !mount.readOnly,
    Propagation: mount.type === "bind" ? propagation : "",
  };
}

function hostConfig(record: ContainerRecord): Readonly<Record<string, unknown>> {
  const { config } = record;
  return {
    Binds: config.binds?.length ? config.binds : null,
    NetworkMode: networkModeOf(config),
    PortBindings: portBindings(record),
    RestartPolicy: { Name: config.restartPolicy?.name ?? "no", MaximumRetryCount: config.restartPolicy?.maximumRetryCount ?? 0 },
    AutoRemove: config.removeOnExit,
    VolumeDriver: "",
    VolumesFrom: config.volumesFrom?.length ? config.volumesFrom : null,
    CapAdd: config.capAdd.length === 0 ? null : config.capAdd,
    CapDrop: config.capDrop.length === 0 ? null : config.capDrop,
    Dns: config.dns,
    DnsOptions: config.dnsOptions,
    DnsSearch: config.dnsSearch,
    GroupAdd: config.groupAdd?.length ? config.groupAdd : null,
    SecurityOpt: config.securityOptions.length === 0 ? null : config.securityOptions,
    OomScoreAdj: config.oomScoreAdj ?? 0,
    PidMode: hostMode(config, "pid"),
    IpcMode: hostMode(config, "ipc") || (config.ipcMode ?? "private"),
    UTSMode: hostMode(config, "uts"),
    UsernsMode: "",
    CgroupnsMode: config.cgroupns ?? "host",
    Cgroup: "",
    CgroupParent: config.cgroupParent ?? "",
    Runtime: runtimeName(record),
    Isolation: "",
    LogConfig: { Type: config.logging?.driver ?? "json-file", Config: config.logging?.options ?? {} },
    ...(config.annotations === undefined ? {} : { Annotations: config.annotations }),
    Sysctls: config.sysctls ?? {},
    ...resources(config.limits),
    Devices: (config.devices ?? []).map(({ host, container, permissions }) => ({
      PathOnHost: host,
      PathInContainer: container,
      CgroupPermissions: permissions,
    })),
    DeviceCgroupRules: config.deviceRules?.length ? config.deviceRules : null,
    ExtraHosts: config.extraHosts.length === 0 ? null : config.extraHosts,
    Privileged: config.privileged,
    ReadonlyRootfs: config.readonlyRoot,
    ShmSize: config.shmSizeBytes,
    Init: config.init,
    ...(config.mountRequests?.length ? { Mounts: config.mountRequests } : {}),
    ...tmpfsOf(record),
    Ulimits: config.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
  };
}

function tmpfsOf({ mounts }: ContainerRecord): Readonly<Record<string, unknown>> {
  const given = mounts.filter((mount) => mount.type === "tmpfs" && mount.asMount !== true);
  const options = ({ readOnly, options: words }: ContainerMount): string => [...(readOnly ? ["ro"] : []), ...words].join(",");
  return given.length === 0 ? {} : { Tmpfs: Object.fromEntries(given.map((mount) => [mount.destination, options(mount)])) };
}

function hostMode(config: ContainerRecord["config"], name: "pid" | "ipc" | "uts"): string {
  const donor = name === "uts" ? undefined : config.joins?.[name];
  if (donor !== undefined) return `container:${donor}`;
  return config.hostNamespaces?.includes(name) === true ? "host" : "";
}

function resources(limits: ContainerRecord["config"]["limits"]): Readonly<Record<string, unknown>> {
  return {
    Memory: limits.memoryBytes ?? 0,
    MemoryReservation: limits.memoryReservationBytes ?? 0,
    MemorySwap: limits.memorySwapBytes ?? 0,
    NanoCpus: limits.nanoCpus ?? 0,
    CpuPeriod: limits.nanoCpus === undefined ? (limits.cpuPeriodUs ?? 0) : 0,
    CpuQuota: limits.nanoCpus === undefined ? (limits.cpuQuotaUs ?? 0) : 0,
    CpuShares: limits.cpuShares ?? 0,
    CpusetCpus: limits.cpusetCpus ?? "",
    CpusetMems: limits.cpusetMems ?? "",
    PidsLimit: limits.pidsLimit ?? null,
    CpuRealtimePeriod: limits.realtimePeriodUs ?? 0,
    CpuRealtimeRuntime: limits.realtimeRuntimeUs ?? 0,
    BlkioWeight: limits.block?.weight ?? 0,
    BlkioWeightDevice: (limits.block?.weightDevices ?? []).map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: ratesOf(limits.block?.readBps),
    BlkioDeviceWriteBps: ratesOf(limits.block?.writeBps),
    BlkioDeviceReadIOps: ratesOf(limits.block?.readIops),
    BlkioDeviceWriteIOps: ratesOf(limits.block?.writeIops),
    MemorySwappiness: limits.memorySwappiness ?? null,
    OomKillDisable: limits.oomKillDisable ?? false,
  };
}

function ratesOf(rates: readonly DeviceRate[] = []): readonly Readonly<Record<string, unknown>>[] {
  return rates.map(({ path, rate }) => ({ Path: path, Rate: rate }));
}

/** As it was asked for, or as the last run had it. */
function runtimeName({ config, runtimePath }: ContainerRecord): string {
  return config.runtime ?? (runtimePath.endsWith("/runc") ? "runc" : "crun");
}

function containerConfig(record: ContainerRecord, store: Store): Readonly<Record<string, unknown>> {
  const { config } = record;
  const image = record.imageId === "" ? undefined : imageConfigOf(record, store);
  return {
    Hostname: config.hostname,
    Domainname: config.domainname ?? "",
    User: config.user,
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    ExposedPorts: Object.fromEntries((config.exposedPorts ?? record.ports.map((port) => `${port.containerPort}/${port.protocol}`)).map((port) => [port, {}])),
    Tty: config.terminal,
    OpenStdin: config.openStdin,
    StdinOnce: false,
    Env: config.env,
    Cmd: image?.Entrypoint === undefined || image.Entrypoint === null ? config.args : config.args.slice(image.Entrypoint.length),
    ...(config.healthcheck === undefined ? {} : { Healthcheck: config.healthcheck }),
    Image: record.imageName,
    ...(config.macAddress === undefined ? {} : { MacAddress: config.macAddress }),
    Volumes: volumesOf(record),
    WorkingDir: config.cwd,
    Entrypoint: image?.Entrypoint ?? null,
    OnBuild: null,
    Labels: record.labels,
    ...(config.stopSignal === "" ? {} : { StopSignal: config.stopSignal }),
  };
}

/** -v /path and the image's VOLUMEs. */
function volumesOf({ mounts }: ContainerRecord): Readonly<Record<string, object>> | null {
  const paths = mounts.filter((mount) => mount.type === "volume" && mount.asMount !== true && mount.options.length === 0).map((mount) => mount.destination);
  return paths.length === 0 ? null : Object.fromEntries(paths.sort().map((path) => [path, {}]));
}

function imageConfigOf(record: ContainerRecord, store: Store): { readonly Entrypoint?: readonly string[] | null } | undefined {
  try {
    return store.images.config(record.imageId as Parameters<typeof store.images.config>[0]).config;
  } catch {
    return undefined;
  }
}

function portBindings(record: ContainerRecord): Readonly<Record<string, unknown>> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { hostIp, hostPort, containerPort, protocol } of record.ports)
    (bindings[`${containerPort}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort: String(hostPort) });
  return bindings;
}

function networkSettings(record: ContainerRecord, state: ContainerState, networkIdOf: (name: string) => string): Readonly<Record<string, unknown>> {
  const running = isUp(state);
  const ports: Record<string, { HostIp: string; HostPort: string }[]> = {};
  if (running) {
    for (const { hostIp, hostPort, containerPort, protocol } of record.ports) {
      const addresses = hostIp === "" ? ["0.0.0.0", "::"] : [hostIp];
      (ports[`${containerPort}/${protocol}`] ??= []).push(...addresses.map((address) => ({ HostIp: address, HostPort: String(hostPort) })));
    }
  }
  const { top, networks } = containerEndpoints(record, running, networkIdOf);
  return { Bridge: "", SandboxID: "", SandboxKey: "", Ports: ports, ...top, Networks: networks };
}
