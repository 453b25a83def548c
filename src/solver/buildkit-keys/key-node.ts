/** Steps as a cache that BuildKit wrote names them: a digest, and for each input the names under which it may be known. */
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { FileView } from "../../store/index.ts";
import type { Result } from "../results.ts";
import { cacheMapOf, edgeKey } from "./cache-map.ts";
import { contentDigest } from "./content-digest.ts";
import type { CacheMap, CacheMapInput } from "./definition.ts";

export interface KeyLink {
  /** "" or the digest of what is taken of the input */
  readonly selector: string;
  readonly node: KeyNode;
}

export interface KeyNode {
  /** any of them: an image has one of its layers and one of its manifest */
  readonly digests: readonly Digest[];
  readonly inputs: readonly (readonly KeyLink[])[];
}

/** What became of a vertex's inputs. */
export interface SolvedInput {
  readonly result: Result;
  /** undefined: it has no name in BuildKit's caches */
  readonly node: KeyNode | undefined;
  /** the tree of a client's directory behind a layer that was made for a bind mount */
  readonly mountedTree?: Extract<Result, { kind: "tree" }> | undefined;
  /** the files of a stage's layers, where what is taken of them counts too */
  readonly files?: FileView | undefined;
}

/** undefined: the step cannot be found in such a cache, nor written to one. */
export function keyNodeOf(vertex: Vertex, inputs: readonly SolvedInput[]): KeyNode | undefined {
  const map = cacheMapOf(vertex);
  return map === undefined ? undefined : nodeOf(map, inputs);
}

function nodeOf(map: CacheMap, inputs: readonly SolvedInput[]): KeyNode | undefined {
  const links = map.inputs.map((input) => linksOf(input, inputs));
  return links.some((list) => list.length === 0)
    ? undefined
    : { digests: [map.digest, ...(map.alias === undefined ? [] : [map.alias])].map((digest) => edgeKey(digest, 0)), inputs: links };
}

function linksOf({ source, selector, content }: CacheMapInput, inputs: readonly SolvedInput[]): readonly KeyLink[] {
  if (source.kind === "map") {
    const node = nodeOf(source.map, inputs);
    return node === undefined ? [] : [{ selector, node }];
  }
  const solved = inputs[source.index];
  const tree = solved?.mountedTree ?? (solved?.result.kind === "tree" ? solved.result : undefined);
  const view = tree?.tree.view ?? solved?.files;
  const digest = content === undefined || view === undefined ? undefined : contentDigest(view, content);
  const taken = digest === undefined ? [] : [{ selector: "", node: { digests: [edgeKey(digest, -1)], inputs: [] } }];
  if (tree === undefined) return solved?.node === undefined ? taken : [{ selector, node: solved.node }, ...taken];
  const { origin } = tree.tree;
  const key = origin.kind === "remote" ? origin.key : undefined;
  return key === undefined ? taken : [{ selector, node: { digests: [edgeKey(digestOf(`buildkit.source.v0:${key}`), 0)], inputs: [] } }, ...taken];
}
