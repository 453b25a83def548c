/** `run`'s options over an image's config → what the runtime creates. Docker's precedence, nothing started. */
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { ContainerConfig as ImageContainerConfig } from "../../oci/image-config.ts";
import type { ContainerConfig, ContainerMount } from "../../runtime/container-records.ts";
import { parseSecurityOptions } from "../../runtime/security-options.ts";
import { signalNumber } from "../../runtime/signals.ts";
import { parsePublish, type PortMapping } from "../../runtime/ports.ts";
import { chooseCapabilities } from "../../runtime/capabilities.ts";
import { parseUlimit } from "../../runtime/ulimit.ts";
import { defaultPath } from "../../graph/stage-state.ts";
import type { RunOptions } from "../api.ts";
import { mountRequest } from "./mount-options.ts";
import { parseRestartPolicy } from "./restart-policy.ts";
import { ipcModeFrom } from "./join-options.ts";
import { healthOf } from "./health-options.ts";
import { machineLimitSupport, supportedLimits } from "./limit-support.ts";
import { runtimeSettings } from "./runtime-settings.ts";
import { limitsFrom } from "./resource-limits.ts";

const defaultShmBytes = 64 << 20;

/** INVALID_CAPABILITY in Docker's words, before anything is made. */
function capabilitiesOf({ capAdd: add = [], capDrop: drop = [] }: RunOptions): Pick<ContainerConfig, "capAdd" | "capDrop"> {
  chooseCapabilities({ add, drop });
  return { capAdd: add, capDrop: drop };
}

/** Fails with NO_COMMAND, INVALID_WORKDIR (invalid_argument) in Docker's words. */
export function containerConfig(
  options: RunOptions,
  image: ImageContainerConfig,
  warn: (message: string) => void = () => undefined,
): Omit<ContainerConfig, "networkMode"> {
  return {
    args: commandOf(options, image),
    env: environment(options, image),
    cwd: workingDirectory(options.workdir) ?? image.WorkingDir ?? "",
    user: options.user ?? image.User ?? "",
    hostname: options.hostname ?? "",
    terminal: options.tty === true,
    openStdin: options.interactive === true,
    removeOnExit: options.remove === true,
    privileged: options.privileged === true,
    readonlyRoot: options.readOnly === true,
    ...capabilitiesOf(options),
    securityOptions: checkedSecurityOptions(options.securityOptions ?? []),
    ulimits: (options.ulimits ?? []).map(parseUlimit),
    limits: supportedLimits(limitsFrom(options.limits ?? {}), machineLimitSupport(), warn),
    shmSizeBytes: options.shmSizeBytes ?? defaultShmBytes,
    extraHosts: options.addHosts ?? [],
    dns: options.dns ?? [],
    dnsSearch: options.dnsSearch ?? [],
    dnsOptions: options.dnsOptions ?? [],
    domainname: options.domainname ?? "",
    groupAdd: options.groupAdd ?? [],
    devices: options.devices ?? [],
    deviceRules: options.deviceRules ?? [],
    sysctls: Object.fromEntries((options.sysctls ?? []).map(splitOnce)),
    ...(options.oomScoreAdj === undefined ? {} : { oomScoreAdj: checkedScore(options.oomScoreAdj) }),
    ...runtimeSettings(options),
    hostNamespaces: options.hostNamespaces ?? [],
    ...ipcModeFrom(options.ipc),
    exposedPorts: exposedPorts(options, image),
    binds: (options.volumes ?? []).filter((value) => value.includes(":")),
    mountRequests: (options.mounts ?? []).map(mountRequest),
    volumesFrom: options.volumesFrom ?? [],
    ...healthOf(options.health, image),
    restartPolicy: parseRestartPolicy(options.restart ?? ""),
    stopSignal: checkedSignal(options.stopSignal) ?? image.StopSignal ?? "",
    stopTimeoutMs: (options.stopTimeoutSeconds ?? 0) * 1000,
    init: options.init === true,
  };
}

function workingDirectory(path: string | undefined): string | undefined {
  if (path === undefined || path === "" || path.startsWith("/")) return path;
  throw new SlipwayError("invalid_argument", "INVALID_WORKDIR", printable(`the working directory '${path}' is invalid, it needs to be an absolute path`), {
    workdir: path,
  });
}

