/** How ps tells ports: "80/tcp, 0.0.0.0:8080->80/tcp". Pure; the order is Docker's. */
import type { OpenPort } from "../engine/api.ts";

interface Group {
  readonly ip: string | undefined;
  readonly protocol: string;
  readonly first: number;
  readonly last: number;
}

/** Neighbours that are exposed, or published under their own number, become one range; other published ones come last, each by itself. */
export function formatPorts(ports: readonly OpenPort[]): string {
  const closed: Group[] = [];
  const open = new Map<string, Group>();
  const others: string[] = [];
  for (const { hostIp: ip, hostPort, containerPort, protocol } of ports) {
    if (ip !== undefined && hostPort !== containerPort) {
      others.push(`${hostAndPort(ip, String(hostPort))}->${containerPort}/${protocol}`);
      continue;
    }
    const key = `${ip ?? ""}/${protocol}`;
    const group = open.get(key);
    if (group !== undefined && group.last + 1 !== containerPort) closed.push(group);
    const first = group !== undefined && group.last + 1 === containerPort ? group.first : containerPort;
    open.set(key, { ip, protocol, first, last: containerPort });
  }
  return [...[...closed, ...open.values()].map(formatGroup), ...others].join(", ");
}

function formatGroup({ ip, protocol, first, last }: Group): string {
  const range = first === last ? String(first) : `${first}-${last}`;
  return ip === undefined ? `${range}/${protocol}` : `${hostAndPort(ip, range)}->${range}/${protocol}`;
}

function hostAndPort(ip: string, port: string): string {
  return `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
}
