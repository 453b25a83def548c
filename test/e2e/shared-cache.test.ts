/** Caches that stores share through a directory: what is taken from them, and what happens when they are damaged. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createSandbox, statesOf, type Outcome, type Sandbox } from "./sandbox.ts";
import { tarOf } from "./tar-of.ts";

const builder = await createSandbox();
after(() => builder[Symbol.asyncDispose]());
const folder = mkdtempSync(path.join(tmpdir(), "slipway-cache-"));
after(() => rmSync(folder, { recursive: true }));

const dockerfile = [
  "FROM busybox AS build",
  "WORKDIR /w",
  "COPY a dir ./",
  "RUN --mount=type=bind,source=dir,target=/d cat a /d/b >c && head -c 300000 /dev/urandom >big",
  "FROM busybox",
  "COPY --from=build /w/c /c",
  "RUN cat /c >/d",
].join("\n");
const context = builder.folder({ Dockerfile: dockerfile, a: "1", "dir/b": "2" });

const build = async (sandbox: Sandbox, flags: readonly string[], at = context): Promise<Outcome> =>
  await sandbox.call(["build", "--progress=plain", ...flags, at]);
const states = (outcome: Outcome): readonly string[] => statesOf(outcome, /\] (RUN|COPY|WORKDIR) /);
const allCached = ["cached", "cached", "cached", "cached", "cached"];

let exports = 0;
async function exported(flags = ""): Promise<string> {
  const directory = path.join(folder, String(exports++));
  const outcome = await build(builder, ["-t", "shared:1", "--cache-to", `type=local,dest=${directory}${flags}`]);
  assert.equal(outcome.code, 0, outcome.stderr);
  return directory;
}

/** A store that has the base and nothing else. */
async function elsewhere<T>(body: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  await using sandbox = await createSandbox();
  return await body(sandbox);
}

const from = (directory: string, more = ""): readonly string[] => ["--cache-from", `type=local,src=${directory}${more}`];
const blobsOf = (directory: string): readonly string[] =>
  readdirSync(path.join(directory, "blobs/sha256")).map((name) => path.join(directory, "blobs/sha256", name));
const jsonOf = <T>(file: string): T => JSON.parse(readFileSync(file, "utf8")) as T;

interface Layout {
  readonly manifests: readonly { readonly digest: string }[];
}
interface Manifest {
  readonly config: { readonly digest: string; readonly mediaType: string };
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly annotations: Readonly<Record<string, string>> }[];
}
const blobAt = (directory: string, digest: string): string => path.join(directory, "blobs/sha256", digest.slice("sha256:".length));
const manifestPath = (directory: string): string => blobAt(directory, jsonOf<Layout>(path.join(directory, "index.json")).manifests.at(-1)?.digest ?? "");

test("a result that stands on other layers than the base image's is not taken, wherever the cache says that it belongs", async () => {
  const script = builder.folder({ Dockerfile: "FROM busybox\nRUN echo 1 >/one\nRUN echo 2 >/two\n" });
  const directory = path.join(folder, String(exports++));
  assert.equal((await build(builder, ["--cache-to", `type=local,dest=${directory}`], script)).code, 0);
  const put = (bytes: Buffer): { readonly digest: string; readonly size: number } => {
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    writeFileSync(blobAt(directory, digest), bytes);
    return { digest, size: bytes.length };
  };
  // the base's layer becomes another one, all digests are right
  const other = tarOf({ bin: "no directory" });
  const layer = put(gzipSync(other));
  const file = manifestPath(directory);
  const manifest = jsonOf<Manifest>(file);
  const records = readFileSync(blobAt(directory, manifest.config.digest), "utf8");
  const { layers } = JSON.parse(records) as { readonly layers: readonly { readonly blob: string; readonly parent?: number }[] };
  const bottom = layers.find(({ parent = 0 }) => parent < 0)?.blob ?? "";
  const diffId = `sha256:${createHash("sha256").update(other).digest("hex")}`;
  const swap = (each: Manifest["layers"][number]): object =>
    each.digest === bottom ? { ...each, ...layer, annotations: { ...each.annotations, "containerd.io/uncompressed": diffId } } : each;
  const config = { ...manifest.config, ...put(Buffer.from(records.replaceAll(bottom, layer.digest))) };
  const changed = put(Buffer.from(JSON.stringify({ ...manifest, config, layers: manifest.layers.map(swap) })));
  const index = path.join(directory, "index.json");
  const { manifests, ...rest } = jsonOf<Layout>(index);
  writeFileSync(index, JSON.stringify({ ...rest, manifests: [{ ...manifests[0], ...changed }] }));
  await elsewhere(async (sandbox) => {
    const outcome = await build(sandbox, [...from(directory), "-t", "stands:1"], script);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(states(outcome), ["done", "done"]);
    assert.equal(await sandbox.ok(["run", "--rm", "--network=none", "stands:1", "cat", "/one", "/two"]), "1\n2");
  });
});

