/** What is remembered of a build beside its image: the Dockerfile's line of each layer, and the base. The image itself does not have it, as Docker's do not. */
import { listVertices } from "../../graph/vertex.ts";
import type { BuildOrigin, Chain } from "../../store/index.ts";
import type { BuildOptions } from "../api.ts";
import type { PlatformResult } from "./exportable.ts";
import { dockerfileName } from "./load-dockerfile.ts";

/** `chain`: the image's layers. A squashed image has one layer for all lines, so it has none. */
export function buildOrigin({ dockerfile }: BuildOptions, { lowered, times, clockSeconds }: PlatformResult, chain: Chain): BuildOrigin {
  const { root, image, baseChain } = lowered;
  const made = image.history.flatMap(({ vertex }) => (vertex === undefined ? [] : [vertex]));
  const isSquashed = chain.length !== baseChain.length + made.length;
  const lines: Record<number, BuildOrigin["lines"][number]> = {};
  for (const [at, { metadata }] of (isSquashed ? [] : made).entries()) {
    if (metadata.lines !== undefined)
      lines[baseChain.length + at] = { ...metadata.lines, instruction: metadata.instruction.replace(/\s+/g, " ").slice(0, 500) };
  }
  const base = listVertices(root === undefined ? [] : [root]).find(({ op }) => op.type === "image" && op.chain.join() === baseChain.join());
  return {
    dockerfile: dockerfileName(dockerfile),
    base: base?.op.type === "image" && baseChain.length > 0 ? { reference: base.op.reference, layers: baseChain.length } : undefined,
    lines,
    ...(clockSeconds === undefined || times.size === 0 ? {} : { madeMs: Math.max(...times.values()) }),
  };
}
