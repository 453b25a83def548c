/** EXPOSE: "8000-8002/udp", "80", "8080:80", "127.0.0.1:8080:80" → single ports of the container's side. Pure; the words are Docker's. */
import { goQuote } from "../base/go-text.ts";
import { SlipwayError } from "../base/errors.ts";

interface PortSpec {
  readonly ip: string;
  readonly host: string;
  readonly container: string;
  readonly protocol: string;
}

interface PortRange {
  readonly start: number;
  readonly end: number;
}

/** Fails with DOCKERFILE_PARSE. */
export function expandPorts(spec: string): readonly string[] {
  const { ip, host, container, protocol } = splitSpec(spec);
  if (container === "") throw invalid(spec, `invalid port: ${goQuote(spec)}: no port specified`);
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) throw invalid(spec, `invalid port: ${goQuote(spec)}: invalid proto: ${protocol}`);
  checkAddress(spec, ip);
  const range = rangeFrom(container);
  if (range === undefined) throw invalid(spec, `invalid containerPort: ${container}`);
  const hostRange = host === "" ? undefined : rangeFrom(host);
  if (host !== "" && hostRange === undefined) throw invalid(spec, `invalid hostPort: ${host}`);
  const length = range.end - range.start;
  // a range of the host may serve one port of the container
  if (hostRange !== undefined && length > 0 && hostRange.end - hostRange.start !== length) {
    throw invalid(spec, `invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
  return Array.from({ length: length + 1 }, (_, offset) => `${range.start + offset}/${protocol.toLowerCase()}`);
}

function invalid(port: string, message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, { port });
}

function splitSpec(spec: string): PortSpec {
  const parts = spec.split(":");
  const [container = "", ...protocols] = (parts.pop() ?? "").split("/");
  const protocol = protocols.join("/");
  const host = parts.pop() ?? "";
  return { ip: parts.join(":"), host, container, protocol: protocol === "" ? "tcp" : protocol };
}

function checkAddress(spec: string, ip: string): void {
  if (ip.startsWith("[") && !ip.endsWith("]")) throw invalid(spec, `invalid IP address ${ip}: address ${ip}:: missing ']' in address`);
  const bare = ip.startsWith("[") ? ip.slice(1, -1) : ip;
  if (bare !== "" && process.getBuiltinModule("node:net").isIP(bare) === 0) throw invalid(spec, `invalid IP address: ${bare}`);
}

function rangeFrom(text: string): PortRange | undefined {
  const bounds = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (bounds === null) return undefined;
  const start = Number(bounds[1]);
  const end = Number(bounds[2] ?? bounds[1]);
  return start > 65535 || end > 65535 || end < start ? undefined : { start, end };
}