test("another store takes every step from the cache and makes the same layers, fetching no layer of the stage that is not needed", async () => {
  const directory = await exported(",mode=max");
  const layersOf = async (sandbox: Sandbox): Promise<string> => await sandbox.ok(["image", "inspect", "-f", "{{json .RootFS.Layers}}", "shared:1"]);
  const layers = await layersOf(builder);
  await elsewhere(async (sandbox) => {
    const outcome = await build(sandbox, [...from(directory), "-t", "shared:1"]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(states(outcome), allCached, outcome.stderr);
    assert.match(outcome.stderr, /importing cache manifest from local:/);
    assert.equal(await layersOf(sandbox), layers);
    const big = blobsOf(directory).find((file) => statSync(file).size > 300_000);
    assert.ok(big !== undefined);
    assert.ok(!readdirSync(path.join(sandbox.store, "blobs/sha256")).includes(path.basename(big)), "the builder's layer was fetched");
    // what was fetched is the store's own now
    for (const { digest } of jsonOf<Manifest>(manifestPath(directory)).layers) rmSync(blobAt(directory, digest));
    const again = await build(sandbox, from(directory));
    assert.deepEqual(states(again), allCached, again.stderr);
    assert.doesNotMatch(again.stderr, /cannot be used/);
  });
});

test("a step that is not in the cache runs on layers that are", async () => {
  const directory = await exported(",mode=max");
  await elsewhere(async (sandbox) => {
    const changed = sandbox.folder({ Dockerfile: dockerfile.replace("cat /c >/d", "cat /c /c >/d"), a: "1", "dir/b": "2" });
    const outcome = await build(sandbox, [...from(directory), "-t", "changed"], changed);
    assert.deepEqual(states(outcome), [...allCached.slice(1), "done"], outcome.stderr);
    assert.equal(await sandbox.ok(["cat", "changed:latest:/d"]), "1212");
  });
});

test("a copy from a stage that was built anew is found by what it takes, and what stands on it as well", async () => {
  const directory = await exported(",mode=max");
  await elsewhere(async (sandbox) => {
    const changed = sandbox.folder({ Dockerfile: dockerfile.replace("300000", "200000"), a: "1", "dir/b": "2" });
    const outcome = await build(sandbox, [...from(directory), "-t", "changed"], changed);
    assert.deepEqual(states(outcome), ["cached", "cached", "done", "cached", "cached"], outcome.stderr);
    assert.equal(await sandbox.ok(["cat", "changed:latest:/d"]), "12");
  });
});

test("mode=min writes the result's layers alone, and they are taken although the stage that they copy from is not there", async () => {
  const directory = await exported(",mode=min");
  assert.ok(blobsOf(directory).every((file) => statSync(file).size < 300_000 || statSync(file).size > 1_000_000));
  await elsewhere(async (sandbox) => {
    const outcome = await build(sandbox, [...from(directory), "-t", "shared:1"]);
    assert.deepEqual(states(outcome), ["cached", "cached"], outcome.stderr);
    assert.equal(await sandbox.ok(["cat", "shared:1:/d"]), "12");
    const filtered = await build(sandbox, [...from(directory), "--no-cache-filter", "build"]);
    assert.equal(states(filtered)[0], "done", filtered.stderr);
  });
});

test("steps are shown as hits although a script below them is made again", async () => {
  const script = builder.folder({ Dockerfile: "FROM busybox\nRUN echo 1 >/1\nRUN <<X\n#!/bin/sh\necho 2 >/2\nX\nRUN echo 3 >/3\n" });
  const directory = path.join(folder, `script-${exports++}`);
  assert.equal((await build(builder, ["--cache-to", `type=local,dest=${directory}`], script)).code, 0);
  await elsewhere(async (sandbox) => {
    const outcome = await build(sandbox, from(directory), script);
    assert.deepEqual(states(outcome), ["cached", "cached", "cached"], outcome.stderr);
  });
});

test("COPY --parents is a hit by what it takes", async () => {
  const lines = [
    "FROM busybox AS s",
    "COPY --parents d/e/x.txt g/z.txt /a/",
    "COPY --parents d/./e/*.txt /b/",
    "FROM busybox",
    "COPY --parents --from=s /a/d /z/",
    "COPY --parents --exclude=**/*.md d /x/",
  ];
  const files = { Dockerfile: lines.join("\n"), "d/e/x.txt": "1", "d/e/y.md": "2", "g/z.txt": "3" };
  const directory = path.join(folder, String(exports++));
  const copies = (outcome: Outcome): readonly string[] => statesOf(outcome, /\] COPY /);
  await build(builder, ["--cache-to", `type=local,dest=${directory},mode=max`], builder.folder(files));
  await elsewhere(async (sandbox) => {
    assert.deepEqual(copies(await build(sandbox, from(directory), sandbox.folder(files))), ["cached", "cached", "cached", "cached"]);
  });
  await elsewhere(async (sandbox) => {
    const changed = sandbox.folder({ ...files, "g/z.txt": "4", "d/e/y.md": "5" });
    const outcome = await build(sandbox, from(directory), changed);
    assert.deepEqual(copies(outcome), ["done", "done", "cached", "cached"], outcome.stderr);
  });
});

