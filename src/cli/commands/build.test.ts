import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SlipwayError } from "../../base/errors.ts";
import type { ProgressEvent } from "../../base/progress.ts";
import type { BuildOptions, BuildResult, Task } from "../../engine/api.ts";
import type { Digest } from "../../oci/digest.ts";
import { runInMemory } from "../memory-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-cli-build-"));
after(() => rmSync(folder, { recursive: true }));
const imageId = `sha256:${"ab".repeat(32)}` as Digest;

function engine(seen: BuildOptions[], events: readonly ProgressEvent[] = [], failure?: Error) {
  return {
    build: (options: BuildOptions): Task<BuildResult> => {
      seen.push(options);
      const result =
        failure === undefined
          ? Promise.resolve({ imageId, manifest: undefined, tags: [], metadata: { "containerimage.digest": imageId }, warnings: [] })
          : Promise.reject(failure);
      result.catch(() => undefined);
      return {
        result,
        async *[Symbol.asyncIterator]() {
          yield* events;
        },
      };
    },
  };
}

async function optionsOf(words: readonly string[], env: Record<string, string> = {}): Promise<BuildOptions> {
  const seen: BuildOptions[] = [];
  const outcome = await runInMemory(["build", ...words], { engine: engine(seen), cwd: folder, env });
  assert.equal(outcome.stderr, "");
  return seen[0]!;
}

test("flags as the engine's options", async () => {
  writeFileSync(join(folder, "secret"), "x");
  const options = await optionsOf(
    [
      "-t",
      "a",
      "-t",
      "b:1",
      "-f",
      "sub/Dockerfile",
      "--build-arg",
      "K",
      "--build-arg",
      "NONE",
      "--build-arg",
      "V=1=2",
      "--label",
      "l",
      "--no-cache-filter",
      "x,y",
      "--secret=",
      "--ssh=",
      "--add-host=",
      "--secret",
      "id=s,src=secret",
      "--secret",
      "id=TOKEN",
      "--ssh",
      "default",
      "--network=host",
      "--platform",
      "linux/amd64",
      "--shm-size=64m",
      "--ulimit",
      "nofile=1:2",
      "--add-host",
      "a:1.2.3.4",
      "--build-context",
      "img=docker-image://alpine",
      "-o",
      "out",
      "--output",
      'type=oci,"dest=a,b.tar",tar=false',
      "--cache-from",
      "user/app:cache,b:c",
      "--cache-from",
      "type=local,src=in,tag=t",
      "--cache-to",
      "type=registry,ref=user/app:cache,mode=max,compression=zstd,compression-level=7,image-manifest=0,mounts=/root/.npm;b,ignore-error=true",
      "--cache-to",
      "type=inline",
      ".",
    ],
    { K: "fromenv", TOKEN: "t", SSH_AUTH_SOCK: "/agent" },
  );
  const { stdout, signal, ...rest } = options;
  assert.equal(typeof stdout, "function");
  assert.ok(signal instanceof AbortSignal);
  assert.deepEqual(rest, {
    context: { kind: "directory", path: folder },
    dockerfile: { kind: "path", path: join(folder, "sub/Dockerfile") },
    tags: ["a", "b:1"],
    buildArgs: { K: "fromenv", V: "1=2" },
    labels: { l: "" },
    annotations: [],
    buildContexts: { img: "docker-image://alpine" },
    secrets: [
      { id: "s", file: join(folder, "secret") },
      { id: "TOKEN", env: "TOKEN" },
    ],
    ssh: [{ id: "default", paths: [] }],
    outputs: [
      { type: "local", dest: join(folder, "out") },
      { type: "oci", dest: join(folder, "a,b.tar"), attributes: { tar: "false" } },
    ],
    network: "host",
    cacheFrom: [
      { type: "registry", ref: "user/app:cache" },
      { type: "registry", ref: "b:c" },
      { type: "local", src: join(folder, "in"), tag: "t" },
    ],
    cacheTo: [
      {
        type: "registry",
        ref: "user/app:cache",
        mode: "max",
        compression: "zstd",
        compressionLevel: 7,
        forceCompression: false,
        ociMediaTypes: true,
        imageManifest: false,
        mounts: ["/root/.npm", "b"],
        ignoreError: true,
      },
      { type: "inline" },
    ],
    noCache: false,
    noCacheFilter: ["x", "y"],
    pull: false,
    addHosts: ["a:1.2.3.4"],
    ulimits: ["nofile=1:2"],
    squash: false,
    attestations: [],
    noDefaultAttestations: false,
    vcs: "revision",
    allow: ["network.host"],
    shmSizeBytes: 67108864,
    platforms: ["linux/amd64"],
  });
});

