/** What is told of a build besides its graph, gathered while it runs. */
import type { ResolvedImage } from "../../graph/lowering.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { Digest } from "../../oci/digest.ts";

/** By algorithm: { sha1: "…" } of a commit, { sha256: "…" } of a file. */
export type DigestSet = Readonly<Record<string, string>>;

/** What remote sources were found to be. */
export class SourceRevisions {
  readonly #found = new Map<Digest, DigestSet>();

  note(vertex: Vertex, digest: DigestSet): void {
    this.#found.set(vertex.digest, digest);
  }

  /** A source that was not fetched is what its checksum says. */
  of({ digest, op }: Vertex): DigestSet | undefined {
    const found = this.#found.get(digest);
    if (found !== undefined || (op.type !== "git" && op.type !== "http") || op.checksum === "") return found;
    if (op.type === "http") return { sha256: op.checksum.replace(/^sha256:/, "") };
    return op.checksum.length === 40 ? commitDigest(op.checksum) : undefined;
  }
}

export function commitDigest(commit: string): DigestSet {
  return commit.length === 64 ? { sha256: commit } : { sha1: commit };
}

/** A context of elsewhere. */
export interface ContextSource {
  readonly url: string;
  readonly digest: DigestSet;
}

export interface BuildFacts {
  readonly startedMs: number;
  /** undefined: the context is this machine's */
  readonly contextSource: ContextSource | undefined;
  /** the directory of the context and of the Dockerfile, where they are this machine's */
  readonly directory: string | undefined;
  readonly dockerfile: { readonly name: string; readonly text: string };
  readonly excluded: readonly string[];
  /** by imageKey(): the name that was asked for, and what it was */
  readonly images: ReadonlyMap<string, ResolvedImage>;
  readonly revisions: SourceRevisions;
  /** whose image said what is in the result */
  readonly scanner: { readonly name: string; readonly image: ResolvedImage } | undefined;
}
