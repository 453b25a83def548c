import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "../fixtures/loopback-server.ts";
import { createFetch } from "./proxied-fetch.ts";

test("the clouds' servers are asked through the proxy, metadata servers are not", async () => {
  const seen: string[] = [];
  await using proxy = await serve({
    "http://sts.example/token": (request, response) => {
      seen.push(`${request.method} ${String(request.headers["proxy-authorization"])} ${String(request.headers["x-key"])}`);
      request.resume().on("end", () => response.end("answer"));
    },
    "http://sts.example/moved": (_, response) => void response.writeHead(307, { location: "http://evil.example/" }).end(),
  });
  const files = { readText: () => undefined, list: () => [] };
  const fetch = createFetch({ HTTP_PROXY: `http://u:p@${proxy.host}` }, files);
  const answered = await fetch("http://sts.example/token", { method: "POST", body: "secret", headers: { "X-Key": "k" } });
  assert.deepEqual([answered.status, await answered.text(), seen], [200, "answer", [`POST Basic ${Buffer.from("u:p").toString("base64")} k`]]);
  assert.equal((await fetch("http://sts.example/moved", { method: "POST", body: "secret" })).status, 307);
  await assert.rejects(fetch("http://169.254.1.1:1/x", { signal: AbortSignal.timeout(50) }));
  assert.deepEqual(
    proxy.requests.map(({ line }) => line),
    ["POST http://sts.example/token", "POST http://sts.example/moved"],
  );
});