test("contexts: URLs, standard input", async () => {
  assert.deepEqual((await optionsOf(["https://github.com/a/b.git#main:dir"])).context, { kind: "url", url: "https://github.com/a/b.git#main:dir" });
  assert.deepEqual((await optionsOf(["git@github.com:a/b"])).context, { kind: "url", url: "git@github.com:a/b" });
  assert.equal((await optionsOf(["-"])).context.kind, "stream");
  const seen: BuildOptions[] = [];
  await runInMemory(["build", "-f", "-", "."], { engine: engine(seen), cwd: folder, stdin: "FROM x\n" });
  assert.deepEqual(seen[0]!.dockerfile, { kind: "text", text: "FROM x\n" });
});

test("-q prints the id alone; --iidfile and --metadata-file hold the result", async () => {
  const outcome = await runInMemory(["build", "-q", "--iidfile", "iid", "--metadata-file", "meta.json", "."], { engine: engine([]), cwd: folder });
  assert.deepEqual(outcome, { code: 0, stdout: `${imageId}\n`, stderr: "" });
  assert.equal(readFileSync(join(folder, "iid"), "utf8"), imageId);
  assert.equal(readFileSync(join(folder, "meta.json"), "utf8"), `{\n  "containerimage.digest": "${imageId}"\n}`);
});

test("outputs that end on standard output are refused on a terminal", async () => {
  const { code, stderr } = await runInMemory(["build", "-o", "-", "."], { engine: engine([]), cwd: folder, isTTY: true });
  assert.equal(code, 1);
  assert.equal(stderr, "ERROR: failed to build: dest file is required for tar exporter. refusing to write to console\n");
});

test("a failing step: its lines, its output once more, its place, the error; an old id file is gone", async () => {
  const message = 'process "/bin/sh -c false" did not complete successfully: exit code: 1';
  const events: readonly ProgressEvent[] = [
    { type: "vertex", id: "a", name: "[2/2] RUN false", inputs: [], startedMs: 1000, reason: "never built" },
    { type: "log", vertex: "a", stream: 1, data: Buffer.from("oops\n"), timestampMs: 1250 },
    { type: "vertex", id: "a", name: "[2/2] RUN false", inputs: [], startedMs: 1000, completedMs: 1300, error: message },
  ];
  const excerpt = "Dockerfile:2\n--------------------\n   1 |     FROM busybox\n   2 | >>> RUN false\n--------------------";
  const failure = new SlipwayError("invalid_argument", "STEP_FAILED", message, { excerpt, exitCode: 1 });
  const outcome = await runInMemory(["build", "--iidfile", "iid", "."], { engine: engine([], events, failure), cwd: folder });
  assert.equal(outcome.code, 1);
  assert.equal(
    outcome.stderr,
    `#1 [2/2] RUN false\n#1 not cached: never built\n#1 0.250 oops\n#1 ERROR: ${message}\n------\n > [2/2] RUN false:\n0.250 oops\n------\n${excerpt}\nERROR: failed to build: failed to solve: ${message}\n`,
  );
  assert.throws(() => readFileSync(join(folder, "iid")));
});

test("--no-cache and --no-cache-filter exclude each other", async () => {
  const { code, stderr } = await runInMemory(["build", "--no-cache", "--no-cache-filter", "a", "."], { engine: engine([]), cwd: folder });
  assert.deepEqual([code, stderr], [1, "ERROR: failed to build: --no-cache and --no-cache-filter cannot currently be used together\n"]);
});

test("--push is an output to the registry, and needs a name", async () => {
  const { code, stderr } = await runInMemory(["build", "--push", "."], { engine: engine([]), cwd: folder });
  assert.deepEqual([code, stderr], [1, "ERROR: failed to build: tag is needed when pushing to registry\n"]);
  assert.deepEqual((await optionsOf(["--push", "-t", "a", "."])).outputs, [{ type: "registry", attributes: {} }]);
  assert.deepEqual((await optionsOf(["--push", "-o", "type=image,name=a", "."])).outputs, [{ type: "image", attributes: { name: "a", push: "true" } }]);
});

test("the environment's platform counts where the flag is not given", async () => {
  const env = { DOCKER_DEFAULT_PLATFORM: "linux/arm64" };
  assert.deepEqual((await optionsOf(["."], env)).platforms, ["linux/arm64"]);
  assert.deepEqual((await optionsOf(["--platform", "linux/amd64,local", "."], env)).platforms, ["linux/amd64", "local"]);
  assert.equal((await optionsOf(["."], { DOCKER_DEFAULT_PLATFORM: "" })).platforms, undefined);
});
