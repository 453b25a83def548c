import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerSummary, Filters } from "../api.ts";
import { createMemoryRecords } from "../../runtime/memory-records.ts";
import { checkFilters, matchesFilters } from "./summarize.ts";

const refused: readonly (readonly [filters: Filters, message: string])[] = [
  [{ foo: ["bar"] }, "invalid filter 'foo'"],
  [
    { status: ["foo"] },
    "invalid filter 'status=foo': invalid value for state (foo): must be one of created, running, paused, restarting, removing, exited, dead",
  ],
  [{ exited: ["x"] }, `invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax`],
  [{ publish: ["80:80"] }, "filter for 'publish' should not contain ':': 80:80"],
  [{ expose: ["x"] }, 'error while looking up for expose x: strconv.ParseUint: parsing "x": invalid syntax'],
];
for (const [filters, message] of refused) test(message, () => assert.throws(() => checkFilters(filters), { code: "INVALID_FILTER", message }));

const summary: ContainerSummary = {
  id: "a".repeat(64),
  name: "web",
  image: "busybox",
  imageId: undefined,
  command: "sh",
  createdSeconds: 0,
  state: "running",
  startedAtMs: 0,
  finishedAtMs: undefined,
  exitCode: undefined,
  ports: [
    { containerPort: 53, protocol: "udp" },
    { hostIp: "0.0.0.0", hostPort: 8080, containerPort: 80, protocol: "tcp" },
  ],
  labels: {},
  mounts: [],
  networks: ["bridge"],
};
const matched: readonly (readonly [filters: Filters, want: boolean])[] = [
  [{ health: ["none"] }, true],
  [{ health: ["healthy"] }, false],
  [{ "is-task": ["true"] }, false],
  [{ "is-task": ["false"] }, true],
  [{ name: ["^/web$"] }, true],
  [{ publish: ["8080"] }, true],
  [{ expose: ["80"] }, true],
  [{ publish: ["81"] }, false],
  [{ publish: ["80"] }, false],
  [{ publish: ["8080/udp"] }, false],
  [{ publish: ["8000-8090/tcp"] }, true],
  [{ expose: ["53"] }, false],
  [{ expose: ["50-60/udp"] }, true],
  [{ expose: ["53/udp"], publish: ["1"] }, true],
];
for (const [filters, want] of matched) {
  test(`filter ${JSON.stringify(filters)}`, () => assert.equal(matchesFilters(summary, filters, createMemoryRecords()), want));
}
