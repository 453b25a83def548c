/** Names of steps, computed, against those in caches that BuildKit exported; the Dockerfiles are beside them. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { digestOf, type Digest } from "../../oci/digest.ts";
import { createBase, lower } from "../../graph/test-lowering.ts";
import { listVertices, type Vertex } from "../../graph/vertex.ts";
import { DirectoryView } from "../../store/index.ts";
import { FileDigests } from "../file-digests.ts";
import type { Result } from "../results.ts";
import { gitKey, httpKey } from "./source-keys.ts";
import { keyNodeOf, type KeyNode, type SolvedInput } from "./key-node.ts";

const testdata = join(import.meta.dirname, "testdata");
const folder = mkdtempSync(join(tmpdir(), "slipway-keys-"));
after(() => rmSync(folder, { recursive: true }));

/** Contexts as the recorded builds had them: a mode and a content, the target of a link, or a directory. */
type Leaf = readonly [mode: number, text: string] | { readonly link: string } | { readonly directory: true };

const small: Readonly<Record<string, Leaf>> = {
  "one.txt": [0o644, "one\n"],
  "two.txt": [0o600, "two\n"],
  "r.md": [0o644, "m\n"],
  "dir/x": [0o644, "x\n"],
  "dir/sub/y": [0o644, "y\n"],
  link: { link: "one.txt" },
};

const odd: Readonly<Record<string, Leaf>> = {
  "data.tar": [0o644, "plain\n"],
  "src/a.txt": [0o644, "a\n"],
  "src/b.txt": [0o644, "b\n"],
  "src/hard.txt": [0o644, "a\n"],
  "src/deep/c": [0o4755, "c\n"],
  "src/deep/ln": { link: "../a.txt" },
  "sp ace/f": [0o644, "f\n"],
  "e/empty": { directory: true },
  link: { link: "src/deep" },
};

function writeContext(name: string, leaves: Readonly<Record<string, Leaf>>, dockerfile?: string): string {
  const root = join(folder, name);
  const makeDirectory = (path: string): void => {
    if (path !== root) makeDirectory(dirname(path));
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o755);
  };
  for (const [path, leaf] of Object.entries<Leaf>({ ...leaves, ...(dockerfile === undefined ? {} : { Dockerfile: [0o644, dockerfile] }) })) {
    const target = join(root, path);
    makeDirectory("directory" in leaf ? target : dirname(target));
    if ("link" in leaf) symlinkSync(leaf.link, target);
    if ("link" in leaf || "directory" in leaf) continue;
    const [mode, text] = leaf;
    writeFileSync(target, text);
    chmodSync(target, mode);
  }
  return root;
}

interface Recorded {
  readonly records: readonly { readonly digest: string; readonly inputs?: readonly (readonly { readonly link?: number }[])[] }[];
}

const layers: Readonly<Record<string, Digest>> = {
  alpine: "sha256:b3c68df38a445a8cecd1625f39c62036eaf97c0956c9d69c2c3db53026efda9a" as Digest,
  busybox: "sha256:7cdf45410996522d84e779e709628579713aa3c4193728b74e68fca07bcf193b" as Digest,
};

const manifests: Readonly<Record<string, string>> = {
  alpine: "sha256:b05dc81787dcc3f62280ccd5530088622948f9fb0e451fd406b8c8949bb2ae53",
  busybox: "sha256:10d022c6103ea9b9145caf9f2dbab744fd494619547b925b6fe76ebeaece04ac",
};

type Tree = Extract<Result, { kind: "tree" }>;

function treeOf(root: string): Tree {
  return { kind: "tree", root, tree: { view: new DirectoryView(root), digests: new FileDigests(), origin: { kind: "client", taken: undefined } } };
}

const repository: Readonly<Record<string, Leaf>> = { r: [0o644, "r\n"], "sub/s": [0o644, "s\n"] };
const commit = "f4f0f02cf9868f950af9392f22ccd07ed5220801";

/** What was behind the addresses when the build was recorded. */
function fetched({ op }: Vertex): Tree | undefined {
  if (op.type === "http") {
    const content = "remote\n";
    const tree = treeOf(writeContext(`http-${op.checksum.length}`, { f: [0o600, content] }));
    const modified = op.checksum === "" ? "Tue, 14 Nov 2023 22:13:20 GMT" : "";
    return { ...tree, tree: { ...tree.tree, origin: { kind: "remote", key: httpKey("f", digestOf(content).slice(7), modified) } } };
  }
  if (op.type !== "git") return undefined;
  const tree = treeOf(join(writeContext("git", repository), op.subdirectory));
  return { ...tree, tree: { ...tree.tree, origin: { kind: "remote", key: gitKey(op, commit) } } };
}

/** All names that the build's steps have, and those of what they take of the context. */
function namesOf(root: Vertex, tree: Tree): ReadonlySet<string> {
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
        const given = input.op.type === "local" ? tree : fetched(input);
        const mountedTree = input.metadata.contextMount === undefined ? undefined : tree;
        return { result: given ?? { kind: "layers", chain: [], createdMs: 0 }, node: nodes.get(input.digest), mountedTree };
      }),
    );
    nodes.set(vertex.digest, node);
    if (node !== undefined) note(node);
  }
  return names;
}

/** The content of what another step made is only one of the names of an input: the step's own stands beside it. */
function isKnownOtherwise({ records }: Recorded, index: number, names: ReadonlySet<string>): boolean {
  const inputs = records.flatMap((record) => record.inputs ?? []).filter((links) => links.some(({ link = 0 }) => link === index));
  return inputs.length > 0 && inputs.every((links) => links.some(({ link = 0 }) => names.has(records[link]?.digest ?? "")));
}

for (const [name, bases, buildArgs, context] of [
  ["plain", ["alpine"], {}, small],
  ["many", ["busybox"], { V: "3" }, small],
  ["owners", ["busybox"], {}, small],
  ["stages", ["alpine"], {}, {}],
  ["epoch", ["busybox"], { SOURCE_DATE_EPOCH: "1500000000" }, small],
  ["remote", ["busybox"], {}, {}],
  ["edges", ["alpine", "busybox"], {}, odd],
] as const) {
  test(`every step of ${name} has the name that BuildKit gave it`, () => {
    const dockerfile = readFileSync(join(testdata, name, "Dockerfile"), "utf8");
    const recorded = JSON.parse(readFileSync(join(testdata, name, "cacheconfig.json"), "utf8")) as Recorded;
    const images = bases.map((base) => {
      const reference = `docker.io/library/${base}:latest`;
      return { ...createBase(reference), chain: [layers[base] as Digest], reference: `${reference}@${manifests[base]}` };
    });
    const { root } = lower(dockerfile, { images, buildArgs });
    const names = namesOf(root as Vertex, treeOf(writeContext(name, context, dockerfile)));
    const missing = recorded.records.flatMap((record, index) =>
      names.has(record.digest) || isKnownOtherwise(recorded, index, names) ? [] : [`${index} ${record.digest} ${JSON.stringify(record.inputs)}`],
    );
    assert.deepEqual(missing, []);
  });
}
