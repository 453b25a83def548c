/** The flags of `run` and `create` as the engine's options. */
import type { LimitOptions, RunOptions } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Invocation } from "../command.ts";
import { refusedRunFlags } from "../definitions/run-flags.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { configuredProxies } from "./config-proxies.ts";
import { readKeyValueFile, recordFrom } from "./key-value.ts";
import { platformOption } from "./platform-flag.ts";
import { healthOf } from "./run-health.ts";
import { blockLimits } from "./run-block.ts";
import { deviceOptions } from "./run-devices.ts";
import { networkOptions } from "./run-networks.ts";
import { parseMounts } from "./run-mounts.ts";
import { securityOptions } from "./run-security.ts";
import { platformFrom } from "./default-platform.ts";

const pullPolicies = ["always", "missing", "never"] as const;

export function parsePullPolicy(text: string): (typeof pullPolicies)[number] {
  const policy = pullPolicies.find((candidate) => candidate === text);
  if (policy !== undefined) return policy;
  throw cliError(`invalid pull option: '${text}': must be one of "always", "missing" or "never"`);
}

/** What cannot be had is refused before anything is made; what is no request at all passes. */
function refuse(flags: ParsedFlags): void {
  for (const [name, reason] of refusedRunFlags) if (flags.changed(name)) throw cliError(`--${name} cannot be had: ${reason}`);
  const [isolation, userns] = [flags.string("isolation"), flags.string("userns")];
  if (isolation !== "" && isolation !== "default") throw cliError(`invalid isolation (${isolation}): linux only supports 'default'`);
  if (userns !== "" && userns !== "host") throw cliError("--userns: invalid USER mode");
}

function cgroupNamespace(flags: ParsedFlags): "host" | "private" | undefined {
  const mode = flags.string("cgroupns");
  if (mode === "" || mode === "host" || mode === "private") return mode === "" ? undefined : mode;
  throw cliError("--cgroupns: invalid CGROUP mode");
}

/** Keys whose value is given, so that exactOptionalPropertyTypes is met. */
function given<Value extends object>(fields: { readonly [Key in keyof Value]: Value[Key] | undefined }): Partial<Value> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Value>;
}

function labelsOf(cli: Cli, flags: ParsedFlags): Record<string, string> {
  return recordFrom([...flags.list("label-file").flatMap((path) => readKeyValueFile(cli, path)), ...flags.list("label")]);
}

/** The proxies of Docker's config.json are the container's unless the user says other ones. */
function environmentOf(cli: Cli, flags: ParsedFlags): readonly string[] {
  const given = [...flags.list("env-file").flatMap((path) => readKeyValueFile(cli, path)), ...flags.list("env")];
  const proxies = configuredProxies(
    cli,
    given.map((word) => word.split("=")[0] ?? ""),
  );
  return [...Object.entries(proxies).map(([name, value]) => `${name}=${value}`), ...given];
}

/** "host" shares the machine's. */
function hostNamespaces(flags: ParsedFlags): readonly ("pid" | "ipc" | "uts")[] {
  const known = (name: "pid" | "uts", mode: string): boolean => ["", "host"].includes(mode) || (name === "pid" && /^container:./.test(mode));
  for (const name of ["pid", "uts"] as const) {
    if (!known(name, flags.string(name))) throw cliError(`--${name}: invalid ${name.toUpperCase()} mode`);
  }
  return (["pid", "ipc", "uts"] as const).filter((name) => flags.string(name) === "host");
}

export function limitsOf(flags: ParsedFlags): LimitOptions {
  const unlimited = flags.optional("memory-swap") === "-1";
  return given<LimitOptions>({
    memoryBytes: flags.bytes("memory"),
    memorySwapBytes: unlimited ? -1 : flags.bytes("memory-swap"),
    memoryReservationBytes: flags.bytes("memory-reservation"),
    cpus: rational(flags.optional("cpus")),
    cpuPeriodUs: flags.number("cpu-period"),
    cpuQuotaUs: flags.number("cpu-quota"),
    cpuShares: flags.number("cpu-shares"),
    cpusetCpus: flags.optional("cpuset-cpus"),
    cpusetMems: flags.optional("cpuset-mems"),
    pidsLimit: flags.number("pids-limit"),
    realtimePeriodUs: flags.number("cpu-rt-period"),
    realtimeRuntimeUs: flags.number("cpu-rt-runtime"),
  } as { readonly [Key in keyof LimitOptions]: LimitOptions[Key] | undefined });
}

/** Those that `update` has not. */
function furtherLimits(flags: ParsedFlags): LimitOptions {
  return given<LimitOptions>({
    block: blockLimits(flags),
    memorySwappiness: flags.changed("memory-swappiness") ? flags.number("memory-swappiness") : undefined,
    oomKillDisable: flags.bool("oom-kill-disable") ? true : undefined,
  } as { readonly [Key in keyof LimitOptions]: LimitOptions[Key] | undefined });
}

