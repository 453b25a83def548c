/** A push that was killed goes on where it was: what the registry has of a layer is not sent again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { startRegistry } from "../lab/registry.ts";
import { createSandbox } from "./sandbox.ts";

const absent = spawnSync("docker-registry", ["--version"]).error !== undefined;
/** what one request of an upload carries */
const pieceBytes = 32 << 20;
const sizeBytes = 3 * pieceBytes;
/** headers, the manifest and the config */
const restBytes = 1 << 20;

/** Between the program and the registry. */
interface Gate extends AsyncDisposable {
  readonly address: string;
  /** bytes that went to the registry */
  readonly sent: () => number;
  /** from now on everything passes */
  open(): void;
}

/** Nothing more goes to the registry once `isClosed` says so of the bytes sent and of the pieces that the registry acknowledged. */
async function startGate(to: string, isClosed: (sent: number, acknowledged: number) => boolean, onClosed: () => void): Promise<Gate> {
  const [host = "", port = ""] = to.split(":");
  const sockets = new Set<Socket>();
  let [sent, acknowledged, closing] = [0, 0, true];
  const server = createServer((client) => {
    const registry = connect(Number(port), host);
    for (const [socket, other] of [
      [client, registry],
      [registry, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
    registry.on("data", (bytes: Buffer) => {
      // the answer to a piece says up to where the registry has the blob
      if (/^HTTP\/1\.1 202[^]*^Range: 0-[1-9]/im.test(bytes.toString("latin1"))) acknowledged++;
      client.write(bytes);
    });
    client.on("data", (bytes: Buffer) => {
      if (closing && isClosed(sent, acknowledged)) return onClosed();
      sent += bytes.length;
      if (!registry.write(bytes)) client.pause();
    });
    registry.on("drain", () => client.resume());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => sent,
    open: () => {
      closing = false;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const moments: readonly (readonly [name: string, isClosed: (sent: number, acknowledged: number) => boolean, again: number])[] = [
  ["between two pieces: only the last is sent", (_, acknowledged) => acknowledged === 2, pieceBytes],
  // the distribution's registry before version 3 drops an upload whose request broke
  ["in the middle of a piece: the push is complete all the same", (sent) => sent > 1.5 * pieceBytes, sizeBytes],
];
for (const [name, isClosed, bytesAgain] of moments) {
  test(`kill -9 ${name}`, { skip: absent ? "needs docker-registry (Debian package docker-registry)" : false }, async () => {
    await using sandbox = await createSandbox({ base: false });
    await using registry = await startRegistry(sandbox.directory);
    const moment = new AbortController();
    await using gate = await startGate(registry.address, isClosed, () => moment.abort());
    const image = `${gate.address}/team/large:1`;
    await sandbox.build("FROM scratch\nCOPY f /\n", { f: randomBytes(sizeBytes - pieceBytes / 2) }, ["-t", image]);
    const push = ["push", "--compression", "uncompressed", image];
    const killed = await sandbox.call(push, { killed: moment.signal });
    assert.equal(killed.signal, "SIGKILL", killed.stdout + killed.stderr);
    gate.open();
    const before = gate.sent();
    assert.match(await sandbox.ok(push), /^[0-9a-f]{12}: Pushed\n1: digest: sha256:[0-9a-f]{64} size: \d+$/m);
    const again = gate.sent() - before;
    assert.ok(again < bytesAgain + restBytes, `${before} bytes, then ${again} of ${sizeBytes}`);
    await sandbox.ok(["rmi", image]);
    await sandbox.ok(["pull", "-q", image]);
  });
}
