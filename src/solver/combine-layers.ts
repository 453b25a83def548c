/** File systems that others make up: stacked, or what one adds to another. Pure. */
import { SlipwayError } from "../base/errors.ts";
import type { Result } from "./results.ts";

type Layers = Extract<Result, { kind: "layers" }>;

export function mergeOf(inputs: readonly Result[]): Layers {
  const layered = inputs.filter((input): input is Layers => input.kind === "layers");
  return { kind: "layers", chain: layered.flatMap(({ chain }) => chain), createdMs: Math.max(0, ...layered.map(({ createdMs }) => createdMs)) };
}

/** Only what one chain adds on top of the other can be told without comparing files. */
export function diffOf(inputs: readonly Result[]): Layers {
  const [lower, upper] = inputs;
  if (lower?.kind === "layers" && upper?.kind === "layers" && lower.chain.every((diffId, index) => upper.chain[index] === diffId)) {
    return { kind: "layers", chain: upper.chain.slice(lower.chain.length), createdMs: upper.createdMs };
  }
  throw new SlipwayError("unsupported", "DIFF_UNRELATED", "diff of file systems that do not stand on each other is not supported");
}
