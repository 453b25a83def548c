/** Names of steps, computed, against those in caches that BuildKit exported; the Dockerfiles are beside them. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import type { Digest } from "../../oci/digest.ts";
import { createBase, lower } from "../../graph/test-lowering.ts";
import { listVertices, type Vertex } from "../../graph/vertex.ts";
import { DirectoryView } from "../../store/index.ts";
import { FileDigests } from "../file-digests.ts";
import type { Result } from "../results.ts";
import { keyNodeOf, type KeyNode, type SolvedInput } from "./key-node.ts";

const testdata = join(import.meta.dirname, "testdata");
const context = mkdtempSync(join(tmpdir(), "slipway-keys-"));
after(() => rmSync(context, { recursive: true }));

/** As the recorded builds had it. */
const files: Readonly<Record<string, readonly [number, string]>> = {
  "one.txt": [0o644, "one\n"],
  "two.txt": [0o600, "two\n"],
  "r.md": [0o644, "m\n"],
  "dir/x": [0o644, "x\n"],
  "dir/sub/y": [0o644, "y\n"],
};

interface Recorded {
  readonly records: readonly { readonly digest: string; readonly layers?: readonly unknown[]; readonly inputs?: readonly unknown[] }[];
}

const layers: Readonly<Record<string, Digest>> = {
  alpine: "sha256:b3c68df38a445a8cecd1625f39c62036eaf97c0956c9d69c2c3db53026efda9a" as Digest,
  busybox: "sha256:7cdf45410996522d84e779e709628579713aa3c4193728b74e68fca07bcf193b" as Digest,
};

const manifests: Readonly<Record<string, string>> = {
  alpine: "sha256:b05dc81787dcc3f62280ccd5530088622948f9fb0e451fd406b8c8949bb2ae53",
  busybox: "sha256:10d022c6103ea9b9145caf9f2dbab744fd494619547b925b6fe76ebeaece04ac",
};

const tree: Extract<Result, { kind: "tree" }> = {
  kind: "tree",
  root: context,
  tree: { view: new DirectoryView(context), digests: new FileDigests(), origin: { kind: "client", taken: undefined } },
};

/** All names that the build's steps have, and those of what they take of the context. */
function namesOf(root: Vertex): ReadonlySet<string> {
  const nodes = new Map<Digest, KeyNode | undefined>();
  const names = new Set<string>();
  const note = (node: KeyNode): void => {
    for (const digest of node.digests) names.add(digest);
    for (const link of node.inputs.flat()) note(link.node);
  };
  for (const vertex of listVertices([root])) {
    const node = keyNodeOf(
      vertex,
      vertex.inputs.map((input): SolvedInput => {
        const isTree = input.op.type === "local";
        const mountedTree = input.metadata.contextMount === undefined ? undefined : tree;
        return { result: isTree ? tree : { kind: "layers", chain: [], createdMs: 0 }, node: nodes.get(input.digest), mountedTree };
      }),
    );
    nodes.set(vertex.digest, node);
    if (node !== undefined) note(node);
  }
  return names;
}

for (const [path, [mode, text]] of Object.entries(files)) {
  mkdirSync(dirname(join(context, path)), { recursive: true });
  writeFileSync(join(context, path), text);
  chmodSync(join(context, path), mode);
}
for (const directory of ["dir", "dir/sub"]) chmodSync(join(context, directory), 0o755);
symlinkSync("one.txt", join(context, "link"));

/** What only the contents of other stages tell: beside each stands the name of the step itself. */
const contentsOfSteps: ReadonlySet<string> = new Set([
  "sha256:c1966ecfe2047db5c3cc319ead42fe8ce32ea73b19cd0f68c2c9c90c724fa886",
  "sha256:c24a47b576469b52903dd7e5045a62fee5855b447dee1771d67b829458d2c08e",
  "sha256:de8fe57a1427900bd05fdce002360c51ad411e4f3a2ab84680ba0da583585857",
  "sha256:9efb57d84cbde4be953f50ca7863466794c9a255130cb0ee78c127f35f0dbe4b",
]);

for (const [name, base, buildArgs] of [
  ["plain", "alpine", {}],
  ["many", "busybox", { V: "3" }],
  ["owners", "busybox", {}],
] as const) {
  test(`every step of ${name} has the name that BuildKit gave it`, () => {
    const dockerfile = readFileSync(join(testdata, name, "Dockerfile"), "utf8");
    const recorded = JSON.parse(readFileSync(join(testdata, name, "cacheconfig.json"), "utf8")) as Recorded;
    writeFileSync(join(context, "Dockerfile"), dockerfile);
    const reference = `docker.io/library/${base}:latest`;
    const named = { ...createBase(reference), chain: [layers[base] as Digest] };
    const image = { ...named, reference: `${reference}@${manifests[base]}` };
    const { root } = lower(dockerfile, { images: [image], buildArgs });
    const names = namesOf(root as Vertex);
    const missing = recorded.records.flatMap((record, index) =>
      names.has(record.digest) || contentsOfSteps.has(record.digest) ? [] : [`${index} ${record.digest}`],
    );
    assert.deepEqual(missing, []);
  });
}
