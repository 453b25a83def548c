/** The ports of a running container as `ps` tells them: published ones and those that are only exposed. Pure. */
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { parsePublish, type PortMapping } from "../../runtime/ports.ts";
import type { OpenPort } from "../api.ts";

type PortsOfRecord = Pick<ContainerRecord, "ports"> & { readonly config: Pick<ContainerRecord["config"], "exposedPorts"> };

/** In Docker's order. An address of both families is two ports; what is published is not told as exposed. */
export function openPortsOf({ ports, config }: PortsOfRecord): readonly OpenPort[] {
  const published = ports.flatMap(publishedPorts);
  const isPublished = ({ containerPort, protocol }: PortMapping): boolean =>
    published.some((port) => port.containerPort === containerPort && port.protocol === protocol);
  const exposed = (config.exposedPorts ?? []).flatMap(parsePublish).filter((port) => !isPublished(port));
  return [...published, ...exposed.map(({ containerPort, protocol }) => ({ containerPort, protocol }))].toSorted(comparePorts);
}

function publishedPorts({ hostIp, hostPort, containerPort, protocol }: PortMapping): readonly OpenPort[] {
  return (hostIp === "" ? ["0.0.0.0", "::"] : [hostIp]).map((ip) => ({ hostIp: ip, hostPort, containerPort, protocol }));
}

function comparePorts(a: OpenPort, b: OpenPort): number {
  return (
    a.containerPort - b.containerPort ||
    compareText(a.hostIp ?? "", b.hostIp ?? "") ||
    (a.hostPort ?? 0) - (b.hostPort ?? 0) ||
    compareText(a.protocol, b.protocol)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `publish=` and `expose=` of ps: a port or a range of them, `/tcp` unless it says otherwise; any of both lets a container through. */
export function matchesPorts(ports: readonly OpenPort[], name: "publish" | "expose", value: string): boolean {
  return parsePublish(value).some(({ containerPort: wanted, protocol }) =>
    ports.some((port) => port.protocol === protocol && (name === "publish" ? port.hostPort : port.containerPort) === wanted),
  );
}

/** INVALID_FILTER (invalid_argument) in Docker's words. */
export function checkPortFilter(name: "publish" | "expose", value: string): void {
  const wrong = value.includes(":") ? `filter for '${name}' should not contain ':': ${value}` : misreadPort(name, value);
  if (wrong !== undefined) throw new SlipwayError("invalid_argument", "INVALID_FILTER", printable(wrong), { filter: name, value });
}

function misreadPort(name: string, value: string): string | undefined {
  const port = value.split("/", 1)[0] ?? "";
  const bad = port.split("-").find((part) => !/^\d{1,5}$/.test(part));
  return bad === undefined ? undefined : `error while looking up for ${name} ${value}: strconv.ParseUint: parsing "${bad}": invalid syntax`;
}
