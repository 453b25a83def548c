/** What a whole graph takes from one of the client's directories. */
import type { Op } from "./op.ts";
import type { Vertex } from "./vertex.ts";

/** Paths and patterns of COPY, ADD and bind mounts from the local source `name`, in all vertices that `root` needs. */
export function takenSources(root: Vertex, name: string): readonly string[] {
  const seen = new Set<Vertex>();
  const sources: string[] = [];
  const visit = (vertex: Vertex): void => {
    if (seen.has(vertex)) return;
    seen.add(vertex);
    for (const { input, source } of referencesOf(vertex.op)) {
      const { op } = vertex.inputs[input] ?? {};
      if (op?.type === "local" && op.name === name) sources.push(source);
    }
    vertex.inputs.forEach(visit);
  };
  visit(root);
  return sources;
}

function referencesOf(op: Op): readonly { readonly input: number; readonly source: string }[] {
  if (op.type === "file") {
    return op.actions.flatMap((action) => (action.type === "copy" ? action.sources.map((source) => ({ input: action.input, source })) : []));
  }
  if (op.type !== "exec") return [];
  return op.mounts.flatMap((mount) => (mount.type === "bind" ? [{ input: mount.input, source: mount.source }] : []));
}
