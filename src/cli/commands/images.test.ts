import assert from "node:assert/strict";
import { test } from "node:test";
import { SlipwayError } from "../../base/errors.ts";
import type { HistoryItem, ImageInspect, ImageSummary, Task } from "../../engine/api.ts";
import type { PullEvent } from "../../engine/registry-api.ts";
import type { Digest } from "../../oci/digest.ts";
import { escapeHtml } from "../json.ts";
import { runInMemory } from "../memory-cli.ts";

const nowMs = Date.parse("2026-11-23T09:42:36Z");

function digest(start: string): Digest {
  return `sha256:${start.padEnd(64, "0")}` as Digest;
}

function image(fields: Partial<ImageSummary>): ImageSummary {
  return {
    id: digest("08e080652bf7"),
    repoTags: ["cli-a:latest"],
    repoDigests: [],
    parentId: "",
    createdSeconds: nowMs / 1000 - 11,
    sizeBytes: 3173910,
    labels: {},
    containers: 0,
    platform: "linux/amd64",
    variants: [],
    dangling: false,
    layers: [
      { diffId: digest("15d33b078a43"), sizeBytes: 2039808, shared: true },
      { diffId: digest("b8edf9f9896b"), sizeBytes: 1134102, shared: false },
    ],
    ...fields,
  };
}

const images: readonly ImageSummary[] = [
  image({}),
  image({ id: digest("19f38e9c2bae"), repoTags: [], createdSeconds: nowMs / 1000 - 65, sizeBytes: 3142000, dangling: true }),
  image({
    id: digest("2143c99540ba"),
    repoTags: ["127.0.0.1:5000/library/golang:1.22-alpine", "go:1"],
    createdSeconds: nowMs / 1000 - 13 * 60,
    sizeBytes: 1_093_000_000,
    repoDigests: [`127.0.0.1:5000/library/golang@${digest("2143")}`],
  }),
];

const listing = { engine: { images: { list: () => images } }, nowMs };

const imageOutputs: readonly (readonly [words: readonly string[], stdout: string])[] = [
  [
    ["images"],
    `REPOSITORY                      TAG           IMAGE ID       CREATED              SIZE
cli-a                           latest        08e080652bf7   11 seconds ago       3.17MB
<none>                          <none>        19f38e9c2bae   About a minute ago   3.14MB
127.0.0.1:5000/library/golang   1.22-alpine   2143c99540ba   13 minutes ago       1.09GB
go                              1             2143c99540ba   13 minutes ago       1.09GB
`,
  ],
  [["image", "ls", "-q"], "08e080652bf7\n19f38e9c2bae\n2143c99540ba\n2143c99540ba\n"],
  [
    ["images", "--format", 'table {{.ID}}\\t{{ if eq .Tag "latest" }}L{{end}}\\t{{lower .Repository}}'],
    `IMAGE ID                 REPOSITORY
08e080652bf7   L         cli-a
19f38e9c2bae             <none>
2143c99540ba             127.0.0.1:5000/library/golang
2143c99540ba             go
`,
  ],
  [["images", "--format", '{{upper .Tag}}{{"\\t"}}{{.VirtualSize}}'], "LATEST\t3.174MB\n<NONE>\t3.142MB\n1.22-ALPINE\t1.093GB\n1\t1.093GB\n"],
];

for (const [words, stdout] of imageOutputs) {
  test(`slipway ${words.join(" ")}`, async () => assert.deepEqual(await runInMemory(words, listing), { code: 0, stdout, stderr: "" }));
}

test("an empty list has its headings; --digests and --no-trunc widen it", async () => {
  const empty = await runInMemory(["images", "--digests"], { engine: { images: { list: () => [] } } });
  assert.equal(empty.stdout, "REPOSITORY   TAG       DIGEST    IMAGE ID   CREATED   SIZE\n");
  const { stdout } = await runInMemory(["images", "--no-trunc", "--digests", "go"], listing);
  assert.match(stdout, new RegExp(`golang +1\\.22-alpine +${digest("2143")} +${digest("2143c99540ba")} `));
});

