/** Published ports: Docker's `-p` forms as values. @see docker run --publish */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

export type PortProtocol = "tcp" | "udp" | "sctp";

export interface PortMapping {
  /** "" means every address of both families */
  readonly hostIp: string;
  /** 0 lets the system choose when the container starts */
  readonly hostPort: number;
  /** any free port from hostPort to this one will do; settled when the container first starts */
  readonly hostPortEnd?: number;
  readonly containerPort: number;
  readonly protocol: PortProtocol;
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Takes every form of `-p`: [[ip:]hostPort[-end]:]containerPort[-end][/protocol]. A range gives one mapping a port; a host range over one
 * container port means "any free one of these". INVALID_PORT in Docker's words otherwise.
 */
export function parsePublish(text: string): PortMapping[] {
  const { hostIp, host, container } = splitPublish(text);
  const [containerText, protocolText = "tcp"] = splitOnce(container, "/");
  if (containerText === "") throw invalidPort(`no port specified: ${text}<empty>`);
  const protocol = protocolText.toLowerCase();
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") throw invalidPort(`invalid proto: ${protocolText}`);
  const inside = parseRange(containerText);
  if (inside === undefined || inside.first === 0) throw invalidPort(`invalid containerPort: ${containerText}`);
  const outside = host === "" ? undefined : parseRange(host);
  if (host !== "" && outside === undefined) throw invalidPort(`invalid hostPort: ${host}`);
  if (outside !== undefined && sizeOf(outside) !== sizeOf(inside) && sizeOf(inside) !== 1) {
    throw invalidPort(`invalid ranges specified for container and host Ports: ${containerText} and ${host}`);
  }
  return Array.from({ length: sizeOf(inside) }, (_, index) => ({
    hostIp,
    hostPort: outside === undefined || outside.first === 0 ? 0 : outside.first + index,
    containerPort: inside.first + index,
    protocol,
    ...(outside !== undefined && sizeOf(outside) > sizeOf(inside) ? { hostPortEnd: outside.last } : {}),
  }));
}

/** "0.0.0.0:8080->80/tcp", as `ps` shows it. */
export function formatPortMapping(mapping: PortMapping): string {
  const ip = mapping.hostIp === "" ? "0.0.0.0" : mapping.hostIp;
  return `${ip.includes(":") ? `[${ip}]` : ip}:${mapping.hostPort}->${mapping.containerPort}/${mapping.protocol}`;
}

/** Whether both would listen on the same address and port of the host. */
export function portsCollide(left: PortMapping, right: PortMapping): boolean {
  if (left.hostPort === 0 || left.hostPort !== right.hostPort || left.protocol !== right.protocol) return false;
  const wild = (ip: string): boolean => ip === "" || ip === "0.0.0.0" || ip === "::";
  return wild(left.hostIp) || wild(right.hostIp) || left.hostIp === right.hostIp;
}

function splitPublish(text: string): { hostIp: string; host: string; container: string } {
  const lastColon = text.lastIndexOf(":");
  if (lastColon === -1) return { hostIp: "", host: "", container: text };
  const container = text.slice(lastColon + 1);
  const before = text.slice(0, lastColon);
  const hostColon = before.lastIndexOf(":");
  if (hostColon === -1) return { hostIp: "", host: before, container };
  return { hostIp: parseHostIp(before.slice(0, hostColon)), host: before.slice(hostColon + 1), container };
}

function parseHostIp(text: string): string {
  const { isIPv4, isIPv6 } = process.getBuiltinModule("node:net");
  if (isIPv4(text)) return text;
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined && isIPv6(bracketed)) return bracketed;
  throw invalidPort(text.includes(":") ? `invalid IP address ${text}: address ${text}:: missing ']' in address` : `invalid IP address: ${text}`);
}

function parseRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= 65535 ? { first, last } : undefined;
}

function sizeOf(range: PortRange): number {
  return range.last - range.first + 1;
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function invalidPort(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_PORT", printable(message));
}
