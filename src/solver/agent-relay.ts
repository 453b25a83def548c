/** An agent's socket under another path, with an owner and a mode of its own: what a step may open and the agent would refuse it. */
import { once } from "node:events";
import { chmodSync, chownSync, closeSync, openSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { basename, dirname } from "node:path";

export interface SocketAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Listens at `path` and hands each connection on to the agent as this process's own. Disposing closes them
 * all. Fails with the system's error when the path cannot be made; an agent that is gone ends the connection, as it would itself.
 */
export async function relayAgent(agent: string, path: string, attributes: SocketAttributes): Promise<Disposable> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ path: agent, allowHalfOpen: true });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.end();
      });
      from.pipe(to);
    }
  });
  // A socket's address holds 107 bytes, and stores lie as deep as they please.
  const directory = openSync(dirname(path), "r");
  try {
    server.listen(`/proc/self/fd/${directory}/${basename(path)}`);
    await once(server, "listening");
  } catch (error) {
    closeSync(directory);
    throw error;
  }
  server.on("close", () => closeSync(directory));
  server.on("error", () => undefined);
  chownSync(path, attributes.uid, attributes.gid);
  chmodSync(path, attributes.mode);
  return {
    [Symbol.dispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
