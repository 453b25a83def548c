import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { createBase, dump, lower } from "./test-lowering.ts";

interface Golden {
  readonly name: string;
  readonly dockerfile: string;
  readonly graph: readonly string[];
}

describe("the graph of", () => {
  for (const { name, dockerfile, graph } of JSON.parse(readFileSync(new URL("testdata/graphs.json", import.meta.url), "utf8")) as Golden[]) {
    test(name, () => assert.deepEqual(dump(lower(dockerfile, { buildArgs: { http_proxy: "http://p" } }).root), graph));
  }
});

test("what the command line gives reaches every command", () => {
  const lowered = lower("FROM busybox\nRUN x\n", {
    extraHosts: ["a:1.2.3.4"],
    shmSizeBytes: 1 << 20,
    ulimits: ["nofile=1"],
    network: "none",
    buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: "h" },
  });
  const op = lowered.root?.op;
  assert.ok(op?.type === "exec");
  assert.deepEqual([op.extraHosts, op.shmSizeBytes, op.ulimits, op.network, op.hostname], [["a:1.2.3.4"], 1 << 20, ["nofile=1"], "none", "h"]);
});

test("--network of RUN wins over the build's", () => {
  const networks = ["default", "none", "host"].map((name) => {
    const op = lower(`FROM busybox\nRUN --network=${name} x\n`, { network: "host" }).root?.op;
    return op?.type === "exec" ? op.network : undefined;
  });
  assert.deepEqual(networks, ["default", "none", "host"]);
});

test("the same base under another name gives the same steps", () => {
  const digest = (name: string): string | undefined =>
    lower(`FROM ${name}\nRUN x\n`, { images: [createBase(`docker.io/library/${name}:latest`)] }).root?.digest;
  assert.equal(digest("a"), digest("b"));
});
