/**
 * Looks ahead of the solver where caches of elsewhere are read: what a step is called there, whether it would be a hit, and
 * whether its result can be had although something below it would have to run.
 */
import { listVertices, type Vertex } from "../graph/vertex.ts";
import type { Digest } from "../oci/digest.ts";
import type { Chain, Store } from "../store/index.ts";
import { keyNodeOf, type KeyNode, type SolvedInput } from "./buildkit-keys/key-node.ts";
import type { CacheExchange } from "./cache-exchange/cache-exchange.ts";
import { diffOf, mergeOf } from "./combine-layers.ts";
import { execKey, withClock } from "./exec-step.ts";
import { prepareFileStep } from "./file-runner.ts";
import type { Result } from "./results.ts";

export interface OutlookOptions {
  readonly store: Store;
  readonly exchange: CacheExchange;
  readonly signal: AbortSignal;
  /** asked for what is handed in from outside alone */
  readonly solve: (vertex: Vertex) => Promise<Result>;
  /** seconds since 1970 */
  readonly clockOf: (vertex: Vertex) => Promise<number | undefined>;
}

const unknownLayers: Result = { kind: "layers", chain: [], createdMs: 0 };

export class StepOutlook {
  readonly #options: OutlookOptions;
  readonly #names = new Map<Digest, Promise<KeyNode | undefined>>();
  /** names that say what is taken of a stage that was built anew */
  readonly #byContent = new Map<Digest, KeyNode>();
  readonly #allThere = new Map<Digest, Promise<boolean>>();
  readonly #hits = new Map<Digest, Promise<Result | undefined>>();

  constructor(options: OutlookOptions) {
    this.#options = options;
  }

  /** What the step is called in caches of elsewhere; undefined: it has no name there. */
  nameOf(vertex: Vertex): Promise<KeyNode | undefined> {
    let name = this.#names.get(vertex.digest);
    if (name === undefined) this.#names.set(vertex.digest, (name = this.#nameOnce(vertex)));
    return name;
  }

