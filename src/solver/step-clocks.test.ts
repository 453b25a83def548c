import assert from "node:assert/strict";
import { test } from "node:test";
import type { CopyAction, ExecOp, FileAction, Op } from "../graph/op.ts";
import { createVertex, plainMetadata, scratchVertex, type Vertex } from "../graph/vertex.ts";
import { hostPlatform } from "../oci/platform.ts";
import { emptyView, rootNode, type FileView } from "../store/index.ts";
import { FileDigests } from "./file-digests.ts";
import type { Result } from "./results.ts";
import { StepClocks } from "./step-clocks.ts";

const names = ["new", "old", "own"];
const view: FileView = {
  ...emptyView,
  lookup: (path) => (path === "" ? rootNode : names.includes(path) ? { ...rootNode, type: "file" } : undefined),
  list: (path) => (path === "" ? names : []),
};
const settled = new Map([
  ["new", 2_000_000_000],
  ["old", 1_000_000_000],
]);
const treeOf = (times: ReadonlyMap<string, number> | undefined): Result => ({
  kind: "tree",
  root: "/",
  tree: { view, digests: new FileDigests(), origin: { kind: "remote", key: undefined }, settled: times },
});

const vertex = (op: Op, inputs: readonly Vertex[] = [], createdSeconds?: number): Vertex =>
  createVertex(op, inputs, plainMetadata({ name: "", slot: "", description: "", ...(createdSeconds === undefined ? {} : { createdSeconds }) }));
const image = (seconds: number): Vertex => vertex({ type: "image", reference: "a", platform: hostPlatform(), chain: [] }, [], seconds);
const context = vertex({ type: "local", name: "context" });
const elsewhere = vertex({ type: "local", name: "elsewhere" });
const download = vertex({ type: "http", url: "http://a.test/f", checksum: "", fileName: "f" });
const copy = (source: string, input: number): CopyAction => ({
  type: "copy",
  input,
  sources: [source],
  destination: "/",
  chmod: undefined,
  chown: undefined,
  exclude: [],
  parents: false,
  unpack: false,
  verb: "COPY",
});
const file = (actions: readonly FileAction[], inputs: readonly Vertex[], scratchBase = false): Vertex =>
  vertex({ type: "file", actions, scratchBase, epoch: undefined }, inputs);
const base = image(1_500_000_000);
const mount = { type: "bind", input: 1, source: "/", target: "/m", readonly: true } as const;
const run = (inputs: readonly Vertex[], mounts: ExecOp["mounts"] = []): Vertex =>
  vertex(
    {
      type: "exec",
      scratchBase: false,
      args: ["a"],
      env: [],
      cwd: "/",
      user: "",
      mounts,
      network: "default",
      security: "sandbox",
      extraHosts: [],
      hostname: "",
      shmSizeBytes: undefined,
      ulimits: [],
      platform: hostPlatform(),
      epoch: undefined,
      proxyEnv: [],
    },
    inputs,
  );
const earliest = Date.UTC(1980, 0, 2) / 1000;

const cases: readonly { readonly name: string; readonly of: Vertex; readonly want: number | undefined }[] = [
  { name: "an image's own", of: base, want: 1_500_000_000 },
  { name: "of an image that says none, or one before archives had years", of: image(0), want: earliest },
  { name: "of nothing", of: scratchVertex("c"), want: earliest },
  { name: "a copy that is newer than its base", of: file([copy("new", 1)], [base, context]), want: 2_000_000_000 },
  { name: "a copy that is older", of: file([copy("old", 1)], [base, context]), want: 1_500_000_000 },
  { name: "a copy onto nothing", of: file([copy("old", 0)], [context], true), want: 1_000_000_000 },
  { name: "a copy of several", of: file([copy("old", 1), copy("new", 1)], [base, context]), want: 2_000_000_000 },
  { name: "a copy of a file from no known time", of: file([copy("old", 1), copy("own", 1)], [base, context]), want: undefined },
  { name: "a copy from a folder of which nothing is known", of: file([copy("old", 1)], [base, elsewhere]), want: undefined },
  { name: "a download", of: file([{ ...copy("f", 1), verb: "ADD" }], [base, download]), want: 1_500_000_000 },
  { name: "a command", of: run([file([copy("new", 1)], [base, context])]), want: 2_000_000_000 },
  { name: "a command with a mount of something newer", of: run([base, file([copy("new", 0)], [context], true)], [mount]), want: 2_000_000_000 },
  { name: "a command with a mount from no known time", of: run([base, file([copy("own", 0)], [context], true)], [mount]), want: undefined },
  { name: "a copy from another stage", of: file([copy("a", 1)], [image(1_200_000_000), run([base])]), want: 1_500_000_000 },
  { name: "layers put together", of: vertex({ type: "merge" }, [base, file([copy("new", 0)], [context], true)]), want: 2_000_000_000 },
];
for (const { name, of, want } of cases) {
  test(`a step's clock: ${name}`, async () => {
    const asked: Vertex[] = [];
    const clocks = new StepClocks(async (input) => {
      asked.push(input);
      return treeOf(input === context ? settled : undefined);
    });
    assert.equal(await clocks.of(of), want);
    assert.ok(asked.every((input) => input === context || input === elsewhere));
  });
}
