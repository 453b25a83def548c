/**
 * Network namespaces with a way out (and in) through pasta, as root and inside a user namespace alike. Namespaces are bound to a file in
 * our private mount namespace: pasta watches the file and ends when it goes; a death note ends it with this process.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { enterPrivateMountNamespace, unmount } from "../store/overlay.ts";
import { killCommand, noteDeath, startTimeTicks, type DeathNote } from "./death-watch.ts";
import { endProcess } from "./end-process.ts";
import { containerAddress, containerGateway, dnsForwardAddress } from "./network-addresses.ts";
import { needsDnsForward } from "./network-files.ts";
import { hostAddress } from "./host-address.ts";
import { choosePorts, checkPortsFree } from "./port-check.ts";
import type { PortMapping } from "./ports.ts";
import { findProgram, requireProgram } from "./programs.ts";
import { runProgram } from "./run-program.ts";
import { requireTunDevice } from "./tun-device.ts";

export interface NetworkOptions {
  readonly kind: "build" | "container";
  readonly publish: readonly PortMapping[];
  /** a directory of the caller, made when missing, in which the namespace gets its file */
  readonly directory: string;
  /** "eth0" where nothing is said */
  readonly interfaceName?: string;
  /** of the interface; absent: any */
  readonly macAddress?: string;
  /** no pasta: nothing leads out, and nothing is published */
  readonly closed?: boolean;
  /** The network outlives this process: whoever keeps it runs `pasta`'s end itself (close() still works). */
  readonly detached?: boolean;
}

export interface Network {
  /** for SpecNetwork { kind: "netns", path } */
  readonly netnsPath: string;
  /** with the host ports that were really taken */
  readonly ports: readonly PortMapping[];
  readonly pastaPid: number;
  /** Ends pasta and the namespace: the ports are free then. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * Starts in about 30 ms. PROGRAM_MISSING (failed_precondition) without pasta, PORT_TAKEN (conflict) in Docker's words, NETWORK_FAILED
 * (unavailable) with pasta's words, and details.remedy where root can mend it. SCTP cannot be published (UNSUPPORTED_PROTOCOL).
 */
export async function createNetwork(options: NetworkOptions): Promise<Network> {
  if (options.closed === true) return await createClosedNetwork(options.directory);
  const pasta = requireProgram("pasta", options.publish.length > 0 ? "publishing ports" : "a network of its own");
  const unshare = requireProgram("unshare", "a network of its own");
  const ports = await choosePorts(options.publish);
  await checkPortsFree(ports);
  requireTunDevice();
  enterPrivateMountNamespace();
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const netnsPath = join(options.directory, "netns");
  const pidFile = join(options.directory, "pasta.pid");
  writeFileSync(netnsPath, "");
  try {
    await runProgram(unshare, [`--net=${netnsPath}`, "true"]);
    await startPasta(
      pasta,
      pastaArguments({
        netnsPath,
        pidFile,
        ports,
        ...(options.interfaceName === undefined ? {} : { interfaceName: options.interfaceName }),
        ...(options.macAddress === undefined ? {} : { macAddress: options.macAddress }),
      }),
      ports,
    );
  } catch (error) {
    dropNamespace(netnsPath);
    throw error;
  }
  const pastaPid = Number(readFileSync(pidFile, "utf8").trim());
  const note = options.detached === true ? undefined : noteDeath(killCommand(pastaPid));
  return { netnsPath, ports, pastaPid, close: closer(netnsPath, pastaPid, note) };
}

async function createClosedNetwork(directory: string): Promise<Network> {
  const unshare = requireProgram("unshare", "a network of its own");
  enterPrivateMountNamespace();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const netnsPath = join(directory, "netns");
  writeFileSync(netnsPath, "");
  await runProgram(unshare, [`--net=${netnsPath}`, "true"]);
  return { netnsPath, ports: [], pastaPid: 0, close: () => Promise.resolve(dropNamespace(netnsPath)) };
}

export interface PastaPlan {
  readonly netnsPath: string;
  readonly pidFile: string;
  readonly ports: readonly PortMapping[];
  readonly interfaceName?: string;
  readonly macAddress?: string;
}

/** `host` is passed in by tests; otherwise read from the machine. */
export function pastaArguments(plan: PastaPlan, host: { readonly family: HostFamily; readonly resolvConf: string } = readHost()): string[] {
  const forwards = (protocol: "tcp" | "udp"): string[] => plan.ports.filter((port) => port.protocol === protocol).map(forwardOf);
  const option = (flag: string, values: readonly string[]): string[] => (values.length === 0 ? [flag, "none"] : values.flatMap((value) => [flag, value]));
  return [
    "--config-net",
    "--quiet",
    "--runas",
    "0:0",
    "--pid",
    plan.pidFile,
    ...familyArguments(host.family, plan.interfaceName ?? "eth0"),
    ...(plan.macAddress === undefined ? [] : ["--ns-mac-addr", plan.macAddress]),
    // services that listen on the host's loopback only stay out of reach, as with Docker
    "--no-map-gw",
    ...(needsDnsForward(host.resolvConf) ? ["--dns-forward", dnsForwardAddress] : []),
    ...option("--tcp-ports", forwards("tcp")),
    ...option("--udp-ports", forwards("udp")),
    "--tcp-ns",
    "none",
    "--udp-ns",
    "none",
    "--netns",
    plan.netnsPath,
  ];
}

/** One option a mapping: an address holds for all the ports after it in the same option. */
function forwardOf(port: PortMapping): string {
  const address = port.hostIp === "" ? "" : `${port.hostIp}/`;
  return `${address}${port.hostPort}:${port.containerPort}`;
}

async function startPasta(pasta: string, args: readonly string[], ports: readonly PortMapping[]): Promise<void> {
  try {
    await runProgram(pasta, args);
  } catch (error) {
    const text = pastaWords(error instanceof Error ? error.message : String(error));
    const port = /Failed to bind any port for '-[tu] (?:.*\/)?(\d+):/.exec(text)?.[1];
    const mapping = ports.find((candidate) => String(candidate.hostPort) === port);
    if (mapping === undefined) throw new SlipwayError("unavailable", "NETWORK_FAILED", text, {}, error);
    throw new SlipwayError(
      "conflict",
      "PORT_TAKEN",
      `failed to bind host port for ${mapping.hostIp === "" ? "0.0.0.0" : mapping.hostIp}:${port}: address already in use`,
      { port },
      error,
    );
  }
}

/** Where there is no syslog, pasta complains about that with each line. */
function pastaWords(text: string): string {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("Failed to send "))
    .join("\n")
    .trim();
}

