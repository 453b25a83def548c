/** Finds out before anything starts whether the host's ports are free, and picks one where the user leaves the choice. */
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { portsCollide, type PortMapping } from "./ports.ts";

/** Fills in host ports that are 0. The port is free at this moment; whoever binds it may still lose a race. */
export async function choosePorts(ports: readonly PortMapping[]): Promise<PortMapping[]> {
  const chosen: PortMapping[] = [];
  for (const port of ports) {
    if (port.protocol === "sctp")
      throw new SlipwayError("unsupported", "UNSUPPORTED_PROTOCOL", `port ${port.containerPort}/sctp cannot be published: only tcp and udp can`);
    chosen.push(port.hostPort === 0 ? { ...port, hostPort: await bindFreePort(port) } : port);
  }
  return chosen;
}

/** Settles ranges: the first port that none of `others` has and that can be bound. PORT_TAKEN (conflict) when there is none. */
export async function settleRanges(ports: readonly PortMapping[], others: readonly PortMapping[]): Promise<PortMapping[]> {
  const settled: PortMapping[] = [];
  for (const { hostPortEnd, ...port } of ports) settled.push(hostPortEnd === undefined ? port : await firstFree(port, hostPortEnd, [...others, ...settled]));
  return settled;
}

async function firstFree(port: PortMapping, end: number, others: readonly PortMapping[]): Promise<PortMapping> {
  for (let hostPort = port.hostPort; hostPort <= end; hostPort++) {
    const candidate = { ...port, hostPort };
    if (others.some((other) => portsCollide(other, candidate))) continue;
    try {
      await bindPort(candidate);
      return candidate;
    } catch {
      // somebody else has it
    }
  }
  const message = `failed to bind host port for ${displayIp(port)}:${port.hostPort}-${end}:${port.containerPort}/${port.protocol}: all ports are allocated`;
  throw new SlipwayError("conflict", "PORT_TAKEN", message, { hostIp: port.hostIp, port: port.hostPort, end });
}

/** PORT_TAKEN (conflict) in the words Docker uses for a port that another program holds. */
export async function checkPortsFree(ports: readonly PortMapping[]): Promise<void> {
  for (const [index, port] of ports.entries()) {
    if (ports.slice(0, index).some((earlier) => portsCollide(earlier, port))) throw allocated(port);
    try {
      await bindSoon(port);
    } catch (error) {
      const reason = error instanceof Error && "code" in error ? reasonOf(String(error.code)) : String(error);
      const message = `failed to bind host port for ${displayIp(port)}:${port.hostPort}:${port.containerPort}/${port.protocol}: ${reason}`;
      throw new SlipwayError("conflict", "PORT_TAKEN", message, { hostIp: port.hostIp, port: port.hostPort }, error);
    }
  }
}

/** PORT_TAKEN in Docker's words for a port that another container of ours has. */
export function checkPortsAgainst(ports: readonly PortMapping[], others: readonly PortMapping[]): void {
  for (const port of ports) if (others.some((other) => portsCollide(other, port))) throw allocated(port);
}

function allocated(port: PortMapping): SlipwayError {
  return new SlipwayError("conflict", "PORT_TAKEN", `Bind for ${displayIp(port)}:${port.hostPort} failed: port is already allocated`, { port: port.hostPort });
}

function displayIp(port: PortMapping): string {
  return port.hostIp === "" ? "0.0.0.0" : port.hostIp;
}

function reasonOf(code: string): string {
  if (code === "EADDRINUSE") return "address already in use";
  if (code === "EADDRNOTAVAIL") return "cannot assign requested address";
  return code === "EACCES" ? "permission denied" : code;
}

const retries = 6;
const betweenMs = 50;

/** A process that was killed holds its ports until the kernel has taken it apart: what is about to end is waited for. */
async function bindSoon(port: PortMapping): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await bindPort(port);
      return;
    } catch (error) {
      if (errnoOf(error) !== "EADDRINUSE" || attempt === retries) throw error;
      await delay(betweenMs);
    }
  }
}

function bindPort(port: PortMapping): Promise<number> {
  return port.protocol === "udp" ? bindUdp(port) : bindTcp(port);
}

function bindFreePort(port: PortMapping): Promise<number> {
  return bindPort({ ...port, hostPort: 0 });
}

function bindTcp({ hostIp, hostPort }: PortMapping): Promise<number> {
  const server = process.getBuiltinModule("node:net").createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: hostPort, host: hostIp === "" ? "0.0.0.0" : hostIp, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : hostPort));
    });
  });
}

function bindUdp({ hostIp, hostPort }: PortMapping): Promise<number> {
  const socket = process.getBuiltinModule("node:dgram").createSocket(hostIp.includes(":") ? "udp6" : "udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port: hostPort, ...(hostIp === "" ? {} : { address: hostIp }), exclusive: true }, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
