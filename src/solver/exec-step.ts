/** A command as the solver sees it before it runs: what identifies it and what it stands on. Running it: exec-runner.ts. */
import { canonicalJson } from "../base/canonical-json.ts";
import type { ExecMount, ExecOp } from "../graph/op.ts";
import { identityOf, type Vertex } from "../graph/vertex.ts";
import { digestOf } from "../oci/digest.ts";
import type { NetworkPool } from "../runtime/network-pool.ts";
import { chainId, type Chain, type Store } from "../store/index.ts";
import type { StepSecrets } from "./given-mounts.ts";
import type { KeepingPolicy } from "./keep-step.ts";
import type { Result } from "./results.ts";

export interface ExecStep {
  readonly store: Store;
  readonly vertex: Vertex;
  readonly op: ExecOp;
  readonly inputs: readonly Result[];
  readonly signal: AbortSignal | undefined;
  /** seconds since 1970: what the command writes now is from then */
  readonly clock?: number | undefined;
}

/** The command sees its clock, for what it writes into files, unless the Dockerfile has one for it. */
export function withClock(op: ExecOp, clock: number | undefined): ExecOp {
  const isGiven = clock === undefined || op.env.some((entry) => entry.startsWith("SOURCE_DATE_EPOCH="));
  return isGiven ? op : { ...op, env: [...op.env, `SOURCE_DATE_EPOCH=${clock}`] };
}

export interface ExecEnvironment {
  /** ids of cache mounts that this build began anew, as the first of its steps without cache did for each */
  readonly freshCaches: Set<string>;
  readonly secrets: StepSecrets;
  readonly restoreCache?: ((id: string, directory: string, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  readonly networks: () => NetworkPool;
  readonly keeping: KeepingPolicy;
  readonly onOutput: (stream: 1 | 2, data: Uint8Array) => void;
}

export function rootChain({ op, inputs }: ExecStep): Chain {
  const root = op.scratchBase ? undefined : inputs[0];
  return root?.kind === "layers" ? root.chain : [];
}

/** Everything that can change the outcome; secrets' values and proxies are no part of it. */
export function execKey(step: ExecStep): string {
  const { mounts, ...identity } = identityOf(step.op) as { readonly mounts: readonly ExecMount[] };
  const sources = mounts.map((mount) => {
    if ((mount.type !== "bind" && mount.type !== "cache") || mount.input === undefined) return mount;
    const input = step.inputs[mount.input];
    return { ...mount, input: input?.kind === "layers" ? chainId(input.chain) : "" };
  });
  const timed = step.clock === undefined ? {} : { clock: step.clock };
  return digestOf(canonicalJson({ version: "exec-step.v1", op: identity, mounts: sources, root: chainId(rootChain(step)), ...timed }));
}

export function execInputs(step: ExecStep): Readonly<Record<string, string>> {
  const { op, vertex } = step;
  const entries = new Map([
    ["instruction", vertex.metadata.instruction],
    ["base", chainId(rootChain(step))],
    ["image", digestOf(vertex.metadata.baseImage)],
    [
      "mounts",
      digestOf(
        canonicalJson(op.mounts.map((mount) => ("input" in mount && mount.input !== undefined ? chainOfInput(step, mount.input) : (mount.target ?? "")))),
      ),
    ],
    ["user", op.user],
    ["working directory", op.cwd],
    ["network", op.network],
  ]);
  const args = vertex.metadata.arguments;
  for (const [name, value] of Object.entries(args)) entries.set(`arg:${name}`, value);
  for (const entry of op.env) {
    const equals = entry.indexOf("=");
    if (!Object.hasOwn(args, entry.slice(0, equals))) entries.set(`env:${entry.slice(0, equals)}`, entry.slice(equals + 1));
  }
  return Object.fromEntries(entries);
}

function chainOfInput(step: ExecStep, index: number): string {
  const input = step.inputs[index];
  return input?.kind === "layers" ? chainId(input.chain) : "";
}
