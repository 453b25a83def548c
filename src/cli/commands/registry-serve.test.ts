/** Words of `registry serve` that mean nothing, told before a server is started. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInMemory } from "../memory-cli.ts";
import { parseListen, parseUpstream } from "./registry-serve.ts";

describe("registries to mirror", () => {
  const table: readonly (readonly [text: string, want: string])[] = [
    ["docker.io", "docker.io"],
    ["index.docker.io", "docker.io"],
    ["https://ghcr.io/", "ghcr.io"],
    ["localhost:5000", "localhost:5000"],
    ["[::1]:5000", "[::1]:5000"],
  ];
  for (const [text, want] of table) test(text, () => assert.equal(parseUpstream(text), want));
});

describe("addresses", () => {
  const table: readonly (readonly [text: string, host: string, port: number])[] = [
    ["127.0.0.1:5000", "127.0.0.1", 5000],
    [":0", "0.0.0.0", 0],
    ["[::1]:80", "::1", 80],
  ];
  for (const [text, host, port] of table) test(text, () => assert.deepEqual(parseListen(text), { host, port }));
});

describe("refused", () => {
  const table: readonly (readonly [words: readonly string[], want: RegExp])[] = [
    [["--mirror-of", "ghcr.io/org"], /invalid registry "ghcr\.io\/org": want HOST or HOST:PORT/],
    [["--mirror-of", ""], /invalid registry "": want HOST or HOST:PORT/],
    [["--mirror-of", "name"], /invalid registry "name": want HOST or HOST:PORT/],
    [["--mirror-of", "docker.io", "--images"], /--mirror-of and --images exclude each other/],
    [["--listen", "5000"], /invalid address "5000": want HOST:PORT/],
    [["--tls-cert", "c"], /--tls-cert and --tls-key belong together/],
  ];
  for (const [words, want] of table) {
    test(words.join(" "), async () => {
      const { code, stderr } = await runInMemory(["registry", "serve", ...words]);
      assert.notEqual(code, 0);
      assert.match(stderr, want);
    });
  }
});