test("rows as JSON escape what HTML would read, an unknown field is named", async () => {
  const { stdout } = await runInMemory(["images", "--format", "{{json .}}"], { ...listing, engine: { images: { list: () => [images[1]!] } } });
  assert.match(stdout, /^\{"Containers":"0","CreatedAt":"[^"]+","CreatedSince":"About a minute ago","Digest":"\\u003cnone\\u003e","ID":"19f38e9c2bae",/);
  const failed = await runInMemory(["images", "--format", "{{.Foo}}"], listing);
  assert.equal(failed.stderr, `template parsing error: template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type *formatter.imageContext\n`);
});

test("filters reach the engine by name", async () => {
  const seen: unknown[] = [];
  await runInMemory(["images", "-f", "dangling=true", "--filter", "label=a=b", "--filter=label=c", "-a", "nginx"], {
    engine: { images: { list: (options) => (seen.push(options), []) } },
  });
  assert.deepEqual(seen, [{ all: true, filters: { dangling: ["true"], label: ["a=b", "c"] }, reference: "nginx" }]);
});

test("history cuts what is long, unless told not to", async () => {
  const items: readonly HistoryItem[] = [
    {
      id: digest("08e080652bf7"),
      createdSeconds: nowMs / 1000 - 45,
      createdBy: 'CMD ["/bin/sh" "-c" "sh -c \\"echo a\\""]',
      sizeBytes: 0,
      comment: "buildkit.dockerfile.v0",
      tags: [],
    },
    {
      id: "<missing>",
      createdSeconds: nowMs / 1000 - 45,
      createdBy: "RUN /bin/sh -c echo hello; echo err >&2; for i in 1 2 3; do echo line $i; sleep 0.2; done # buildkit",
      sizeBytes: 16384,
      comment: "buildkit.dockerfile.v0",
      tags: [],
    },
    { id: "<missing>", createdSeconds: nowMs / 1000 - 1080, createdBy: "", sizeBytes: 2039808, comment: "Imported from -", tags: [] },
  ];
  const world = { engine: { images: { history: () => items } }, nowMs };
  assert.equal(
    (await runInMemory(["history", "cli-a"], world)).stdout,
    `IMAGE          CREATED          CREATED BY                                      SIZE      COMMENT
08e080652bf7   45 seconds ago   CMD ["/bin/sh" "-c" "sh -c \\"echo a\\""]         0B        buildkit.dockerfile.v0
<missing>      45 seconds ago   RUN /bin/sh -c echo hello; echo err >&2; for…   16.4kB    buildkit.dockerfile.v0
<missing>      18 minutes ago                                                   2.04MB    Imported from -
`,
  );
  const raw = (await runInMemory(["history", "--human=false", "--format", "{{.Size}} {{.CreatedSince}}", "x"], { ...world })).stdout;
  assert.match(raw, /^0 2026-11-23T/);
  assert.equal((await runInMemory(["history", "-q", "x"], world)).stdout, "08e080652bf7\n<missing>\n<missing>\n");
});

test("history of what has no time", async (t) => {
  // it is told in the machine's zone, whose offset in the year 1 is nobody's business here
  const zone = process.env["TZ"];
  t.after(() => void (zone === undefined ? delete process.env["TZ"] : (process.env["TZ"] = zone)));
  process.env["TZ"] = "UTC";
  const items = [{ id: "<missing>", createdSeconds: -62_135_596_800, createdBy: "ENV A=1", sizeBytes: 0, comment: "", tags: [] }];
  const engine = { images: { history: () => items } };
  assert.equal((await runInMemory(["history", "--format", "{{.CreatedSince}} {{.CreatedAt}}", "x"], { engine })).stdout, "N/A 0001-01-01T00:00:00Z\n");
});

const inspected: ImageInspect = {
  Id: digest("0815"),
  RepoTags: ["a:latest"],
  RepoDigests: [],
  Parent: "",
  Comment: "",
  Created: "2026-11-23T09:41:51Z",
  DockerVersion: "",
  Author: "",
  Config: { Env: ["PATH=/bin"], Cmd: ["sh"], Labels: { a: "<b>&" } },
  Architecture: "amd64",
  Os: "linux",
  Size: 12,
  GraphDriver: { Data: null, Name: "slipway" },
  RootFS: { Type: "layers", Layers: [digest("15")] },
  Metadata: { LastTagTime: "0001-01-01T00:00:00Z" },
};

function lookup(ref: string): ImageInspect {
  if (ref === "a") return inspected;
  throw new SlipwayError("not_found", "NO_SUCH_IMAGE", `No such image: ${ref}:latest`);
}

const inspecting = {
  engine: {
    images: { inspect: lookup },
    containers: {
      inspect: async (name: string) => {
        throw new SlipwayError("not_found", "NO_SUCH_CONTAINER", `No such container: ${name}`);
      },
    },
    volumes: {
      inspect: (name: string) => {
        throw new SlipwayError("not_found", "VOLUME_NOT_FOUND", `get ${name}: no such volume`);
      },
    },
    networks: {
      inspect: async (name: string) => {
        throw new SlipwayError("not_found", "NETWORK_NOT_FOUND", `network ${name} not found`);
      },
    },
  },
};

const inspections: readonly (readonly [words: readonly string[], code: number, stdout: string, stderr: string])[] = [
  [["inspect", "nosuch"], 1, "[]\n", "Error: No such object: nosuch\n"],
  [["inspect", "--type", "image", "nosuch"], 1, "[]\n", "Error response from daemon: No such image: nosuch:latest\n"],
  [["container", "inspect", "nosuch"], 1, "[]\n", "Error response from daemon: No such container: nosuch\n"],
  [["inspect", "-f", "{{.Id}}", "a", "nosuch", "a"], 1, `${inspected.Id}\n${inspected.Id}\n`, "Error: No such object: nosuch\n"],
  [
    ["inspect", "-f", "{{.Config.User}}|{{.Config.Volumes}}|{{.Config.Healthcheck}}|{{.Config.Labels.x}}|{{.GraphDriver.Data}}", "a"],
    0,
    "|map[]|<nil>|<no value>|map[]\n",
    "",
  ],
  [["inspect", "-f", "{{json .Config}}", "a"], 0, '{"Env":["PATH=/bin"],"Cmd":["sh"],"Labels":{"a":"<b>&"}}\n', ""],
  [["inspect", "-f", "{{.Foo}}", "a"], 1, "\n", 'template parsing error: template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"\n'],
  [["inspect", "a"], 0, `${escapeHtml(JSON.stringify([inspected], null, 4))}\n`, ""],
  [["inspect", "-f", "json", "a"], 0, `${escapeHtml(JSON.stringify([inspected]))}\n`, ""],
];

for (const [words, code, stdout, stderr] of inspections) {
  test(`slipway ${words.join(" ")}`, async () => assert.deepEqual(await runInMemory(words, inspecting), { code, stdout, stderr }));
}

test("rmi goes on after a failure; -f forgives what is not there", async () => {
  const remove = (ref: string): readonly { untagged: string }[] => {
    if (ref === "b") throw new SlipwayError("not_found", "NO_SUCH_IMAGE", "No such image: b:latest");
    return [{ untagged: `${ref}:latest` }];
  };
  const world = { engine: { images: { remove } } };
  const stderr = "Error response from daemon: No such image: b:latest\n";
  assert.deepEqual(await runInMemory(["rmi", "a", "b", "c"], world), { code: 1, stdout: "Untagged: a:latest\nUntagged: c:latest\n", stderr });
  assert.deepEqual(await runInMemory(["rmi", "-f", "b"], world), { code: 0, stdout: "", stderr });
});

const usage = { total: 0, active: 0, sizeBytes: 0, reclaimableBytes: 0 };

test("system df", async () => {
  const diskUsage = async () => ({
    images: { total: 22, active: 1, sizeBytes: 2_610_000_000, reclaimableBytes: 2_609_000_000 },
    containers: { total: 1, active: 0, sizeBytes: 4096, reclaimableBytes: 4096 },
    volumes: usage,
    cache: { total: 44, active: 0, sizeBytes: 286_400_000, reclaimableBytes: 286_400_000 },
    cacheRecords: [],
    orphanBytes: 0,
  });
  assert.equal(
    (await runInMemory(["system", "df"], { engine: { system: { diskUsage } } })).stdout,
    `TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
Images          22        1         2.61GB    2.609GB (99%)
Containers      1         0         4.096kB   4.096kB (100%)
Local Volumes   0         0         0B        0B
Build Cache     44        0         286.4MB   286.4MB
`,
  );
  assert.equal(
    (await runInMemory(["system", "df", "--format", "{{json .}}"], { engine: { system: { diskUsage } } })).stdout.split("\n")[0],
    '{"Active":"1","Reclaimable":"2.609GB (99%)","Size":"2.61GB","TotalCount":"22","Type":"Images"}',
  );
});

test("prune asks, and does nothing unless the answer is yes", async () => {
  let pruned = 0;
  const prune = async () => (pruned++, { removed: [{ untagged: "a:1" }, { deleted: "sha256:1" }], reclaimedBytes: 41440 });
  const engine = { images: { prune } };
  const warning = "WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] ";
  assert.deepEqual(await runInMemory(["image", "prune"], { engine, stdin: "n\n" }), { code: 0, stdout: warning, stderr: "" });
  assert.deepEqual(await runInMemory(["image", "prune"], { engine }), { code: 0, stdout: warning, stderr: "" });
  assert.equal(pruned, 0);
  const report = "Deleted Images:\nuntagged: a:1\ndeleted: sha256:1\n\nTotal reclaimed space: 41.44kB\n";
  assert.deepEqual(await runInMemory(["image", "prune"], { engine, stdin: "y\n" }), { code: 0, stdout: warning + report, stderr: "" });
  assert.deepEqual(await runInMemory(["image", "prune", "-f"], { engine }), { code: 0, stdout: report, stderr: "" });
  assert.match(
    (await runInMemory(["image", "prune", "--dry-run"], { engine })).stdout,
    /^Would delete:\nuntagged: a:1\n[^]*Total reclaimable space: 41\.44kB\n$/,
  );
});

function finishedTask<Result, Event>(result: Promise<Result>, events: readonly Event[]): Task<Result, Event> {
  result.catch(() => undefined);
  return {
    result,
    async *[Symbol.asyncIterator]() {
      yield* events;
    },
  };
}

const pullEvents: readonly PullEvent[] = [
  { status: "1: Pulling from clx" },
  { id: "6c5d30afe1b8", status: "Pulling fs layer" },
  { id: "6c5d30afe1b8", status: "Downloading", current: 500, total: 1000 },
  { id: "6c5d30afe1b8", status: "Download complete" },
  { id: "6c5d30afe1b8", status: "Extracting", current: 1000, total: 1000 },
  { id: "6c5d30afe1b8", status: "Pull complete" },
];
const pulled = { reference: "localhost:5000/clx:1", id: digest("1"), digest: digest("eeb0"), status: "Downloaded newer image for localhost:5000/clx:1" };

test("pull on a pipe, quietly, and on a terminal", async () => {
  const engine = { images: { pull: () => finishedTask(Promise.resolve(pulled), pullEvents) } };
  const end = `Digest: ${pulled.digest}\nStatus: Downloaded newer image for localhost:5000/clx:1\nlocalhost:5000/clx:1\n`;
  assert.equal(
    (await runInMemory(["pull", "localhost:5000/clx:1"], { engine })).stdout,
    `1: Pulling from clx\n6c5d30afe1b8: Pulling fs layer\n6c5d30afe1b8: Download complete\n6c5d30afe1b8: Pull complete\n${end}`,
  );
  assert.equal((await runInMemory(["pull", "-q", "localhost:5000/clx"], { engine })).stdout, "localhost:5000/clx:1\n");
  assert.match((await runInMemory(["pull", "localhost:5000/clx"], { engine })).stdout, /^Using default tag: latest\n/);
  const drawn = (await runInMemory(["pull", "localhost:5000/clx:1"], { engine, isTTY: true, columns: 120 })).stdout;
  assert.ok(drawn.includes(`\u001b[1A\u001b[2K\r6c5d30afe1b8: Downloading [${"=".repeat(24)}>${" ".repeat(25)}]  500B/1kB\u001b[1B\r`));
  assert.match((await runInMemory(["pull", "BAD"], { engine })).stderr, /^invalid reference format: repository name \(library\/BAD\) must be lowercase\n$/);
});

test("pull for a program: an object a line, as the Engine API has them; a failure is one too", async () => {
  const engine = { images: { pull: () => finishedTask(Promise.resolve(pulled), pullEvents) } };
  const { stdout } = await runInMemory(["pull", "--progress", "json", "localhost:5000/clx"], { engine });
  assert.deepEqual(
    stdout
      .trimEnd()
      .split("\n")
      .slice(0, 3)
      .map((line) => JSON.parse(line) as unknown),
    [
      { status: "1: Pulling from clx" },
      { status: "Pulling fs layer", progressDetail: {}, id: "6c5d30afe1b8" },
      { status: "Downloading", progressDetail: { current: 500, total: 1000 }, id: "6c5d30afe1b8" },
    ],
  );
  const failing = { images: { pull: () => finishedTask(Promise.reject(new SlipwayError("not_found", "MANIFEST_NOT_FOUND", "gone")), []) } };
  const failed = await runInMemory(["pull", "--progress", "rawjson", "localhost:5000/clx"], { engine: failing });
  assert.deepEqual([failed.code, failed.stdout], [1, '{"errorDetail":{"message":"gone","code":"MANIFEST_NOT_FOUND"},"error":"gone"}\n']);
  for (const [words, stderr] of [
    [["--progress", "loud"], "invalid progress mode loud\n"],
    [["--all-platforms", "--platform", "linux/arm64"], "conflicting options: cannot specify both --platform and --all-platforms\n"],
  ] as const)
    assert.equal((await runInMemory(["pull", ...words, "localhost:5000/clx"], { engine })).stderr, stderr);
});

test("--tree has a branch for each platform of an index, with its layers", async () => {
  const [shared, own] = image({}).layers;
  const variant = (platform: string, id: string, layers: ImageSummary["layers"]): ImageSummary["variants"][number] => ({
    platform,
    id: digest(id),
    createdSeconds: nowMs / 1000 - 11,
    sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    containers: layers.length - 1,
    layers,
  });
  const variants = [variant("linux/amd64", "aa", [shared!, own!]), variant("linux/arm/v7", "bb", [shared!])];
  const { stdout } = await runInMemory(["images", "--tree"], { ...listing, engine: { images: { list: () => [image({ variants, containers: 1 })] } } });
  assert.equal(
    stdout.replaceAll(/ +$/gm, ""),
    `IMAGE                ID             SIZE      ABOUT
cli-a:latest         08e080652bf7   3.17MB    1.13MB its own, 2 platforms, 11 seconds ago, used by 1 container
├─ linux/amd64       aa0000000000   3.17MB    11 seconds ago, used by 1 container
│  ├─ 15d33b078a43                  2.04MB    shared
│  └─ b8edf9f9896b                  1.13MB
└─ linux/arm/v7      bb0000000000   2.04MB    11 seconds ago
   └─ 15d33b078a43                  2.04MB    shared
`,
  );
});

test("--platform reaches the engine", async () => {
  const seen: unknown[] = [];
  const engine = {
    images: {
      inspect: (ref: string, options?: unknown) => (seen.push(["inspect", ref, options]), { Config: {}, GraphDriver: {} } as unknown as ImageInspect),
      history: (ref: string, options?: unknown) => (seen.push(["history", ref, options]), []),
      remove: (ref: string, options?: unknown) => (seen.push(["remove", ref, options]), []),
    },
  };
  await runInMemory(["image", "inspect", "--platform", "linux/arm64", "x"], { engine });
  await runInMemory(["history", "--platform=arm64", "x"], { engine });
  await runInMemory(["rmi", "-f", "--platform", "linux/arm64,linux/amd64", "x"], { engine });
  assert.deepEqual(seen, [
    ["inspect", "x", { platform: "linux/arm64" }],
    ["history", "x", { platform: "arm64" }],
    ["remove", "x", { force: true, noPrune: false, platforms: ["linux/arm64", "linux/amd64"] }],
  ]);
});

const wrongPlatforms: readonly (readonly [words: string, stderr: RegExp])[] = [
  ["image inspect --platform nope x", /^"nope": unknown operating system or architecture: invalid argument$/m],
  ["history --platform nope x", /^invalid platform: "nope": unknown operating system or architecture: invalid argument$/m],
  ["save --platform nope x", /^invalid platform: "nope": unknown/m],
  ["load --platform nope", /^invalid platform: "nope": unknown/m],
  ["rmi -f --platform linux/arm64,nope x", /^"nope": unknown/m],
  ["run --platform nope x", /^slipway: error parsing specified platform: "nope": unknown/m],
];
for (const [words, want] of wrongPlatforms) {
  test(`slipway ${words}`, async () => {
    const { code, stderr, stdout } = await runInMemory(words.split(" "), {});
    assert.match(stderr, want);
    assert.deepEqual([code, stdout], [words.startsWith("run") ? 125 : 1, ""]);
  });
}
