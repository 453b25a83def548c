/** The text of /etc/resolv.conf and /etc/hosts of containers and steps. Pure; forms measured against Docker. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

export interface ResolvConfOptions {
  /** the host's /etc/resolv.conf */
  readonly hostText: string;
  /** the container shares the host's network: loopback name servers work */
  readonly hostNetwork: boolean;
  readonly dns?: readonly string[];
  readonly search?: readonly string[];
  readonly options?: readonly string[];
  /** address at which DNS queries are forwarded to the host, used when the host's servers are only on loopback */
  readonly dnsForward?: string;
  /** one of ours answers at this address, and asks the host's */
  readonly resolver?: string;
}

export function makeResolvConf(options: ResolvConfOptions): string {
  const lines = options.hostText.split("\n").map((line) => line.trim());
  const valuesOf = (keyword: string): string[] =>
    lines.filter((line) => line.startsWith(`${keyword} `) || line.startsWith(`${keyword}\t`)).map((line) => line.slice(keyword.length).trim());
  const fromHost = valuesOf("nameserver").filter((server) => options.hostNetwork || !isLoopback(server));
  const fallback = options.dnsForward === undefined ? [] : [options.dnsForward];
  const servers = options.resolver !== undefined ? [options.resolver] : options.dns?.length ? options.dns : fromHost.length > 0 ? fromHost : fallback;
  const search = options.search?.length ? options.search.filter((domain) => domain !== ".").join(" ") : (valuesOf("search").at(-1) ?? "");
  const asked = options.options?.length ? options.options.join(" ") : (valuesOf("options").at(-1) ?? "");
  // names without a dot are containers'
  const settings = options.resolver === undefined || /(^|\s)ndots:/.test(asked) ? asked : `${asked} ndots:0`.trim();
  const text = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search === "" ? [] : [`search ${search}`]),
    ...(settings === "" ? [] : [`options ${settings}`]),
  ];
  return printable(text.map((line) => `${line}\n`).join(""));
}

/** Whether the host's name servers can only be reached from the host itself (systemd-resolved, dnsmasq). */
export function needsDnsForward(hostText: string): boolean {
  return makeResolvConf({ hostText, hostNetwork: false }).match(/^nameserver /m) === null;
}

export interface HostsOptions {
  readonly hostname: string;
  /** the container's own addresses, with networks of its own */
  readonly addresses?: readonly string[];
  /** "name:ip", "name=ip", "name:host-gateway" as given to --add-host */
  readonly extraHosts: readonly string[];
  /** what host-gateway stands for */
  readonly hostGateway?: string;
  /** "build" writes the step's shorter form */
  readonly kind: "build" | "container";
}

const containerHosts = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "ff00::\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];

export function makeHosts(options: HostsOptions): string {
  const base = options.kind === "build" ? [`127.0.0.1\tlocalhost ${options.hostname}`, "::1\tlocalhost ip6-localhost ip6-loopback"] : containerHosts;
  const extra = options.extraHosts.map((text) => {
    const { name, address } = parseExtraHost(text, options.hostGateway);
    return `${address}\t${name}`;
  });
  const own = options.kind === "build" ? [] : (options.addresses ?? []).map((address) => `${address}\t${options.hostname}`);
  return [...base, ...extra, ...own].map((line) => `${line}\n`).join("");
}

/** Fails with INVALID_ADD_HOST in Docker's words; HOST_GATEWAY_UNKNOWN when host-gateway is asked for and there is none. */
export function parseExtraHost(text: string, hostGateway?: string): { readonly name: string; readonly address: string } {
  const match = /^([^:=\s]+)[:=](.+)$/.exec(text);
  const [name, given] = [match?.[1], match?.[2]];
  if (name === undefined || given === undefined)
    throw new SlipwayError("invalid_argument", "INVALID_ADD_HOST", `bad format for add-host: "${printable(text)}"`);
  if (given === "host-gateway") {
    if (hostGateway !== undefined) return { name, address: hostGateway };
    throw new SlipwayError("failed_precondition", "HOST_GATEWAY_UNKNOWN", "unable to derive the IP value for host-gateway");
  }
  const address = given.replace(/^\[(.*)\]$/, "$1");
  if (process.getBuiltinModule("node:net").isIP(address) === 0) {
    throw new SlipwayError("invalid_argument", "INVALID_ADD_HOST", `invalid IP address in add-host: "${printable(given)}"`);
  }
  return { name, address };
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
