/**
 * Pull-based: a vertex is solved when somebody needs it, once, beside everything that does not wait for it. Each finished
 * step is in the store before its users start, so nothing done is ever done again.
 */
import { cpus } from "node:os";
import { asSlipwayError, SlipwayError } from "../base/errors.ts";
import type { ProgressSink } from "../base/progress.ts";
import type { Digest } from "../oci/digest.ts";
import { listVertices, type Vertex } from "../graph/vertex.ts";
import type { Store } from "../store/index.ts";
import type { KeyNode } from "./buildkit-keys/key-node.ts";
import type { CacheExchange, RemoteHit } from "./cache-exchange/cache-exchange.ts";
import { execInputs, execKey, rootChain, withClock, type ExecEnvironment, type ExecStep } from "./exec-step.ts";
import { baseChain, prepareFileStep, runFileStep, type FileStep } from "./file-runner.ts";
import { Gate } from "./gate.ts";
import type { Result } from "./results.ts";
import { diffOf, mergeOf } from "./combine-layers.ts";
import { missingSource } from "./selection.ts";
import { StepClocks } from "./step-clocks.ts";
import { StepOutlook } from "./step-outlook.ts";
import { throughCache, type StepOutcome, type StepRequest } from "./step-cache.ts";

/** What the solver needs from outside: the client's directories, remote sources, images, networks, secrets. */
export interface SolverSources {
  /** a context directory by name; called once per name */
  readonly local: (name: string, vertex: Vertex) => Promise<Extract<Result, { kind: "tree" }>>;
  readonly git: (vertex: Vertex) => Promise<Result>;
  readonly http: (vertex: Vertex) => Promise<Result>;
  /** brings an image's layers into the store, where they are not yet */
  readonly image: (vertex: Vertex) => Promise<void>;
}

export interface SolverOptions {
  readonly store: Store;
  readonly sources: SolverSources;
  readonly execution: Omit<ExecEnvironment, "onOutput">;
  readonly onProgress: ProgressSink;
  readonly signal: AbortSignal;
  /** entitlements that were granted: "network.host", "security.insecure" */
  readonly allow: ReadonlySet<string>;
  /** caches of elsewhere that are read or written */
  readonly exchange?: CacheExchange | undefined;
  /** true: steps have clocks of their own */
  readonly clocks?: (() => Promise<boolean>) | undefined;
}

