/** Immutable nodes of the graph. The digest covers the op and its inputs; names, lines and progress are metadata outside it. */
import { canonicalJson } from "../base/canonical-json.ts";
import { valueWithoutUrlCredentials, withoutUrlCredentials } from "../base/url-credentials.ts";
import { digestOf, type Digest } from "../oci/digest.ts";
import type { Op } from "./op.ts";

export interface VertexMetadata {
  /** as displayed: "[build 2/5] RUN make" */
  readonly name: string;
  /** physical lines of the Dockerfile, when the vertex comes from one */
  readonly lines: { readonly start: number; readonly end: number } | undefined;
  /** the place that miss reasons are compared at: stage and position */
  readonly slot: string;
  /** short words for the cache listing: "RUN make" */
  readonly description: string;
  /** the instruction before variables are put in: what a miss compares */
  readonly instruction: string;
  /** chainID of the image that the stage stands on */
  readonly baseImage: string;
  /** never take it from the cache */
  readonly ignoreCache: boolean;
  /** a layer made of what a bind mount takes from a client's directory: the path there */
  readonly contextMount?: string;
  /** of an image: when its config says that it was made, seconds since 1970 */
  readonly createdSeconds?: number;
  /** of a command: the stage's SHELL */
  readonly shell?: readonly string[];
  /** values that explain a miss: build args that the step sees */
  readonly arguments: Readonly<Record<string, string>>;
}

export interface Vertex {
  readonly digest: Digest;
  readonly op: Op;
  readonly inputs: readonly Vertex[];
  readonly metadata: VertexMetadata;
}

/** Allow-list of what identifies an op, under a version word: golden-tested, because every cached step depends on it. */
export function identityOf(op: Op): unknown {
  switch (op.type) {
    case "image":
      return { type: "image.v1", chain: op.chain };
    case "local":
      return { type: "local.v1", name: op.name };
    case "git":
      return {
        type: "git.v1",
        url: op.url,
        ref: op.ref,
        subdirectory: op.subdirectory,
        keepGitDir: op.keepGitDir,
        ...(op.skipSubmodules ? { skipSubmodules: true } : {}),
        checksum: op.checksum,
      };
    case "http":
      return { type: "http.v1", url: op.url, checksum: op.checksum, fileName: op.fileName };
    case "exec": {
      const { scratchBase, args, env, cwd, user, mounts, network, security, extraHosts, hostname, shmSizeBytes, ulimits, platform, epoch } = op;
      return { type: "exec.v1", scratchBase, args, env, cwd, user, mounts, network, security, extraHosts, hostname, shmSizeBytes, ulimits, platform, epoch };
    }
    case "file":
      return { type: "file.v1", actions: op.actions, scratchBase: op.scratchBase, epoch: op.epoch };
    case "merge":
      return { type: "merge.v1" };
    case "diff":
      return { type: "diff.v1" };
  }
}

/** Metadata of a vertex that no instruction made. */
export function plainMetadata(parts: Pick<VertexMetadata, "name" | "slot" | "description"> & Partial<VertexMetadata>): VertexMetadata {
  return { lines: undefined, instruction: parts.description, baseImage: "", ignoreCache: false, arguments: {}, ...parts };
}

export function createVertex(op: Op, inputs: readonly Vertex[], metadata: VertexMetadata): Vertex {
  const digest = digestOf(canonicalJson({ op: identityOf(op), inputs: inputs.map((input) => input.digest) }));
  return { digest, op, inputs, metadata: shownMetadata(metadata) };
}

/** Addresses keep their passwords to themselves: all of this is displayed, and kept in the store. */
function shownMetadata(metadata: VertexMetadata): VertexMetadata {
  const { name, slot, description, instruction } = metadata;
  const shown = {
    name: withoutUrlCredentials(name),
    slot: withoutUrlCredentials(slot),
    description: withoutUrlCredentials(description),
    instruction: withoutUrlCredentials(instruction),
  };
  return { ...metadata, ...shown, arguments: valueWithoutUrlCredentials(metadata.arguments) };
}

/** The empty file system. */
export function scratchVertex(contextId: string): Vertex {
  return createVertex({ type: "merge" }, [], plainMetadata({ name: "scratch", slot: `${contextId}|scratch`, description: "scratch" }));
}

/** Every vertex that `root` needs, inputs before users, each once. */
export function listVertices(roots: readonly Vertex[]): readonly Vertex[] {
  const seen = new Set<Digest>();
  const ordered: Vertex[] = [];
  const visit = (vertex: Vertex): void => {
    if (seen.has(vertex.digest)) return;
    seen.add(vertex.digest);
    for (const input of vertex.inputs) visit(input);
    ordered.push(vertex);
  };
  for (const root of roots) visit(root);
  return ordered;
}