  /**
   * What a COPY is called by the content that it takes of stages whose files are here: a stage that was built anew may have given the same. From now
   * on it is called so, and so are the steps above it. undefined: it takes nothing of a stage, or of one whose layers are elsewhere.
   */
  async nameByContent(vertex: Vertex, inputs: readonly Result[]): Promise<KeyNode | undefined> {
    const before = this.#byContent.get(vertex.digest);
    if (before !== undefined) return before;
    const { store, signal } = this.#options;
    const { op } = vertex;
    const isSource = (result: Result, index: number): result is Extract<Result, { kind: "layers" }> =>
      op.type === "file" && result.kind === "layers" && result.chain.length > 0 && (index > 0 || op.scratchBase);
    const stages = inputs.filter(isSource);
    if (stages.length === 0 || stages.some(({ chain }) => !store.layers.hasAll(chain))) return undefined;
    const named = await Promise.all(
      vertex.inputs.map(async (input, index): Promise<SolvedInput> => {
        const [known, result] = [await this.#namedInput(input), inputs[index]];
        if (result === undefined || !isSource(result, index)) return known;
        return { ...known, files: await store.materializer.readableView(result.chain, signal) };
      }),
    );
    const node = keyNodeOf(await this.#clocked(vertex), named);
    if (node === undefined) return undefined;
    this.#byContent.set(vertex.digest, node);
    this.#names.clear();
    return node;
  }

  /** A result that a cache has, where the store and the caches cannot give what it stands on step by step. */
  async wholeHit(vertex: Vertex): Promise<{ readonly node: KeyNode; readonly result: Result } | undefined> {
    const { exchange } = this.#options;
    if (!exchange.imports || (vertex.op.type !== "exec" && vertex.op.type !== "file")) return undefined;
    if (isPlainCopy(vertex) || listVertices([vertex]).some(({ metadata }) => metadata.ignoreCache)) return undefined;
    const node = await this.nameOf(vertex);
    if (node === undefined || (await this.#isAllThere(vertex))) return undefined;
    const hit = exchange.findWhole(node, bottomOf(vertex));
    return hit === undefined ? undefined : { node, result: { kind: "layers", chain: hit.layers, createdMs: hit.createdMs } };
  }

  /** Nothing would run for it, but for copies of what is handed in: the script of a RUN, what a mount takes of the context. */
  #isAllThere(vertex: Vertex): Promise<boolean> {
    let isThere = this.#allThere.get(vertex.digest);
    if (isThere === undefined) this.#allThere.set(vertex.digest, (isThere = this.#lookBelow(vertex)));
    return isThere;
  }

  async #lookBelow(vertex: Vertex): Promise<boolean> {
    if ((await this.#peek(vertex)) === undefined) return false;
    const inputs = vertex.inputs.filter((input) => !isPlainCopy(input));
    return (await Promise.all(inputs.map((input) => this.#isAllThere(input)))).every(Boolean);
  }

  async #nameOnce(vertex: Vertex): Promise<KeyNode | undefined> {
    const byContent = this.#byContent.get(vertex.digest);
    if (byContent !== undefined) return byContent;
    return keyNodeOf(await this.#clocked(vertex), await Promise.all(vertex.inputs.map((input) => this.#namedInput(input))));
  }

  /** A layer of another time has another name, as with SOURCE_DATE_EPOCH. */
  async #clocked(vertex: Vertex): Promise<Vertex> {
    const { op } = vertex;
    if (op.type !== "exec" && op.type !== "file") return vertex;
    // a source that is missing is told of when the step is solved
    const clock = await this.#options.clockOf(vertex).catch(() => undefined);
    if (clock === undefined) return vertex;
    return { ...vertex, op: op.type === "exec" ? withClock(op, clock) : { ...op, epoch: clock } };
  }

  async #namedInput(input: Vertex): Promise<SolvedInput> {
    if (isHandedIn(input)) return { result: await this.#options.solve(input), node: undefined };
    const behind = input.metadata.contextMount === undefined ? undefined : input.inputs[0];
    const tree = behind === undefined ? undefined : await this.#options.solve(behind);
    return { result: unknownLayers, node: await this.nameOf(input), mountedTree: tree?.kind === "tree" ? tree : undefined };
  }

  /** What solving the vertex would give without running anything; nothing is fetched or promised. */
  #peek(vertex: Vertex): Promise<Result | undefined> {
    let hit = this.#hits.get(vertex.digest);
    if (hit === undefined) this.#hits.set(vertex.digest, (hit = this.#peekOnce(vertex)));
    return hit;
  }

  async #peekOnce(vertex: Vertex): Promise<Result | undefined> {
    const { op } = vertex;
    if (isHandedIn(vertex)) return await this.#options.solve(vertex);
    if (op.type === "image") return { kind: "layers", chain: op.chain, createdMs: 0 };
    const inputs = await Promise.all(vertex.inputs.map((input) => this.#peek(input)));
    const known = inputs.filter((input) => input !== undefined);
    const complete = known.length === inputs.length ? known : undefined;
    if (op.type === "merge" || op.type === "diff") return complete === undefined ? undefined : (op.type === "merge" ? mergeOf : diffOf)(complete);
    const base = op.type === "exec" || op.type === "file" ? baseOf(op.scratchBase, inputs) : undefined;
    if (base === undefined) return undefined;
    const here = complete === undefined ? undefined : await this.#keyOf(vertex, complete);
    const record = here === undefined ? undefined : this.#options.store.cache.lookup(here);
    const node = record === undefined ? await this.nameOf(vertex) : undefined;
    const hit = record ?? (node === undefined ? undefined : this.#options.exchange.find(node, base));
    return hit === undefined ? undefined : { kind: "layers", chain: [...base, ...hit.layers], createdMs: hit.createdMs };
  }

  async #keyOf(vertex: Vertex, inputs: readonly Result[]): Promise<string | undefined> {
    const { store, signal } = this.#options;
    const { op } = vertex;
    if (op.type === "exec") {
      const clock = await this.#options.clockOf(vertex);
      return execKey({ store, vertex, op: withClock(op, clock), inputs, signal, clock });
    }
    return op.type === "file" ? (await prepareFileStep({ store, vertex, op, inputs, signal, onBytes: () => {} })).key : undefined;
  }
}

function isHandedIn({ op }: Vertex): boolean {
  return op.type === "local" || op.type === "git" || op.type === "http";
}

function isPlainCopy({ op, inputs }: Vertex): boolean {
  return op.type === "file" && inputs.every(isHandedIn);
}

/** The layers of the image that the stage began with, which the build knows before anything is solved. */
function bottomOf({ op, inputs }: Vertex): Chain {
  if (op.type === "image") return op.chain;
  const [below] = inputs;
  const standsOnInput = op.type === "exec" || op.type === "file" ? !op.scratchBase : op.type === "merge";
  return below === undefined || !standsOnInput ? [] : bottomOf(below);
}

function baseOf(scratchBase: boolean, inputs: readonly (Result | undefined)[]): Chain | undefined {
  if (scratchBase) return [];
  const [base] = inputs;
  return base?.kind === "layers" ? base.chain : undefined;
}