export class Solver {
  readonly #options: SolverOptions;
  readonly #solved = new Map<Digest, Promise<Result>>();
  readonly #usedKeys = new Set<string>();
  /** Commands share the machine: as many at once as it has processors, and two at least. */
  readonly #gate = new Gate(Math.max(2, cpus().length));
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: SolverOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#abort.signal]);
  }

  /** Keys that were taken from the cache, to be marked as used. */
  get usedKeys(): readonly string[] {
    return [...this.#usedKeys];
  }

  /** The first failure cancels what else is running, and is what the caller gets; `details.vertex` names the step. */
  async solve(vertex: Vertex): Promise<Result> {
    checkEntitlements(vertex, this.#options.allow);
    this.#noteNetworkUsers(vertex);
    try {
      const result = await this.#solve(vertex);
      await this.#fetch([result]);
      return result;
    } catch (error) {
      const cause = this.#failure ?? error;
      this.#abort.abort(cause);
      await Promise.allSettled(this.#solved.values());
      throw cause;
    }
  }

  readonly #clocks = new StepClocks((vertex) => this.#solve(vertex));

  /** Seconds since 1970, of a vertex that was solved; undefined: it is made of something from no known time, or time goes by as elsewhere. */
  async clockOf(vertex: Vertex): Promise<number | undefined> {
    return (await this.#options.clocks?.()) === true ? await this.#clocks.of(vertex) : undefined;
  }

  #failure: unknown;
  readonly #beforeNetwork = new Set<Digest>();

  /** A step that runs again below a command means that the command runs too: its network can start meanwhile. */
  #noteNetworkUsers(root: Vertex): void {
    for (const vertex of listVertices([root])) {
      if (vertex.op.type !== "exec" || vertex.op.network !== "default" || this.#beforeNetwork.has(vertex.digest)) continue;
      for (const { digest } of listVertices([vertex])) this.#beforeNetwork.add(digest);
    }
  }

  #outlook: StepOutlook | undefined;

  /** Names steps and looks ahead; undefined where no caches of elsewhere are read or written. */
  #lookAhead(): StepOutlook | undefined {
    const { store, exchange } = this.#options;
    if (exchange === undefined) return undefined;
    return (this.#outlook ??= new StepOutlook({
      store,
      exchange,
      signal: this.#signal,
      solve: (vertex) => this.#solve(vertex),
      clockOf: (vertex) => this.clockOf(vertex),
    }));
  }

  /** Layers that a cache of elsewhere promised are needed now. */
  async #fetch(results: readonly Result[]): Promise<void> {
    await this.#options.exchange?.fetch(
      results.flatMap((result) => (result.kind === "layers" ? [result.chain] : [])),
      this.#signal,
    );
  }

  #note(vertex: Vertex, node: KeyNode | undefined, result: Result): Result {
    if (node !== undefined && result.kind === "layers") this.#options.exchange?.note({ vertex, node, chain: result.chain, createdMs: result.createdMs });
    return result;
  }

  #missed(vertex: Vertex, report: VertexReport, reason: string): void {
    report.started(reason);
    if (this.#beforeNetwork.has(vertex.digest)) this.#options.execution.networks().warm();
  }

  #solve(vertex: Vertex): Promise<Result> {
    let solving = this.#solved.get(vertex.digest);
    if (solving === undefined) {
      solving = this.#solveOnce(vertex);
      solving.catch((error: unknown) => {
        this.#failure ??= error;
        this.#abort.abort(error);
      });
      this.#solved.set(vertex.digest, solving);
    }
    return solving;
  }

  async #solveOnce(vertex: Vertex): Promise<Result> {
    const ahead = await this.#lookAhead()?.wholeHit(vertex);
    if (ahead !== undefined) {
      new VertexReport(vertex, this.#options.onProgress).completed(true);
      return this.#note(vertex, ahead.node, ahead.result);
    }
    const report = new VertexReport(vertex, this.#options.onProgress);
    const checking = this.#missingSource(vertex);
    const solving = Promise.all(vertex.inputs.map((input) => this.#solve(input)));
    // looked at below, unless the sources are at fault
    solving.catch(() => {});
    const missing = await checking;
    const inputs = missing === undefined ? await solving : [];
    try {
      if (missing !== undefined) throw missing;
      this.#signal.throwIfAborted();
      const node = await this.#lookAhead()?.nameOf(vertex);
      const result = await this.#run(vertex, inputs, report, node);
      if (this.#options.exchange?.exports === true) await this.#lookAhead()?.nameByContent(vertex, inputs);
      // by now it may be known by another name
      return this.#note(vertex, await this.#lookAhead()?.nameOf(vertex), result);
    } catch (error) {
      const failure =
        this.#signal.aborted && this.#failure !== undefined ? new SlipwayError("canceled", "CANCELED", "canceled", {}, error) : asSlipwayError(error);
      report.failed(failure);
      throw new SlipwayError(
        failure.kind,
        failure.code,
        failure.message,
        { vertex: vertex.metadata.name, lines: vertex.metadata.lines, ...failure.details },
        failure,
      );
    }
  }

  #isSourceMissing = false;

  /**
   * What a copy from the client lacks is told as soon as that is known: nobody waits for the steps before to be told of a typo.
   * Of several, as in Docker, the one nearest to the end.
   */
  async #missingSource({ op, inputs }: Vertex): Promise<SlipwayError | undefined> {
    if (op.type !== "file") return undefined;
    for (const action of op.actions) {
      const input = action.type === "copy" ? inputs[action.input] : undefined;
      if (action.type !== "copy" || input === undefined || input.op.type !== "local") continue;
      const tree = await this.#solve(input).catch(() => undefined);
      if (tree?.kind !== "tree") continue;
      const missing = missingSource(action, tree.tree);
      if (missing === undefined || this.#isSourceMissing) continue;
      this.#isSourceMissing = true;
      return missing;
    }
    return undefined;
  }

  async #run(vertex: Vertex, inputs: readonly Result[], report: VertexReport, node: KeyNode | undefined): Promise<Result> {
    const { op } = vertex;
    const { sources, store } = this.#options;
    switch (op.type) {
      case "local":
        return await report.during(() => sources.local(op.name, vertex), false);
      case "git":
        return await report.during(() => sources.git(vertex), false);
      case "http":
        return await report.during(() => sources.http(vertex), false);
      case "image":
        await report.during(() => sources.image(vertex), true);
        return { kind: "layers", chain: op.chain, createdMs: 0 };
      case "merge":
        return mergeOf(inputs);
      case "diff":
        return diffOf(inputs);
      case "file":
        return await this.#file({ store, vertex, op, inputs, signal: this.#signal, onBytes: (bytes) => report.status("copying files:", bytes) }, report, node);
      case "exec": {
        const clock = await this.clockOf(vertex);
        return await this.#exec({ store, vertex, op: withClock(op, clock), inputs, signal: this.#signal, clock }, report, node);
      }
    }
  }

  async #file(step: FileStep, report: VertexReport, node: KeyNode | undefined): Promise<Result> {
    const base = baseChain(step);
    const prepared = await prepareFileStep(step);
    const outcome = await throughCache({
      store: step.store,
      vertex: step.vertex,
      key: prepared.key,
      inputs: prepared.inputs,
      base,
      config: {},
      signal: this.#signal,
      elsewhere: this.#finder(base, node, async () => await this.#lookAhead()?.nameByContent(step.vertex, step.inputs)),
      onUse: (key) => this.#usedKeys.add(key),
      onMiss: (reason) => this.#missed(step.vertex, report, reason),
      run: async () => {
        await this.#fetch(step.inputs);
        return await runFileStep(step, prepared);
      },
    });
    report.completed(outcome.cached);
    return this.#result(base, outcome);
  }

  async #exec(step: ExecStep, report: VertexReport, node: KeyNode | undefined): Promise<Result> {
    const base = rootChain(step);
    const outcome = await throughCache({
      store: step.store,
      vertex: step.vertex,
      key: execKey(step),
      inputs: execInputs(step),
      base,
      config: { env: step.op.env, cwd: step.op.cwd, user: step.op.user },
      signal: this.#signal,
      elsewhere: this.#finder(base, node),
      onUse: (key) => this.#usedKeys.add(key),
      onMiss: (reason) => this.#missed(step.vertex, report, reason),
      run: async () => {
        await this.#fetch(step.inputs);
        using _slot = await this.#gate.enter(this.#signal);
        const { runExecStep } = await import("./exec-runner.ts");
        return await runExecStep(step, { ...this.#options.execution, onOutput: (stream, data) => report.log(stream, data) });
      },
    });
    report.completed(outcome.cached);
    return this.#result(base, outcome);
  }

  /** `byContent` is asked for another name where the first one is not found. */
  #finder(base: readonly Digest[], node: KeyNode | undefined, byContent?: () => Promise<KeyNode | undefined>): StepRequest["elsewhere"] {
    const { exchange } = this.#options;
    if (exchange === undefined || node === undefined) return undefined;
    return async (keep): Promise<RemoteHit | undefined> => {
      const hit = exchange.find(node, base, keep);
      if (hit !== undefined) return hit;
      const other = await byContent?.();
      return other === undefined ? undefined : exchange.find(other, base, keep);
    };
  }

  #result(base: readonly Digest[], outcome: StepOutcome): Result {
    return { kind: "layers", chain: [...base, ...outcome.layers], createdMs: outcome.createdMs };
  }
}

