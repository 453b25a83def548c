import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { formatPortMapping, parsePublish, portsCollide, type PortMapping } from "./ports.ts";

const port = (hostIp: string, hostPort: number, containerPort: number, protocol: PortMapping["protocol"] = "tcp"): PortMapping => ({
  hostIp,
  hostPort,
  containerPort,
  protocol,
});

const accepted: readonly (readonly [string, readonly PortMapping[]])[] = [
  ["80", [port("", 0, 80)]],
  ["8080:80", [port("", 8080, 80)]],
  [":80", [port("", 0, 80)]],
  ["0:80", [port("", 0, 80)]],
  ["127.0.0.1:8080:80/udp", [port("127.0.0.1", 8080, 80, "udp")]],
  ["127.0.0.1::80", [port("127.0.0.1", 0, 80)]],
  ["[::1]:8080:80", [port("::1", 8080, 80)]],
  ["8080:80/UDP", [port("", 8080, 80, "udp")]],
  ["8000-8002:90-92", [port("", 8000, 90), port("", 8001, 91), port("", 8002, 92)]],
  ["80-81", [port("", 0, 80), port("", 0, 81)]],
  ["8000-8010:80", [{ ...port("", 8000, 80), hostPortEnd: 8010 }]],
];

for (const [text, expected] of accepted) {
  test(`-p ${text}`, () => assert.deepEqual(parsePublish(text), expected));
}

const refused: readonly (readonly [string, string])[] = [
  ["abc", "invalid containerPort: abc"],
  ["99999", "invalid containerPort: 99999"],
  ["80-70", "invalid containerPort: 80-70"],
  ["80/foo", "invalid proto: foo"],
  ["", "no port specified: <empty>"],
  ["8080:", "no port specified: 8080:<empty>"],
  ["8080:80:90", "invalid IP address: 8080"],
  ["localhost:80:80", "invalid IP address: localhost"],
  ["70000:80", "invalid hostPort: 70000"],
  ["127.0.0.1:80", "invalid hostPort: 127.0.0.1"],
  ["8000-8001:80-82", "invalid ranges specified for container and host Ports: 80-82 and 8000-8001"],
];

for (const [text, message] of refused) {
  test(`-p ${JSON.stringify(text)} is refused in Docker's words`, () => {
    assert.throws(
      () => parsePublish(text),
      (error: unknown) => isSlipwayError(error, "INVALID_PORT") && error.message === message,
    );
  });
}

test("mappings collide on the same port of overlapping addresses", () => {
  assert.equal(portsCollide(port("", 80, 1), port("127.0.0.1", 80, 2)), true);
  assert.equal(portsCollide(port("127.0.0.1", 80, 1), port("127.0.0.2", 80, 2)), false);
  assert.equal(portsCollide(port("", 80, 1), port("", 80, 2, "udp")), false);
  assert.equal(portsCollide(port("", 0, 1), port("", 0, 1)), false);
});

test("mappings are shown as ps does", () => {
  assert.equal(formatPortMapping(port("", 8080, 80)), "0.0.0.0:8080->80/tcp");
  assert.equal(formatPortMapping(port("::1", 8080, 80)), "[::1]:8080->80/tcp");
});