/** Fails with INVALID_SIGNAL (invalid_argument) in Docker's words. */
function checkedSignal(text: string | undefined): string | undefined {
  if (text !== undefined && text !== "" && signalNumber(text) === undefined)
    throw new SlipwayError("invalid_argument", "INVALID_SIGNAL", printable(`invalid signal: ${text}`), { signal: text });
  return text;
}

function checkedScore(value: number): number {
  if (value >= -1000 && value <= 1000) return value;
  throw new SlipwayError("invalid_argument", "INVALID_LIMIT", `Invalid value ${value}, range for oom score adj is [-1000, 1000]`);
}

/** Fails with INVALID_SECURITY_OPTION now rather than at the start. */
function checkedSecurityOptions(options: readonly string[]): readonly string[] {
  parseSecurityOptions(options);
  return options;
}

function splitOnce(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function exposedPorts(options: RunOptions, image: ImageContainerConfig): readonly string[] {
  const ports = [...Object.keys(image.ExposedPorts ?? {}), ...(options.expose ?? []), ...(options.publish ?? [])].flatMap(parsePublish);
  return [...new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`))].sort();
}

/** A given entrypoint drops the image's command; `--entrypoint ""` drops the image's entrypoint. */
function commandOf(options: RunOptions, image: ImageContainerConfig): readonly string[] {
  const entrypoint = options.entrypoint === undefined ? (image.Entrypoint ?? []) : options.entrypoint.filter((word, index) => index > 0 || word !== "");
  const given = options.command ?? [];
  const command = given.length > 0 ? given : options.entrypoint === undefined ? (image.Cmd ?? []) : [];
  const args = [...entrypoint, ...command];
  if (args.length === 0) throw new SlipwayError("invalid_argument", "NO_COMMAND", "no command specified", { remedy: "name a command after the image" });
  return args;
}

function environment(options: RunOptions, image: ImageContainerConfig): readonly string[] {
  const env = new Map<string, string>();
  for (const entry of [...(image.Env ?? []), ...(options.env ?? [])]) {
    const equals = entry.indexOf("=");
    if (equals >= 0) env.set(entry.slice(0, equals), entry.slice(equals + 1));
    else {
      const value = process.env[entry];
      if (value === undefined) env.delete(entry);
      else env.set(entry, value);
    }
  }
  if (!env.has("PATH")) env.set("PATH", defaultPath);
  return [...env].map(([key, value]) => `${key}=${value}`);
}

/** `-p` values, and with `-P` a free port for each port that the image exposes and nobody published. */
export function portsOf(options: RunOptions, image: ImageContainerConfig): readonly PortMapping[] {
  const published = (options.publish ?? []).flatMap(parsePublish);
  if (options.publishAll !== true) return published;
  const exposed = exposedPorts({ ...options, publish: [] }, image).flatMap(parsePublish);
  return [
    ...published,
    ...exposed.filter((port) => !published.some((other) => other.containerPort === port.containerPort && other.protocol === port.protocol)),
  ];
}

/** `--tmpfs /path[:options]`. */
export function tmpfsMounts(values: readonly string[]): readonly ContainerMount[] {
  return values.map((value) => {
    const colon = value.indexOf(":");
    const options = colon < 0 ? [] : value.slice(colon + 1).split(",");
    const destination = colon < 0 ? value : value.slice(0, colon);
    if (!destination.startsWith("/")) throw invalidTmpfs(`invalid mount path: '${destination}' mount path must be absolute`);
    const wrong = options.find((option) => !tmpfsOption.test(option));
    if (wrong !== undefined) throw invalidTmpfs(`invalid tmpfs option ${JSON.stringify(wrong)}`);
    return {
      type: "tmpfs",
      source: "",
      destination,
      readOnly: options.includes("ro"),
      options: options.filter((option) => option !== "ro" && option !== "rw"),
    };
  });
}

const tmpfsOption =
  /^(?:|ro|rw|(?:no)?(?:suid|dev|exec|atime|diratime|relatime|strictatime)|a?sync|dirsync|(?:un)?bindable|r?(?:private|shared|slave|unbindable)|(?:mode|uid|gid|size|nr_inodes|nr_blocks|mpol)=.*)$/;

function invalidTmpfs(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_VOLUME", printable(message));
}
