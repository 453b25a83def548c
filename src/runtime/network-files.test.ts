import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { makeHosts, makeResolvConf, needsDnsForward } from "./network-files.ts";

test("a step's hosts", () => {
  const text = makeHosts({ kind: "build", hostname: "buildkitsandbox", extraHosts: ["a:1.2.3.4"] });
  assert.equal(text, "127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n1.2.3.4\ta\n");
});

test("a container's hosts end with its own name", () => {
  const text = makeHosts({
    kind: "container",
    hostname: "hh",
    addresses: ["172.17.0.2"],
    extraHosts: ["a:1.2.3.4", "b=host-gateway", "c:::1", "d=[::2]"],
    hostGateway: "192.0.2.2",
  });
  assert.deepEqual(text.split("\n").slice(0, 2), ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]);
  assert.deepEqual(text.split("\n").slice(-6), ["1.2.3.4\ta", "192.0.2.2\tb", "::1\tc", "::2\td", "172.17.0.2\thh", ""]);
});

const refused: readonly (readonly [string, string, string])[] = [
  ["a", "INVALID_ADD_HOST", 'bad format for add-host: "a"'],
  ["a:b", "INVALID_ADD_HOST", 'invalid IP address in add-host: "b"'],
  ["a:host-gateway", "HOST_GATEWAY_UNKNOWN", "unable to derive the IP value for host-gateway"],
];

for (const [text, code, message] of refused) {
  test(`--add-host ${text} is refused`, () => {
    const make = (): string => makeHosts({ kind: "build", hostname: "h", extraHosts: [text] });
    assert.throws(make, (error: unknown) => isSlipwayError(error, code) && error.message === message);
  });
}

const hostText = "# a comment\nnameserver 127.0.0.53\nnameserver 9.9.9.9\nsearch example.com\noptions edns0\n";

test("name servers on the host's loopback are left out of a network of its own", () => {
  assert.equal(makeResolvConf({ hostText, hostNetwork: false }), "nameserver 9.9.9.9\nsearch example.com\noptions edns0\n");
  assert.equal(makeResolvConf({ hostText, hostNetwork: true }), "nameserver 127.0.0.53\nnameserver 9.9.9.9\nsearch example.com\noptions edns0\n");
});

test("what the user says replaces what the host says, keyword by keyword", () => {
  const text = makeResolvConf({ hostText, hostNetwork: false, dns: ["1.1.1.1"], options: ["ndots:2"] });
  assert.equal(text, "nameserver 1.1.1.1\nsearch example.com\noptions ndots:2\n");
});

test("a resolver that listens on loopback only is reached through forwarding", () => {
  const local = "nameserver 127.0.0.53\n";
  assert.equal(needsDnsForward(local), true);
  assert.equal(needsDnsForward(hostText), false);
  assert.equal(makeResolvConf({ hostText: local, hostNetwork: false, dnsForward: "172.17.0.1" }), "nameserver 172.17.0.1\n");
});