test("an index, Docker's media types and zstd are read like the rest", async () => {
  for (const flags of [",image-manifest=false", ",oci-mediatypes=false", ",compression=zstd", ",compression=uncompressed", ",tag=other"]) {
    const directory = await exported(`,mode=max${flags}`);
    await elsewhere(async (sandbox) => {
      const outcome = await build(sandbox, from(directory, flags === ",tag=other" ? flags : ""));
      assert.deepEqual(states(outcome), allCached, `${flags} ${outcome.stderr}`);
    });
  }
});

test("an image that carries its cache is a cache", async () => {
  const outcome = await build(builder, ["--build-arg", "BUILDKIT_INLINE_CACHE=1", "-t", "inline:1", "-o", `type=oci,tar=false,dest=${folder}/inline`]);
  assert.equal(outcome.code, 0, outcome.stderr);
  const manifest = jsonOf<Manifest>(manifestPath(`${folder}/inline`));
  const config = jsonOf<Readonly<Record<string, string>>>(blobAt(`${folder}/inline`, manifest.config.digest));
  const records = JSON.parse(Buffer.from(config["moby.buildkit.cache.v0"] ?? "", "base64").toString()) as readonly {
    readonly layers?: readonly { readonly layer: number }[];
  }[];
  assert.deepEqual(
    records.flatMap(({ layers = [] }) => layers.map(({ layer }) => layer)).toSorted((a, b) => a - b),
    [1, 2],
  );
  const digest = jsonOf<Layout>(`${folder}/inline/index.json`).manifests[0]?.digest;
  await elsewhere(async (sandbox) => {
    const again = await build(sandbox, from(`${folder}/inline`, `,digest=${digest}`));
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(states(again), ["cached", "cached"], again.stderr);
  });
});