/** "1.5" or "3/2". */
function rational(text: string | undefined): number | undefined {
  const [numerator, denominator = "1"] = text?.split("/") ?? [];
  return numerator === undefined ? undefined : Number(numerator) / Number(denominator);
}

function checkedExpose(text: string): string {
  const [range = ""] = text.split("/");
  const [first = "", last = first] = range.split(/-(.*)/s);
  const reason = portProblem(first) ?? portProblem(last) ?? (Number(first) > Number(last) ? `invalid range specified for port: ${range}` : undefined);
  if (reason === undefined) return text;
  throw cliError(`invalid range format for --expose: ${text}, error: ${reason}`);
}

function portProblem(port: string): string | undefined {
  const parsing = `strconv.ParseUint: parsing ${JSON.stringify(port)}`;
  if (!/^\d+$/.test(port)) return `${parsing}: invalid syntax`;
  return Number(port) > 65_535 ? `${parsing}: value out of range` : undefined;
}

function restartOf(flags: ParsedFlags): string | undefined {
  const restart = flags.changed("restart") ? flags.string("restart") : undefined;
  if (flags.bool("rm") && restart !== undefined && restart !== "" && restart !== "no")
    throw cliError("conflicting options: cannot specify both --restart and --rm");
  return restart;
}

/** Docker's client refuses it before anybody parses the others. */
function checkedVolumes(volumes: readonly string[]): readonly string[] {
  for (const volume of volumes) {
    if (volume === "") throw cliError("invalid empty volume spec");
    const isTooLong = volume.split(":").length > 3;
    if (/^[./:]/.test(volume) && isTooLong) throw cliError(`invalid spec: ${volume}: too many colons`);
    if (/^:|:$/.test(volume) && !isTooLong) throw cliError(`invalid spec: ${volume}: empty section between colons`);
  }
  return volumes;
}

/** Fails with USAGE, INPUT_FILE or UNKNOWN_FLAG (invalid_argument). */
export function runOptionsFrom(cli: Cli, { flags, args }: Invocation): RunOptions {
  refuse(flags);
  platformOption(flags, "error parsing specified platform: ", { late: true });
  const [image, ...command] = args;
  const entrypoint = flags.optional("entrypoint");
  return {
    image: image!,
    env: environmentOf(cli, flags),
    publish: flags.list("publish"),
    publishAll: flags.bool("publish-all"),
    volumes: checkedVolumes(flags.list("volume")),
    mounts: parseMounts(flags.list("mount")),
    tmpfs: flags.list("tmpfs"),
    labels: labelsOf(cli, flags),
    addHosts: flags.list("add-host"),
    capAdd: flags.list("cap-add"),
    capDrop: flags.list("cap-drop"),
    ulimits: flags.list("ulimit"),
    dns: flags.list("dns"),
    dnsSearch: flags.list("dns-search"),
    dnsOptions: flags.list("dns-option"),
    groupAdd: flags.list("group-add"),
    ...deviceOptions(flags),
    sysctls: flags.list("sysctl"),
    securityOptions: securityOptions(cli, flags),
    expose: flags.list("expose").map(checkedExpose),
    volumesFrom: flags.list("volumes-from"),
    hostNamespaces: hostNamespaces(flags),
    limits: { ...limitsOf(flags), ...furtherLimits(flags) },
    tty: flags.bool("tty"),
    interactive: flags.bool("interactive"),
    remove: flags.bool("rm"),
    init: flags.bool("init"),
    readOnly: flags.bool("read-only"),
    privileged: flags.bool("privileged"),
    pull: parsePullPolicy(flags.string("pull")),
    signal: cli.signal,
    ...(command.length === 0 ? {} : { command }),
    // an empty --entrypoint takes the image's away
    ...(entrypoint === undefined ? {} : { entrypoint: entrypoint === "" ? [] : [entrypoint] }),
    ...given<RunOptions>({
      name: flags.optional("name"),
      workdir: flags.optional("workdir"),
      user: flags.optional("user"),
      hostname: flags.optional("hostname"),
      domainname: flags.optional("domainname"),
      oomScoreAdj: flags.changed("oom-score-adj") ? flags.number("oom-score-adj") : undefined,
      logDriver: flags.optional("log-driver"),
      logOptions: flags.list("log-opt").length === 0 ? undefined : flags.list("log-opt"),
      annotations: flags.changed("annotation") ? flags.list("annotation") : undefined,
      cgroupParent: flags.optional("cgroup-parent"),
      cgroupns: cgroupNamespace(flags),
      runtime: flags.optional("runtime"),
      ...networkOptions(flags),
      shmSizeBytes: flags.bytes("shm-size"),
      health: healthOf(flags),
      pid: flags.optional("pid"),
      ipc: flags.optional("ipc"),
      restart: restartOf(flags),
      stopSignal: flags.optional("stop-signal"),
      stopTimeoutSeconds: flags.number("stop-timeout"),
      platform: platformFrom(cli, flags),
      volumeDriver: flags.optional("volume-driver"),
    } as { readonly [Key in keyof RunOptions]: RunOptions[Key] | undefined }),
  };
}
