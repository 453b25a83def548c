import assert from "node:assert/strict";
import { test } from "node:test";
import { makeAnswer, parseQuestion } from "./dns-message.ts";
import { answerQuery, type Forwarder } from "./name-server.ts";
import type { Member } from "./network-members.ts";

function query(name: string, type: number): Buffer {
  const head = Buffer.from([0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

const member: Member = {
  id: "x",
  pid: 1,
  startTimeTicks: "1",
  servers: ["192.0.2.1"],
  places: [
    { networkId: "n", networkName: "net", subnet: "10.0.0.0/24", gateway: "10.0.0.1", interface: "eth0", address: "10.0.0.2", names: ["db"], links: {} },
  ],
};
const members = new Map([["x", member]]);
const silent: Forwarder = { ask: () => Promise.resolve(undefined) };

const answers: readonly { name: string; query: Buffer; code: number; count: number; end: string }[] = [
  { name: "a name of the network", query: query("DB", 1), code: 0, count: 1, end: "00040a000002" },
  { name: "its IPv6 addresses: none, but the name is known", query: query("db", 28), code: 0, count: 0, end: "001c0001" },
  { name: "an address's name", query: query("2.0.0.10.in-addr.arpa", 12), code: 0, count: 1, end: "0264620" + "36e657400" },
  { name: "another name, and no server answers", query: query("example.com", 1), code: 2, count: 0, end: "00010001" },
];
for (const { name, query: asked, code, count, end } of answers) {
  test(`answer: ${name}`, async () => {
    const reply = (await answerQuery(members, member, asked, silent)) ?? assert.fail();
    assert.deepEqual([reply.readUInt16BE(0), reply[2]! & 0x80, reply[3]! & 0x0f, reply.readUInt16BE(6)], [0x1234, 0x80, code, count]);
    assert.ok(reply.toString("hex").endsWith(end), reply.toString("hex"));
  });
}

test("other names are asked of the container's servers", async () => {
  const asked: (readonly string[])[] = [];
  const forwarder: Forwarder = {
    ask: (message, servers) => {
      asked.push(servers);
      return Promise.resolve(makeAnswer(message, parseQuestion(message) ?? assert.fail(), [], 3));
    },
  };
  const reply = await answerQuery(members, member, query("example.com", 1), forwarder);
  assert.deepEqual([reply?.[3], asked], [0x83, [["192.0.2.1"]]]);
});

const malformed: readonly (readonly [name: string, message: Buffer])[] = [
  ["nothing", Buffer.alloc(0)],
  ["a header alone", Buffer.alloc(12)],
  ["a response", Buffer.concat([Buffer.from([0, 0, 0x80, 0, 0, 1]), Buffer.alloc(20)])],
  ["a label that leads out", Buffer.concat([query("db", 1).subarray(0, 12), Buffer.from([63, 1, 2, 3, 4, 5])])],
  ["a name that is a pointer", Buffer.concat([query("db", 1).subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 1, 0, 1])])],
  ["an end in the middle", query("db", 1).subarray(0, 17)],
];
for (const [name, message] of malformed) test(`no answer: ${name}`, async () => assert.equal(await answerQuery(members, member, message, silent), undefined));
