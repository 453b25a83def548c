import assert from "node:assert/strict";
import { test } from "node:test";
import type { Digest } from "../oci/digest.ts";
import type { ExecOp, Op } from "./op.ts";
import { amd64, baseLayer } from "./test-lowering.ts";
import { createVertex, listVertices, type Vertex, type VertexMetadata } from "./vertex.ts";

const metadata: VertexMetadata = {
  name: "n",
  lines: undefined,
  slot: "s",
  description: "d",
  instruction: "",
  baseImage: "",
  ignoreCache: false,
  arguments: {},
};
const exec: ExecOp = {
  type: "exec",
  scratchBase: false,
  args: ["/bin/sh", "-c", "make"],
  env: ["PATH=/bin"],
  cwd: "/",
  user: "",
  mounts: [{ type: "tmpfs", target: "/t", sizeBytes: undefined }],
  network: "default",
  security: "sandbox",
  extraHosts: [],
  hostname: "h",
  shmSizeBytes: undefined,
  ulimits: [],
  platform: amd64,
  epoch: undefined,
  proxyEnv: [],
};
const copy = {
  type: "copy",
  input: 0,
  sources: ["/"],
  destination: "/",
  chmod: undefined,
  chown: undefined,
  exclude: [],
  parents: false,
  unpack: false,
  verb: "COPY",
} as const;

/** Every cached step of every user hangs on these: a change here must be meant, and needs another version word in the identity. */
const golden: readonly (readonly [name: string, op: Op, digest: string])[] = [
  [
    "image",
    { type: "image", reference: "docker.io/library/a:1", platform: amd64, chain: [baseLayer] },
    "sha256:2546bc457623b44c251c121db48b154a18735986024f24caf5e05f28b4cff6db",
  ],
  ["local", { type: "local", name: "context" }, "sha256:0f25aa44db8b9cfe114831431b453054efce18c5ee648ba2d24fdd5f85d8f81a"],
  [
    "git",
    { type: "git", url: "https://h/r.git", ref: "main", subdirectory: "d", keepGitDir: false, skipSubmodules: false, checksum: "" },
    "sha256:313341e7a406cb6046283ffe90c37a701b0905141f1c1c9f88bffc3b36a272b6",
  ],
  ["http", { type: "http", url: "https://h/f", checksum: "", fileName: "f" }, "sha256:fae2502cc563b1f04dae934fef20b7f4c7398d9463e98eaa491a712c395fcf95"],
  ["exec", exec, "sha256:20173daaf3d2b7a8da8cb92e19530c5e804b834774ad2a143a87718f922cf008"],
  [
    "file",
    { type: "file", actions: [copy, { type: "mkdir", path: "/d", chown: undefined }], scratchBase: true, epoch: undefined },
    "sha256:4e60661a09abee7b9e24d16ae93348724131e9a34346e74fafa940aa0d5f232d",
  ],
  ["merge", { type: "merge" }, "sha256:4b57168850615533bab1949d54f995c1e281627b48bc59d5a02d44189befe9b1"],
  ["diff", { type: "diff" }, "sha256:dcf523f5cfe8fb3547dd41fe3cd5c6012b3bf98fbe25824637da09e623a6f8bf"],
];
for (const [name, op, want] of golden) test(`identity of ${name}`, () => assert.equal(createVertex(op, [], metadata).digest, want));

test("what is only shown or fetched from does not count", () => {
  const image: Op = { type: "image", reference: "a:1", platform: amd64, chain: [baseLayer] };
  assert.equal(createVertex(image, [], metadata).digest, createVertex({ ...image, reference: "b:2" }, [], { ...metadata, name: "other" }).digest);
  assert.equal(createVertex(exec, [], metadata).digest, createVertex({ ...exec, epoch: undefined, proxyEnv: ["http_proxy=x"] }, [], metadata).digest);
});

test("everything that changes the outcome counts, and the inputs' order too", () => {
  const input = (ref: string): Vertex => createVertex({ type: "local", name: ref }, [], metadata);
  const variants: readonly Vertex[] = [
    createVertex(exec, [], metadata),
    ...(
      [
        { args: ["/bin/sh", "-c", "make all"] },
        { env: [] },
        { cwd: "/x" },
        { user: "web" },
        { mounts: [] },
        { network: "none" },
        { security: "insecure" },
        { extraHosts: ["a:1.2.3.4"] },
        { hostname: "x" },
        { shmSizeBytes: 1 },
        { ulimits: ["nofile=1"] },
        { platform: { os: "linux", architecture: "arm64" } },
        { scratchBase: true },
        { epoch: 1 },
      ] satisfies readonly Partial<ExecOp>[]
    ).map((change) => createVertex({ ...exec, ...change }, [], metadata)),
    createVertex(exec, [input("a"), input("b")], metadata),
    createVertex(exec, [input("b"), input("a")], metadata),
  ];
  assert.equal(new Set(variants.map(({ digest }) => digest)).size, variants.length);
});

test("vertices are listed once, inputs before users", () => {
  const a = createVertex({ type: "local", name: "a" }, [], metadata);
  const b = createVertex({ type: "merge" }, [a], metadata);
  const c = createVertex({ type: "diff" }, [a, b], metadata);
  assert.deepEqual(
    listVertices([c, b]).map(({ digest }): Digest => digest),
    [a.digest, b.digest, c.digest],
  );
});