test("a cache that is not there or damaged is told, and the steps run", async () => {
  const damage: readonly (readonly [string, (directory: string) => void, RegExp])[] = [
    ["no directory", (directory) => rmSync(directory, { recursive: true }), /index\.json: no such file/],
    ["no manifest", (directory) => rmSync(manifestPath(directory)), /is not in/],
    ["changed manifest", (directory) => writeFileSync(manifestPath(directory), "{}"), /is damaged/],
    ["config that is no JSON", (directory) => replaceConfig(directory, "no"), /it is no JSON/],
    [
      "link out of range",
      (directory) => replaceConfig(directory, '{"records":[{"digest":"sha256:' + "0".repeat(64) + '","inputs":[[{"link":7}]]}]}'),
      /a link out of range/,
    ],
    ["layers in a circle", (directory) => replaceConfig(directory, JSON.stringify(circle)), /in a circle/],
  ];
  for (const [name, spoil, want] of damage) {
    const directory = await exported(",mode=max");
    spoil(directory);
    await elsewhere(async (sandbox) => {
      const outcome = await build(sandbox, from(directory));
      assert.equal(outcome.code, 0, `${name}: ${outcome.stderr}`);
      assert.match(outcome.stderr, want, name);
      assert.deepEqual(new Set(states(outcome)), new Set(["done"]), name);
    });
  }
});

const zero = `sha256:${"0".repeat(64)}`;
const circle = {
  layers: [
    { blob: zero, parent: 1 },
    { blob: zero, parent: 0 },
  ],
  records: [{ digest: zero, layers: [{ layer: 1 }] }],
};

/** Another config under a manifest that fits it. */
function replaceConfig(directory: string, text: string): void {
  const put = (content: string): string => {
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
    writeFileSync(blobAt(directory, digest), content);
    return digest;
  };
  const manifest = jsonOf<Manifest>(manifestPath(directory));
  const changed = put(JSON.stringify({ ...manifest, config: { ...manifest.config, digest: put(text), size: text.length } }));
  const index = jsonOf<Layout>(path.join(directory, "index.json"));
  writeFileSync(path.join(directory, "index.json"), JSON.stringify({ ...index, manifests: [{ ...index.manifests[0], digest: changed }] }));
}

test("a layer that is missing or wrong is told, and its step runs", async () => {
  for (const [name, spoil] of [
    ["missing", (file: string) => rmSync(file)],
    ["wrong", (file: string) => writeFileSync(file, Buffer.alloc(statSync(file).size))],
  ] as const) {
    const directory = await exported(",mode=max");
    const base = jsonOf<Manifest>(manifestPath(directory)).layers.filter(({ size }) => size < 100_000);
    for (const { digest } of base) spoil(blobAt(directory, digest));
    await elsewhere(async (sandbox) => {
      const outcome = await build(sandbox, [...from(directory), "-t", "again"]);
      assert.equal(outcome.code, 0, `${name}: ${outcome.stderr}`);
      assert.match(outcome.stderr, /cache layer sha256:[0-9a-f]+ cannot be used/, name);
      assert.equal(await sandbox.ok(["cat", "again:latest:/d"]), "12");
    });
  }
});

const withMounts = [
  "FROM busybox",
  "ARG N=1",
  "RUN --mount=type=cache,target=/all --mount=type=cache,id=locked,target=/l,sharing=locked,uid=5,mode=0750 cat /all/a /l/l >/seen 2>/dev/null; echo $N >/all/a; echo l$N >/l/l; ln -sf a /all/link",
].join("\n");

test("cache mounts go with the cache when they are asked for, and are unpacked where a mount is empty", async () => {
  const mounts = builder.folder({ Dockerfile: withMounts });
  const exportMounts = async (sandbox: Sandbox, name: string, more: readonly string[] = []): Promise<string> => {
    const directory = path.join(folder, `mounts-${exports++}`);
    const outcome = await build(sandbox, ["--cache-to", `type=local,dest=${directory},mode=max${name}`, ...more], mounts);
    assert.equal(outcome.code, 0, outcome.stderr);
    return directory;
  };
  const seen = async (directory: string, flags: readonly string[] = []): Promise<string> =>
    await elsewhere(async (sandbox) => {
      const outcome = await build(sandbox, [...from(directory), ...flags, "--build-arg", "N=2", "-t", "seen"], mounts);
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.doesNotMatch(outcome.stderr, /cannot be/);
      return (await sandbox.ok(["cat", "seen:latest:/seen"])).replaceAll("\n", " ").trim();
    });
  const both = await exportMounts(builder, ",mounts=all");
  assert.equal(await seen(both), "1 l1");
  assert.equal(await seen(both, ["--no-cache"]), "");
  assert.equal(await seen(await exportMounts(builder, ",mounts=locked")), "l1");
  assert.equal(await seen(await exportMounts(builder, "")), "");
  // A store in which every step was a hit has no mount of its own: it hands on what it read.
  const again = await elsewhere(async (sandbox) => await exportMounts(sandbox, ",mounts=all", from(both)));
  assert.equal(await seen(again), "1 l1");
});

