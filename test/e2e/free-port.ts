/** Ports for tests that have to name one before it is taken. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ListenOptions, type Server } from "node:net";

/** Where the kernel takes ports for connections from: one of those may be gone before it is used. */
const [firstOfKernel = 32_768] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/).map(Number);
const lowest = 20_000;
const span = Math.max(firstOfKernel - lowest, 1000);

/** They keep other test processes off for as long as this one lives. */
const claims: Server[] = [];
let tried = process.pid * 31;

/** The first of `count` ports in a row that nothing listens on, that the kernel gives nobody, and that no other test process gets meanwhile. */
export async function freePort(count = 1, address = "127.0.0.1"): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    tried += count;
    const first = lowest + (tried % (span - count));
    const ports = Array.from({ length: count }, (_, at) => first + at);
    const claimed = await Promise.all(ports.map((port) => listen({ path: `\0slipway-test-port-${port}` })));
    const probes = await Promise.all(ports.map((port) => listen({ port, host: address })));
    await Promise.all(probes.map(close));
    if ([...claimed, ...probes].every((server) => server !== undefined)) {
      for (const server of claimed) if (server !== undefined) claims.push(server.unref());
      return first;
    }
    await Promise.all(claimed.map(close));
  }
  throw new Error(`no free port from ${lowest} on`);
}

/** Undefined where somebody else listens. */
async function listen(where: ListenOptions): Promise<Server | undefined> {
  const server = createServer().listen(where);
  try {
    await once(server, "listening");
    return server;
  } catch {
    return undefined;
  }
}

async function close(server: Server | undefined): Promise<void> {
  if (server === undefined) return;
  server.close();
  await once(server, "close");
}
