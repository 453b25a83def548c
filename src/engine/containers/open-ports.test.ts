import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePublish } from "../../runtime/ports.ts";
import { openPortsOf } from "./open-ports.ts";

/** published, exposed, the ports in the order that `docker ps` has */
const listed: readonly (readonly [publish: readonly string[], expose: readonly string[], want: readonly string[]])[] = [
  [[], [], []],
  [["127.0.0.1:18083:8080"], ["80/tcp", "8080/tcp"], ["80/tcp", "127.0.0.1 18083 8080/tcp"]],
  [
    ["18090:7001", "127.0.0.1:18091:8000", "18093:8000/udp"],
    ["7000-7002", "9000/udp"],
    [
      "7000/tcp",
      "0.0.0.0 18090 7001/tcp",
      ":: 18090 7001/tcp",
      "7002/tcp",
      "0.0.0.0 18093 8000/udp",
      "127.0.0.1 18091 8000/tcp",
      ":: 18093 8000/udp",
      "9000/udp",
    ],
  ],
];

for (const [publish, expose, want] of listed) {
  test(`published ${publish.join(" ")}, exposed ${expose.join(" ")}`, () => {
    const ports = openPortsOf({ ports: publish.flatMap(parsePublish), config: { exposedPorts: expose } });
    assert.deepEqual(
      ports.map((port) => `${port.hostIp === undefined ? "" : `${port.hostIp} ${port.hostPort} `}${port.containerPort}/${port.protocol}`),
      want,
    );
  });
}
