import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultSubnet, firstFree, formatBlock, formatIpv4, overlaps, parseBlock, parseIpv4, routedBlocks, type Ipv4Block } from "./ipv4.ts";

const block = (text: string): Ipv4Block => parseBlock(text) ?? assert.fail(text);

const addresses: readonly (readonly [text: string, valid: boolean])[] = [
  ["0.0.0.0", true],
  ["255.255.255.255", true],
  ["10.1.2.3", true],
  ["256.1.1.1", false],
  ["1.2.3", false],
  ["::1", false],
  ["", false],
];
for (const [text, valid] of addresses) {
  test(`address ${JSON.stringify(text)}`, () => {
    const number = parseIpv4(text);
    assert.equal(number === undefined ? undefined : formatIpv4(number), valid ? text : undefined);
  });
}

const blocks: readonly (readonly [text: string, want: string | undefined])[] = [
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["10.1.2.3/16", "10.1.0.0/16"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["1.2.3.4/32", "1.2.3.4/32"],
  ["1.2.3.4/33", undefined],
  ["1.2.3.4", undefined],
  ["10.9", undefined],
  ["1.2.3.4/8/8", undefined],
];
for (const [text, want] of blocks) {
  test(`block ${text}`, () => {
    const parsed = parseBlock(text);
    assert.equal(parsed === undefined ? undefined : formatBlock(parsed), want);
  });
}

test("blocks overlap when one holds the other's first address", () => {
  assert.equal(overlaps(block("10.0.0.0/8"), block("10.9.0.0/16")), true);
  assert.equal(overlaps(block("10.9.0.0/16"), block("10.0.0.0/8")), true);
  assert.equal(overlaps(block("10.0.0.0/16"), block("10.1.0.0/16")), false);
});

test("addresses are given from the lowest on, never the subnet's first or last", () => {
  const subnet = block("10.0.0.0/30");
  const taken = new Set<number>();
  assert.equal(firstFree(subnet, subnet, taken), parseIpv4("10.0.0.1"));
  taken.add(parseIpv4("10.0.0.1")!);
  assert.equal(firstFree(subnet, subnet, taken), parseIpv4("10.0.0.2"));
  taken.add(parseIpv4("10.0.0.2")!);
  assert.equal(firstFree(subnet, subnet, taken), undefined);
  assert.equal(firstFree(block("10.0.0.0/24"), block("10.0.0.128/25"), new Set()), parseIpv4("10.0.0.128"));
});

test("a network that says nothing gets Docker's next pool", () => {
  assert.equal(formatBlock(defaultSubnet([]) ?? assert.fail()), "172.18.0.0/16");
  assert.equal(formatBlock(defaultSubnet([block("172.18.0.0/16"), block("172.19.4.0/24")]) ?? assert.fail()), "172.20.0.0/16");
  assert.equal(formatBlock(defaultSubnet([block("172.16.0.0/12")]) ?? assert.fail()), "192.168.0.0/20");
  assert.equal(defaultSubnet([block("0.0.0.0/0")]), undefined);
});

test("the machine's routes, without the default one", () => {
  const text = [
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
    "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
    "",
  ].join("\n");
  assert.deepEqual(routedBlocks(text).map(formatBlock), ["172.17.0.0/16"]);
});
