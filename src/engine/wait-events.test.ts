import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReference } from "../oci/reference.ts";
import { quickClient, serve } from "../registry/fixtures/loopback-server.ts";
import { waitLines } from "./wait-events.ts";

test("a wait is told once for all that wait for the same host, short ones never", () => {
  const lines: string[] = [];
  let now = 0;
  const tell = waitLines(
    ({ status }) => lines.push(status),
    () => now,
  );
  const reason = "too many requests";
  for (const [host, delayMs, at] of [
    ["a", 4500, 0],
    ["a", 4000, 10],
    ["b", 2000, 10],
    ["b", 999, 10],
    ["a", 2000, 5000],
  ] as const) {
    now = at;
    tell({ host, delayMs, reason });
  }
  assert.deepEqual(lines, [`Waiting for a: ${reason}; again in 5 s`, `Waiting for b: ${reason}; again in 2 s`, `Waiting for a: ${reason}; again in 2 s`]);
});

test("the client tells of its waits as long as somebody listens", async () => {
  let asked = 0;
  await using server = await serve({
    "/v2/a/manifests/latest": (_, response) => void response.writeHead(asked++ % 2 === 0 ? 503 : 404).end(),
  });
  await using client = quickClient();
  const heard: unknown[] = [];
  const ask = () => assert.rejects(client.resolve(parseReference(`${server.host}/a`)), { code: "MANIFEST_NOT_FOUND" });
  {
    using _waits = client.onWait(({ host, reason }) => heard.push([host, reason]));
    await ask();
  }
  await ask();
  assert.deepEqual([asked, heard], [4, [[server.host, "it answers 503"]]]);
});
