/** What a Dockerfile and its graph name that lies elsewhere, as far as they do not say themselves which content they mean. Pure. */
import { parseDirective } from "../../dockerfile/directive.ts";
import type { LineRange } from "../../dockerfile/instruction.ts";
import { completeImageName } from "../../graph/base-name.ts";
import type { GitOp, HttpOp } from "../../graph/op.ts";
import { listVertices, type Vertex } from "../../graph/vertex.ts";
import { parseReference } from "../../oci/reference.ts";
import type { LockKind } from "./lock-file.ts";

export interface RemoteSource {
  readonly kind: Exclude<LockKind, "image">;
  readonly name: string;
  readonly op: GitOp | HttpOp;
  /** of the instruction; undefined for what `--build-context` names */
  readonly lines: LineRange | undefined;
}

const wholeCommit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Under which a source stands in the lock; undefined where the Dockerfile pins it. A password in the address is left out. */
export function nameOfSource(op: GitOp | HttpOp): string | undefined {
  if (op.type === "http") return op.checksum === "" ? withoutPassword(op.url) : undefined;
  if (wholeCommit.test(op.checksum) || wholeCommit.test(op.ref)) return undefined;
  return `${withoutPassword(op.url)}${op.ref === "" ? "" : `#${op.ref}`}`;
}

function withoutPassword(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/, "$1");
}

/** Of all these graphs, each name once. */
export function remoteSources(roots: readonly Vertex[]): readonly RemoteSource[] {
  const found = new Map<string, RemoteSource>();
  for (const vertex of listVertices(roots)) {
    for (const { op } of vertex.inputs) {
      if (op.type !== "git" && op.type !== "http") continue;
      const name = nameOfSource(op);
      const kind = op.type === "git" ? "repository" : "file";
      if (name !== undefined && !found.has(`${kind} ${name}`)) found.set(`${kind} ${name}`, { kind, name, op, lines: vertex.metadata.lines });
    }
  }
  return [...found.values()];
}

/** The image that `# syntax=` names in full, and its line; undefined without one, or where it has a digest. */
export function syntaxImage(text: string): { readonly name: string; readonly lines: LineRange } | undefined {
  for (const [at, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const directive = at === 0 && line.startsWith("#!") ? undefined : parseDirective(line);
    if (directive === undefined && !(at === 0 && line.startsWith("#!"))) return undefined;
    if (directive?.name !== "syntax") continue;
    const lines = { start: at + 1, end: at + 1 };
    const [image = ""] = directive.value.split(/\s+/, 1);
    const name = completeImageName(image, lines);
    return parseReference(name).digest === undefined ? { name, lines } : undefined;
  }
  return undefined;
}
