/** `search` against Docker Hub's answers, a list of repositories, and registries that have neither or are not there. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { runInMemory, type Outcome } from "../../src/cli/memory-cli.ts";
import { Slipway } from "../../src/engine/index.ts";
import { serve, type Handler } from "../../src/registry/fixtures/loopback-server.ts";
import { startRegistry } from "../../src/testing/index.ts";
import { pushImage, repositoryOf } from "../trust/repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-search-"));
const engine = await Slipway.open({ root });
after(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});
const search = (...words: readonly string[]): Promise<Outcome> => runInMemory(["search", ...words], { open: async () => engine });

const results = [
  { name: "busybox", description: "Busybox base image.", star_count: 3404, is_official: true, is_automated: false },
  { name: "rancher/busybox", description: "", star_count: 0, is_official: false },
  { name: "long/one", description: "A very long description, that is\nlonger than what is\u001b shown in one line", star_count: 12, is_automated: true },
];
const hub: Handler = (_, response) => void response.end(JSON.stringify({ num_results: results.length, results }));

const heading = "NAME              DESCRIPTION                                     STARS     OFFICIAL\n";
const [busybox, rancher, long] = [
  "busybox           Busybox base image.                             3404      [OK]\n",
  "rancher/busybox                                                   0         \n",
  "long/one          A very long description, that is longer than…   12        \n",
];

describe("a search like Docker Hub's", async () => {
  const server = await serve({ "/v1/search": hub });
  after(() => server[Symbol.asyncDispose]());
  // what Docker 28 prints of the same answers
  const cases: readonly (readonly [words: readonly string[], stdout: string, stderr?: string])[] = [
    [[], heading + busybox + rancher + long],
    [
      ["--limit", "2"],
      `NAME              DESCRIPTION           STARS     OFFICIAL\nbusybox           Busybox base image.   3404      [OK]\nrancher/busybox                         0         \n`,
    ],
    [["--format", "{{.Name}} {{.StarCount}} {{.IsOfficial}}|"], "busybox 3404 [OK]|\nrancher/busybox 0 |\nlong/one 12 |\n"],
    [["--filter", "is-official=true", "--format", "json"], '{"Description":"Busybox base image.","IsOfficial":"true","Name":"busybox","StarCount":"3404"}\n'],
    [["--filter", "stars=5", "--filter", "stars=100", "--format", "{{.Name}}"], "busybox\n"],
    [["--filter", "is-official=false", "--format", "{{.Name}}"], "rancher/busybox\nlong/one\n"],
    [
      ["--no-trunc", "--filter", "stars=12", "--filter", "is-official=false", "--format", "{{json .Description}}"],
      '"A very long description, that is longer than what is shown in one line"\n',
    ],
    [
      ["--filter", "is-automated=true"],
      "NAME      DESCRIPTION   STARS     OFFICIAL\n",
      'WARNING: the "is-automated" filter is deprecated, and searching for "is-automated=true" will not yield any results in future.\n',
    ],
  ];
  for (const [words, stdout, stderr = ""] of cases) {
    test(words.join(" "), async () => assert.deepEqual(await search(...words, `${server.host}/busybox`), { code: 0, stdout, stderr }));
  }

  const refusals: readonly (readonly [words: readonly string[], message: string])[] = [
    [["--filter", "stars=x"], "Error response from daemon: invalid filter 'stars=x': strconv.Atoi: parsing \"x\": invalid syntax"],
    [["--filter", "is-official=maybe"], "Error response from daemon: invalid filter 'is-official=[maybe]'"],
    [["--filter", "nope=1"], "Error response from daemon: invalid filter 'nope'"],
    [["--limit", "101"], "Error response from daemon: limit 101 is outside the range of [1, 100]"],
    [["--format", "{{.Nope}}"], 'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *registry.searchContext'],
  ];
  for (const [words, message] of refusals) {
    test(`refused: ${words.join(" ")}`, async () => {
      const { code, stderr } = await search(...words, `${server.host}/busybox`);
      assert.deepEqual([code, stderr.split("\n")[0]], [1, message]);
    });
  }

  test("is asked as Docker asks", async () => {
    await search("--limit", "7", `${server.host}/a/b c`);
    assert.equal(server.requests.at(-1)?.line, "GET /v1/search?q=a%2Fb%20c&n=7");
  });
});

test("a registry without a search is looked through by its list of repositories", async () => {
  await using registry = await startRegistry();
  for (const name of ["team/web", "team/worker", "other"]) await pushImage(repositoryOf(registry, name), "1");
  assert.equal((await search("--format", "{{.Name}}", `${registry.host}/team`)).stdout, "team/web\nteam/worker\n");
  assert.equal((await search("--limit", "1", "--format", "{{.Name}}", `${registry.host}/w`)).stdout, "team/web\n");
});

const broken: readonly (readonly [name: string, handler: Handler, want: RegExp])[] = [
  ["refuses", (_, response) => void response.writeHead(401).end(), /cannot be searched: Unexpected status code 401\nHint: slipway login /],
  ["fails", (_, response) => void response.writeHead(500).end(), /cannot be searched: Unexpected status code 500\n/],
  ["answers something else", (_, response) => void response.end("<html>"), /search's answer/],
  ["has neither", (_, response) => void response.writeHead(404).end(), /cannot be searched: Unexpected status code 404\n/],
  ["never ends", (_, response) => void response.end("x".repeat(5 << 20)), /larger than/],
];
for (const [name, handler, want] of broken) {
  test(`a registry that ${name}`, async () => {
    const server = createServer(handler).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      const { code, stdout, stderr } = await search(`127.0.0.1:${(server.address() as AddressInfo).port}/x`);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, want);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
}