/** Nothing runs before every step is known to be allowed. Fails with NOT_ALLOWED (denied) in BuildKit's words. */
export function checkEntitlements(root: Vertex, allow: ReadonlySet<string>): void {
  for (const { op } of listVertices([root])) {
    if (op.type !== "exec") continue;
    const needed = [...(op.network === "host" ? ["network.host"] : []), ...(op.security === "insecure" ? ["security.insecure"] : [])];
    for (const entitlement of needed) {
      if (allow.has(entitlement)) continue;
      throw new SlipwayError("denied", "NOT_ALLOWED", `failed to load LLB: ${entitlement} is not allowed`, {
        entitlement,
        remedy: `allow it with --allow ${entitlement}`,
      });
    }
  }
}

/** Tells the progress of one vertex; started at most once, completed exactly once. */
class VertexReport {
  readonly #vertex: Vertex;
  readonly #sink: ProgressSink;
  #startedMs: number | undefined;
  #reason: string | undefined;

  constructor(vertex: Vertex, sink: ProgressSink) {
    this.#vertex = vertex;
    this.#sink = sink;
  }

  #base(): {
    readonly type: "vertex";
    readonly id: string;
    readonly name: string;
    readonly inputs: readonly string[];
    readonly startedMs: number;
    readonly reason?: string;
  } {
    this.#startedMs ??= Date.now();
    const { digest, metadata, inputs } = this.#vertex;
    return {
      type: "vertex",
      id: digest,
      name: metadata.name,
      inputs: inputs.map((input) => input.digest),
      startedMs: this.#startedMs,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  started(reason?: string): void {
    this.#reason = reason;
    this.#sink(this.#base());
  }

  completed(cached: boolean): void {
    const base = this.#base();
    this.#sink({ ...base, completedMs: cached ? base.startedMs : Date.now(), cached });
  }

  failed(error: SlipwayError): void {
    this.#sink({ ...this.#base(), completedMs: Date.now(), error: error.message });
  }

  log(stream: 1 | 2, data: Uint8Array): void {
    this.#sink({ type: "log", vertex: this.#vertex.digest, stream, data, timestampMs: Date.now() });
  }

  status(id: string, current: number): void {
    this.#sink({ type: "status", vertex: this.#vertex.digest, id, current, timestampMs: Date.now(), startedMs: this.#startedMs ?? Date.now() });
  }

  async during<T>(body: () => Promise<T>, cached: boolean): Promise<T> {
    this.started();
    const value = await body();
    this.completed(cached);
    return value;
  }
}