test("a cache mount that is damaged begins empty", async () => {
  const mounts = builder.folder({ Dockerfile: withMounts });
  const directory = path.join(folder, `mounts-${exports++}`);
  await build(builder, ["--cache-to", `type=local,dest=${directory},mounts=all`], mounts);
  const blobs = jsonOf<Manifest>(manifestPath(directory)).layers.filter(({ annotations }) => "dev.slipway.cache-mount" in annotations);
  assert.equal(blobs.length, 2);
  for (const { digest } of blobs) writeFileSync(blobAt(directory, digest), Buffer.alloc(10));
  await elsewhere(async (sandbox) => {
    const outcome = await build(sandbox, [...from(directory), "--build-arg", "N=3", "-t", "seen"], mounts);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /cache mount locked cannot be restored/);
    assert.equal(await sandbox.ok(["cat", "seen:latest:/seen"]), "");
  });
});

for (const [word, want] of [
  ["type=gha", "unknown cache importer: gha"],
  ["BAD", "failed to configure registry cache importer: invalid reference format: repository name (library/BAD) must be lowercase"],
] as const) {
  test(`--cache-from ${word} is told, and the build goes on`, async () => {
    const outcome = await build(builder, ["--cache-from", word]);
    assert.equal(outcome.code, 0);
    assert.ok(outcome.stderr.includes(` ERROR: ${want}\n`), outcome.stderr);
  });
}

test("an export that fails is a warning, unless the build is to fail then", async () => {
  const file = path.join(folder, "file");
  writeFileSync(file, "");
  const strict = await build(builder, ["--cache-to", `type=local,dest=${file}/x,ignore-error=false`]);
  assert.equal(strict.code, 1, strict.stderr);
  for (const flags of ["", ",mode=max", ",ignore-error=true"]) {
    const lenient = await build(builder, ["-t", "lenient:1", "--cache-to", `type=local,dest=${file}/x${flags}`]);
    assert.equal(lenient.code, 0, lenient.stderr);
    assert.match(lenient.stderr, /exporting cache to client directory[^]*the cache was not exported: /);
    await builder.ok(["rmi", "lenient:1"]);
  }
});

for (const [words, want] of [
  [["--cache-to", "type=local"], "local cache exporter requires dest"],
  [["--cache-from", "type=local"], "local cache importer requires src"],
  [["--cache-to", "ref=x"], 'type required form> "ref=x"'],
  [["--cache-to", "type=foo"], 'unknown cache exporter: "foo"'],
  [["--cache-to", "type=local,dest=x,compression=foo"], "failed to configure local cache exporter: unsupported compression type foo"],
  [
    ["--cache-to", "type=registry,ref=BAD"],
    "failed to configure registry cache exporter: invalid reference format: repository name (library/BAD) must be lowercase",
  ],
  [
    ["--cache-to", "type=local,dest=x,image-manifest=true,oci-mediatypes=false"],
    "invalid configuration for remote cache, OCI mediatypes are required for image-manifest cache format",
  ],
  [["--cache-to", "type=s3,bucket=b"], 'cache type "s3" is not supported'],
  [["--cache-to", "type=registry"], "registry cache exporter requires ref"],
] as const) {
  test(`${words.join(" ")} is refused`, async () => {
    const outcome = await build(builder, words);
    assert.equal(outcome.code, 1);
    assert.ok(outcome.stderr.includes(want), outcome.stderr);
  });
}