function closer(netnsPath: string, pastaPid: number, note: DeathNote | undefined): () => Promise<void> {
  const pasta = { pid: pastaPid, startTimeTicks: startTimeTicks(pastaPid) ?? "" };
  let closed = false;
  return async () => {
    if (closed) return;
    closed = true;
    await endProcess(pasta);
    dropNamespace(netnsPath);
    note?.drop();
  };
}

function dropNamespace(netnsPath: string): void {
  unmount(netnsPath);
  rmSync(netnsPath, { force: true });
}

/** What leads out of the machine; "none" where nothing does, as on a laptop without its network. */
export type HostFamily = "ipv4" | "ipv6" | "none";

const ipv4 = ["--ipv4-only", "--address", containerAddress, "--netmask", "16", "--gateway", containerGateway] as const;

/** Pasta takes what it is not told from the host's interface: where there is none it is told all, and published ports work all the same. */
function familyArguments(family: HostFamily, name: string): readonly string[] {
  const named = ["--ns-ifname", name];
  if (family === "ipv6") return named;
  return family === "ipv4" ? [...ipv4, ...named] : [...ipv4, ...named, "--interface", "lo", "--mac-addr", "02:42:ac:11:00:01"];
}

function readHost(): { family: HostFamily; resolvConf: string } {
  const family = hostAddress() !== undefined ? "ipv4" : hasIpv6Route(readText("/proc/net/ipv6_route")) ? "ipv6" : "none";
  return { family, resolvConf: readText("/etc/resolv.conf") };
}

/** From the text of /proc/net/ipv6_route: a default route that is more than loopback's refusal. Pure. */
export function hasIpv6Route(routes: string): boolean {
  return routes.split("\n").some((line) => /^0{32} 00 /.test(line) && !line.endsWith(" lo"));
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** Whether steps and containers can have a network of their own. */
export function hasPasta(): boolean {
  return findProgram("pasta") !== undefined;
}
