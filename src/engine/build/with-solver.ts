/** A solver with all that it needs from outside: contexts, secrets, networks, caches; put away when the work is done. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import type { ProgressSink } from "../../base/progress.ts";
import { createIgnoreMatcher, parseIgnore, type IgnoreMatcher } from "../../dockerfile/ignore.ts";
import { takenSources } from "../../graph/taken-sources.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { digestOf } from "../../oci/digest.ts";
import { createNetworkPool, type NetworkPool } from "../../runtime/network-pool.ts";
import type { CacheExchange } from "../../solver/cache-exchange/cache-exchange.ts";
import { contextIndexPath, FileDigests } from "../../solver/file-digests.ts";
import { trimSteps } from "../../solver/keep-step.ts";
import type { Result } from "../../solver/results.ts";
import { Solver } from "../../solver/solver.ts";
import type { BuildOptions } from "../api.ts";
import { defaultKeptCount } from "../debug/kept-count.ts";
import type { SourceRevisions } from "../provenance/build-facts.ts";
import { enforceCacheCeiling } from "../system/cache-ceiling.ts";
import type { BuildSurroundings } from "./build-image.ts";
import type { BuildCaches } from "./cache/build-caches.ts";
import { trimContextRecords } from "./context-records.ts";
import { ContextView } from "./context-view.ts";
import type { ParsedBuild } from "./lint.ts";
import type { LoweredPlatform } from "./lower-build.ts";
import type { OpenedContext } from "./open-context.ts";
import { gitTree, httpTree, type SourcePins } from "./remote-inputs.ts";
import type { Settling } from "./settling.ts";
import { BuildSecrets } from "./step-secrets.ts";

export interface SolverInput {
  readonly platforms: readonly LoweredPlatform[];
  readonly context: OpenedContext;
  readonly parsed: ParsedBuild;
  readonly signal: AbortSignal;
  readonly caches: BuildCaches;
  readonly pins?: SourcePins | undefined;
  readonly settling: Settling;
  /** receives what remote sources were found to be */
  readonly revisions: SourceRevisions;
  /** what is solved besides the platforms' results */
  readonly scanned?: readonly Vertex[];
}

export async function withSolver<T>(
  options: BuildOptions,
  surroundings: BuildSurroundings,
  input: SolverInput,
  work: (solver: Solver, exchange: CacheExchange | undefined) => Promise<T>,
): Promise<T> {
  const { store, onProgress } = surroundings;
  const { platforms, context, parsed, signal } = input;
  const digests = new FileDigests();
  const indexPath = contextIndexPath(store.layout.contexts, context.directory);
  const exchange = await input.caches.exchange;
  const keptCount = options.keepFailed ?? defaultKeptCount(process.env);
  let networks: NetworkPool | undefined;
  using secrets = new BuildSecrets(options.secrets ?? [], options.ssh ?? [], (label) => store.lease().temporaryPath(label));
  const solver = new Solver({
    store,
    signal,
    onProgress,
    allow: new Set(options.allow ?? []),
    exchange,
    clocks: input.settling.clocks?.known,
    sources: {
      local: async (name) => {
        if (name === "context") digests.load(indexPath);
        return await openLocal(name, options, context, {
          settling: input.settling,
          ignore: parsed.ignore,
          digests,
          roots: [...platforms.flatMap(({ lowered }) => lowered.root ?? []), ...(input.scanned ?? [])],
        });
      },
      git: (vertex) => gitTree(store, vertex, { signal, pins: input.pins, revisions: input.revisions, settling: input.settling }),
      http: (vertex) => httpTree(store, vertex, { signal, pins: input.pins, revisions: input.revisions }),
      image: async () => {},
    },
    execution: {
      freshCaches: new Set(),
      keeping: { count: keptCount, dockerfile: parsed.source.name, interrupted: () => signal.aborted },
      secrets,
      restoreCache: exchange === undefined ? undefined : (id, directory, inner) => exchange.restoreMount(id, directory, inner),
      networks: () =>
        (networks ??= createNetworkPool({ directory: store.layers.workDirectory("networks"), onWarning: (message) => warn(onProgress, message) })),
    },
  });
  try {
    return await work(solver, exchange);
  } finally {
    if (context.id === context.directory) digests.save(indexPath, () => store.lease().temporaryPath("context-index"));
    trimContextRecords(store.layout.contexts);
    store.cache.touch(solver.usedKeys);
    if (trimSteps(store, keptCount)) store.collect();
    enforceCacheCeiling(store);
    await networks?.close();
  }
}

/** Has a line of its own: the step that it concerns is running already. */
function warn(sink: ProgressSink, message: string): void {
  const name = "[internal] network of RUN steps";
  const vertex = { type: "vertex", id: digestOf(name), name, inputs: [], startedMs: Date.now() } as const;
  sink(vertex);
  sink({ type: "warning", vertex: vertex.id, message, detail: [], url: "" });
  sink({ ...vertex, completedMs: Date.now(), cached: false });
}

interface LocalInput {
  readonly settling: Settling;
  readonly ignore: IgnoreMatcher | undefined;
  readonly digests: FileDigests;
  readonly roots: readonly Vertex[];
}

/** A named context has its own `.dockerignore`. */
async function openLocal(
  name: string,
  options: BuildOptions,
  context: OpenedContext,
  { settling, ignore, digests, roots }: LocalInput,
): Promise<Extract<Result, { kind: "tree" }>> {
  const taken = roots.flatMap((vertex) => takenSources(vertex, name));
  if (name === "context") {
    const view = new ContextView(context.directory, ignore, await settling.of(context.directory, ignore));
    return { kind: "tree", root: context.directory, tree: { view, digests, origin: { kind: "client", taken }, settled: view.keyed } };
  }
  const entry = Object.entries(options.buildContexts ?? {}).find(([key]) => key.toLowerCase() === name);
  const root = resolve(entry?.[1] ?? "");
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new SlipwayError("invalid_argument", "INVALID_CONTEXT", `failed to get build context ${name}: stat ${entry?.[1] ?? ""}: no such file or directory`, {
      name,
    });
  }
  const real = realpathSync(root);
  const ownIgnore = ignoreOf(real);
  const view = new ContextView(real, ownIgnore, await settling.of(real, ownIgnore));
  const origin = { kind: "client", taken: undefined } as const;
  return { kind: "tree", root: real, tree: { view, digests: new FileDigests(), origin, settled: view.keyed } };
}

function ignoreOf(root: string): IgnoreMatcher | undefined {
  try {
    const patterns = parseIgnore(readFileSync(join(root, ".dockerignore")));
    return patterns.length === 0 ? undefined : createIgnoreMatcher(patterns);
  } catch {
    return undefined;
  }
}
