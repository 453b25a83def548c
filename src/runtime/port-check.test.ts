import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { checkPortsAgainst, checkPortsFree, choosePorts, settleRanges } from "./port-check.ts";

test("a port that another program holds is refused in Docker's words", async () => {
  const [chosen] = await choosePorts([{ hostIp: "127.0.0.1", hostPort: 0, containerPort: 80, protocol: "tcp" }]);
  assert.ok(chosen !== undefined && chosen.hostPort > 0);
  await checkPortsFree([chosen]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(chosen.hostPort, "127.0.0.1", resolve));
  const expected = `failed to bind host port for 127.0.0.1:${chosen.hostPort}:80/tcp: address already in use`;
  await assert.rejects(checkPortsFree([chosen]), (error: unknown) => isSlipwayError(error, "PORT_TAKEN") && error.message === expected);
  await new Promise((resolve) => server.close(resolve));
});

test("a port whose holder is about to end is waited for", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const hostPort = typeof address === "object" && address !== null ? address.port : 0;
  const checking = checkPortsFree([{ hostIp: "127.0.0.1", hostPort, containerPort: 80, protocol: "tcp" }]);
  // by now it was found taken
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => server.close(resolve));
  await checking;
});

test("a port of another container, or twice in one", async () => {
  const port = { hostIp: "", hostPort: 18_999, containerPort: 80, protocol: "udp" } as const;
  const taken = (error: unknown): boolean =>
    isSlipwayError(error, "PORT_TAKEN") && error.message === "Bind for 0.0.0.0:18999 failed: port is already allocated";
  assert.throws(() => checkPortsAgainst([port], [{ ...port, hostIp: "127.0.0.1" }]), taken);
  await assert.rejects(checkPortsFree([port, port]), taken);
});

test("sctp cannot be published", async () => {
  await assert.rejects(choosePorts([{ hostIp: "", hostPort: 0, containerPort: 1, protocol: "sctp" }]), (error: unknown) =>
    isSlipwayError(error, "UNSUPPORTED_PROTOCOL"),
  );
});

test("of a range the first port that nobody has", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const first = typeof address === "object" && address !== null ? address.port : 0;
  const range = { hostIp: "127.0.0.1", hostPort: first, hostPortEnd: first, containerPort: 80, protocol: "tcp" } as const;
  const message = `failed to bind host port for 127.0.0.1:${first}-${first}:80/tcp: all ports are allocated`;
  await assert.rejects(settleRanges([range], []), (error: unknown) => isSlipwayError(error, "PORT_TAKEN") && error.message === message);
  await new Promise((resolve) => server.close(resolve));
  const port = { hostIp: "127.0.0.1", hostPort: first, containerPort: 80, protocol: "tcp" } as const;
  assert.deepEqual(await settleRanges([range], []), [port]);
  await assert.rejects(settleRanges([range], [port]), (error: unknown) => isSlipwayError(error, "PORT_TAKEN"));
  assert.deepEqual(await settleRanges([port], [port]), [port]);
});
