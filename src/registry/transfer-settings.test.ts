import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readTransferSettings } from "./transfer-settings.ts";

const read = (env: Record<string, string>, daemonJson?: string) =>
  readTransferSettings(env, "/h", { readText: (path) => (path === "/etc/docker/daemon.json" ? daemonJson : undefined), list: () => [] });

describe("transfer settings", () => {
  const proxies = '{"proxies":{"http-proxy":"http://p:1","https-proxy":"http://p:2","no-proxy":"a.example"}}';
  const table: readonly [name: string, env: Record<string, string>, daemonJson: string | undefined, want: object][] = [
    ["nothing said", {}, undefined, { env: {} }],
    ["an empty file", {}, "", { env: {} }],
    [
      "daemon.json",
      {},
      '{"max-concurrent-downloads":10,"max-concurrent-uploads":2,"max-download-attempts":7}',
      { parallelDownloads: 10, parallelUploads: 2, retry: { maxAttempts: 7 }, env: {} },
    ],
    ["zero, which is Docker's own number", {}, '{"max-concurrent-downloads":0}', { env: {} }],
    ["more than is sensible", {}, '{"max-concurrent-uploads":1000}', { parallelUploads: 64, env: {} }],
    [
      "our own before it",
      { SLIPWAY_PARALLEL_DOWNLOADS: "1", SLIPWAY_PARALLEL_UPLOADS: "3" },
      '{"max-concurrent-downloads":10,"max-concurrent-uploads":2}',
      { parallelDownloads: 1, parallelUploads: 3, env: { SLIPWAY_PARALLEL_DOWNLOADS: "1", SLIPWAY_PARALLEL_UPLOADS: "3" } },
    ],
    [
      "what may be sent to whom",
      {},
      '{"allow-nondistributable-artifacts":["r.example:5000","10.0.0.0/8"]}',
      { nondistributableTo: ["r.example:5000", "10.0.0.0/8"], env: {} },
    ],
    ["the daemon's proxies", {}, proxies, { env: { HTTP_PROXY: "http://p:1", HTTPS_PROXY: "http://p:2", NO_PROXY: "a.example" } }],
    ["not beside the environment's", { https_proxy: "http://own:1" }, proxies, { env: { https_proxy: "http://own:1" } }],
  ];
  for (const [name, env, daemonJson, want] of table) test(name, () => assert.deepEqual(read(env, daemonJson), want));

  const bad: readonly [name: string, env: Record<string, string>, daemonJson: string, code: string, message: RegExp][] = [
    ["none", { SLIPWAY_PARALLEL_DOWNLOADS: "0" }, "", "INVALID_PARALLEL", /^SLIPWAY_PARALLEL_DOWNLOADS: "0" is not a number from 1 to 64$/],
    ["a word", { SLIPWAY_PARALLEL_UPLOADS: "many" }, "", "INVALID_PARALLEL", /"many"/],
    ["less than none", {}, '{"max-concurrent-uploads":-1}', "INVALID_DAEMON_JSON", /max-concurrent-uploads/],
    ["a text in daemon.json", {}, '{"max-concurrent-downloads":"3"}', "INVALID_DAEMON_JSON", /max-concurrent-downloads/],
  ];
  for (const [name, env, daemonJson, code, message] of bad)
    test(`refused: ${name}`, () => assert.throws(() => read(env, daemonJson), { kind: "invalid_argument", code, message }));
});
