import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { startTimeTicks } from "./death-watch.ts";
import { isAlive } from "./live-process.ts";
import { containerAddress } from "./network-addresses.ts";
import { createNetwork, hasIpv6Route, pastaArguments } from "./network.ts";
import { runProgram } from "./run-program.ts";
import { temporaryDirectory, whyNoContainers } from "./test-machine.ts";

const reason = whyNoContainers(["pasta", "nsenter", "ip"]) ?? (existsSync("/dev/net/tun") ? undefined : "needs /dev/net/tun");
const skip = reason === undefined ? {} : { skip: reason };

test("pasta is told each port with its own address, and nothing of the host's loopback", () => {
  const ports = [
    { hostIp: "127.0.0.1", hostPort: 8080, containerPort: 80, protocol: "tcp" },
    { hostIp: "", hostPort: 53, containerPort: 5353, protocol: "udp" },
  ] as const;
  const args = pastaArguments({ netnsPath: "/n", pidFile: "/p", ports }, { family: "ipv4", resolvConf: "nameserver 127.0.0.53\n" }).join(" ");
  for (const part of ["--tcp-ports 127.0.0.1/8080:80", "--udp-ports 53:5353", "--no-map-gw", "--dns-forward 172.17.0.1", "--ipv4-only", "--netns /n"])
    assert.ok(args.includes(part), part);
  const plain = pastaArguments({ netnsPath: "/n", pidFile: "/p", ports: [] }, { family: "ipv6", resolvConf: "nameserver 9.9.9.9\n" }).join(" ");
  assert.ok(plain.includes("--tcp-ports none --udp-ports none") && !plain.includes("--dns-forward") && !plain.includes("--ipv4-only"));
});

test("IPv6 leads out only by a default route that is not loopback's", () => {
  const route = (destination: string, length: string, name: string): string =>
    `${destination} ${length} ${"0".repeat(32)} 00 fe80000000000000000000000000000001 00000400 00000001 00000000 00000003 ${name}`;
  const cases = [
    ["", false],
    [route("0".repeat(32), "00", "      lo"), false],
    [route("fe80".padEnd(32, "0"), "40", "    eth0"), false],
    [`${route("fe80".padEnd(32, "0"), "40", "    eth0")}\n${route("0".repeat(32), "00", "    eth0")}\n`, true],
  ] as const;
  for (const [text, want] of cases) assert.equal(hasIpv6Route(text), want, text);
});

test("a machine that no route leads out of still publishes ports", skip, () => {
  // in a child: a network namespace is a thread's own for ever
  const script = `import { createNetwork } from ${JSON.stringify(import.meta.resolve("./network.ts"))}; import { connect } from "node:net"; import { spawn } from "node:child_process";
    const publish = [{ hostIp: "127.0.0.1", hostPort: 8080, containerPort: 80, protocol: "tcp" }];
    const network = await createNetwork({ kind: "container", publish, directory: process.argv[1] + "/n" });
    const server = spawn("nsenter", ["--net=" + network.netnsPath, "busybox", "nc", "-l", "-p", "80", "-e", "echo", "hello"], { stdio: "ignore" });
    const once = () => new Promise((resolve) => { let text = ""; const socket = connect(8080, "127.0.0.1"); socket.on("data", (chunk) => (text += chunk)).on("error", () => resolve(text)).on("close", () => resolve(text)); });
    let text = ""; for (const end = Date.now() + 60_000; text === "" && Date.now() < end;) text = await once();
    server.kill(); await network.close(); process.stdout.write(text);`;
  using directory = temporaryDirectory();
  const words = ["--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", process.execPath, "--input-type=module", "-e", script, directory.path];
  const { stdout, stderr } = spawnSync("unshare", words, { encoding: "utf8", timeout: 120_000 });
  assert.equal(stdout, "hello\n", stderr);
});

test("a published port reaches the namespace; closing ends everything", skip, async () => {
  using directory = temporaryDirectory();
  const publish = [{ hostIp: "127.0.0.1", hostPort: 0, containerPort: 80, protocol: "tcp" }] as const;
  const network = await createNetwork({ kind: "container", publish, directory: join(directory.path, "n") });
  const inside = (...words: string[]): readonly string[] => [`--net=${network.netnsPath}`, ...words];
  assert.ok((await runProgram("/usr/bin/nsenter", inside("ip", "-4", "addr"))).includes(containerAddress));
  const server = spawn("/usr/bin/nsenter", [...inside("busybox", "nc", "-l", "-p", "80", "-e", "echo", "hello")], { stdio: "ignore" });
  const port = network.ports[0]?.hostPort ?? 0;
  assert.equal(await firstAnswer(port), "hello\n");
  const taken = createNetwork({ kind: "container", publish: [{ ...publish[0], hostPort: port }], directory: join(directory.path, "m") });
  await assert.rejects(taken, (error: unknown) => isSlipwayError(error, "PORT_TAKEN"));
  const ticks = startTimeTicks(network.pastaPid);
  server.kill();
  await network.close();
  await network.close();
  assert.equal(isAlive({ pid: network.pastaPid, startTimeTicks: ticks ?? "" }), false);
  await (await createNetwork({ kind: "container", publish: [{ ...publish[0], hostPort: port }], directory: join(directory.path, "again") })).close();
  assert.equal(existsSync(network.netnsPath), false);
});

/** The server needs a moment; pasta accepts and closes until it is there. */
async function firstAnswer(port: number): Promise<string> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const text = await new Promise<string>((resolve) => {
      let received = "";
      const socket = connect(port, "127.0.0.1");
      socket.on("data", (chunk) => (received += chunk.toString()));
      socket.on("error", () => resolve(received));
      socket.on("close", () => resolve(received));
    });
    if (text !== "") return text;
  }
  return "";
}
