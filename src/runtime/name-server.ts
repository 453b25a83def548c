/** Answers a container's questions at 127.0.0.11: names of its networks from the members, all others from the machine's name servers. */
import { createSocket, type Socket } from "node:dgram";
import { createServer, isIP, isIPv6, type Server } from "node:net";
import { addressRecord, makeAnswer, nameRecord, parseQuestion, recordType, responseCode, reverseAddress, type Question } from "./dns-message.ts";
import { addressesOf, nameOfAddress, type Member, type Members } from "./network-members.ts";

/** Asks name servers outside; the first answer counts. Undefined when none comes. */
export interface Forwarder {
  ask(query: Buffer, servers: readonly string[]): Promise<Buffer | undefined>;
}

export interface NameServer {
  close(): void;
}

export async function answerQuery(members: Members, asker: Member, query: Buffer, forwarder: Forwarder): Promise<Buffer | undefined> {
  const question = parseQuestion(query);
  if (question === undefined) return undefined;
  const own = ownAnswers(members, asker, question);
  if (own !== undefined) return makeAnswer(query, question, own);
  return (await forwarder.ask(query, asker.servers)) ?? makeAnswer(query, question, [], responseCode.serverFailure);
}

/** Undefined when it is nobody's name here. */
function ownAnswers(members: Members, asker: Member, { name, type }: Question): readonly Buffer[] | undefined {
  if (type === recordType.ptr) {
    const address = reverseAddress(name);
    const found = address === undefined ? undefined : nameOfAddress(members, asker, address);
    return found === undefined ? undefined : [nameRecord(found)];
  }
  const addresses = addressesOf(members, asker, name);
  if (addresses === undefined) return undefined;
  return type === recordType.a ? addresses.map(addressRecord) : [];
}

/** `sockets`: descriptors that are bound in the container's namespace. They are closed with the server. */
export function serveNames(sockets: { readonly udp: number; readonly tcp: number }, answer: (query: Buffer) => Promise<Buffer | undefined>): NameServer {
  const udp = createSocket("udp4");
  udp.on("error", () => undefined);
  udp.on("message", (query, from) => {
    void answer(query).then(
      (reply) => reply !== undefined && udp.send(reply, from.port, from.address, () => undefined),
      () => undefined,
    );
  });
  udp.bind({ fd: sockets.udp });
  const tcp = serveTcp(answer);
  tcp.listen({ fd: sockets.tcp });
  return {
    close: () => {
      udp.close();
      tcp.close();
    },
  };
}

const idleMs = 10_000;
const longestMessage = 2 + 65_535;

function serveTcp(answer: (query: Buffer) => Promise<Buffer | undefined>): Server {
  const server = createServer((socket) => {
    let pending: Buffer = Buffer.alloc(0);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        const query = Buffer.from(pending.subarray(2, end));
        pending = pending.subarray(end);
        void answer(query).then(
          (reply) => reply === undefined || socket.destroyed || socket.write(withLength(reply)),
          () => socket.destroy(),
        );
      }
      if (pending.length > longestMessage) socket.destroy();
    });
  });
  server.on("error", () => undefined);
  server.maxConnections = 64;
  return server;
}

function withLength(message: Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(message.length, 0);
  return Buffer.concat([head, message]);
}

const answerMs = 4000;
const mostPending = 1024;

interface Pending {
  readonly server: string;
  readonly query: Buffer;
  readonly done: (reply: Buffer) => void;
}

/** Its sockets belong to the namespace in which it is made, also when the thread leaves that one. */
export async function createForwarder(): Promise<Forwarder> {
  const pending = new Map<number, Pending>();
  const receive = (reply: Buffer, from: { readonly address: string; readonly port: number }): void => {
    const entry = reply.length < 12 ? undefined : pending.get(reply.readUInt16BE(0));
    if (entry === undefined || from.port !== 53 || from.address !== entry.server) return;
    const own = Buffer.from(reply);
    own.writeUInt16BE(entry.query.readUInt16BE(0), 0);
    entry.done(own);
  };
  const sockets = { udp4: await openSocket("udp4", receive), udp6: await openSocket("udp6", receive).catch(() => undefined) };
  const askOne = (query: Buffer, server: string): Promise<Buffer | undefined> => {
    const socket = isIPv6(server) ? sockets.udp6 : sockets.udp4;
    const id = freeId(pending);
    if (socket === undefined || id === undefined || isIP(server) === 0) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const finish = (reply: Buffer | undefined): void => {
        clearTimeout(timer);
        pending.delete(id);
        resolve(reply);
      };
      const timer = setTimeout(() => finish(undefined), answerMs);
      pending.set(id, { server, query, done: finish });
      const asked = Buffer.from(query);
      asked.writeUInt16BE(id, 0);
      socket.send(asked, 53, server, (error) => error !== null && finish(undefined));
    });
  };
  return {
    ask: async (query, servers) => {
      for (const server of servers.slice(0, 3)) {
        const reply = await askOne(query, server);
        if (reply !== undefined) return reply;
      }
      return undefined;
    },
  };
}

function freeId(pending: ReadonlyMap<number, Pending>): number | undefined {
  if (pending.size >= mostPending) return undefined;
  const { randomInt } = process.getBuiltinModule("node:crypto");
  let id = randomInt(65_536);
  while (pending.has(id)) id = randomInt(65_536);
  return id;
}

function openSocket(kind: "udp4" | "udp6", receive: (reply: Buffer, from: { readonly address: string; readonly port: number }) => void): Promise<Socket> {
  const socket = createSocket(kind);
  socket.on("message", receive);
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, () => {
      socket.off("error", reject);
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}
