import assert from "node:assert/strict";
import { test } from "node:test";
import type { OpenPort } from "../engine/api.ts";
import { formatPorts } from "./port-list.ts";

const exposed = (containerPort: number, protocol: "tcp" | "udp" = "tcp"): OpenPort => ({ containerPort, protocol });
const published = (hostPort: number, containerPort: number, protocol: "tcp" | "udp" = "tcp"): readonly OpenPort[] =>
  ["0.0.0.0", "::"].map((hostIp) => ({ hostIp, hostPort, containerPort, protocol }));

/** sorted ports, what `docker ps` shows */
const shown: readonly (readonly [ports: readonly OpenPort[], want: string])[] = [
  [[], ""],
  [[exposed(80)], "80/tcp"],
  [[exposed(80), { ...exposed(8080), hostIp: "127.0.0.1", hostPort: 18083 }], "80/tcp, 127.0.0.1:18083->8080/tcp"],
  [
    [exposed(7000), ...published(18090, 7001), exposed(7002), exposed(9000, "udp")],
    "7000/tcp, 7002/tcp, 9000/udp, 0.0.0.0:18090->7001/tcp, [::]:18090->7001/tcp",
  ],
  [
    [exposed(53), exposed(53, "udp"), exposed(54, "udp"), ...[18101, 18102, 18103, 18110].flatMap((port) => published(port, port))],
    "0.0.0.0:18101-18103->18101-18103/tcp, [::]:18101-18103->18101-18103/tcp, 53/tcp, 53-54/udp, 0.0.0.0:18110->18110/tcp, [::]:18110->18110/tcp",
  ],
];

for (const [ports, want] of shown) test(`ps shows ${JSON.stringify(want)}`, () => assert.equal(formatPorts(ports), want));
