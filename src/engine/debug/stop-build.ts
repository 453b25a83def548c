/** A build that stops before a line of the Dockerfile, with the state that a command would find there. */
import { stopAtLine, type StoppedDockerfile } from "../../dockerfile/stop-at.ts";
import type { ExecMount, ExecOp } from "../../graph/op.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { SlipwayError } from "../../base/errors.ts";
import { cacheMountKey } from "../../solver/exec-mounts.ts";
import type { Result } from "../../solver/results.ts";
import { withClock } from "../../solver/exec-step.ts";
import { checkEntitlements } from "../../solver/solver.ts";
import { keptSteps, layersOfRecord, recordOf, type RecordedMount, type StepRecord } from "../../solver/step-record.ts";
import type { Chain, KeptStep, Store } from "../../store/index.ts";
import { SourceRevisions } from "../provenance/build-facts.ts";
import type { BuildOptions } from "../api.ts";
import { openBuild, reportIgnoreFile, type BuildSurroundings } from "../build/build-image.ts";
import { openCaches } from "../build/cache/open-caches.ts";
import { withExcerpt } from "../build/diagnostics.ts";
import { parseBuild } from "../build/lint.ts";
import { lowerBuild } from "../build/lower-build.ts";
import { settle } from "../build/settling.ts";
import { checkSecrets } from "../build/step-secrets.ts";
import { targetPlatforms } from "../build/target-platforms.ts";
import { withSolver } from "../build/with-solver.ts";

/** Fails as a build does, with NO_SUCH_LINE, and with USAGE for several platforms. */
export async function stopBuild(asked: BuildOptions & { readonly line: number }, surroundings: BuildSurroundings): Promise<KeptStep<StepRecord>> {
  const signal = asked.signal ?? new AbortController().signal;
  const targets = targetPlatforms(asked);
  if (targets.several) throw new SlipwayError("invalid_argument", "USAGE", "a shell is for one platform: name one with --platform", { bare: true });
  checkSecrets(asked.secrets ?? []);
  const { context, loaded } = await openBuild(asked, surroundings, signal);
  const { options, settling } = await settle({ options: asked, context, dockerfile: loaded.path, store: surroundings.store, signal });
  const parsed = parseBuild(loaded);
  const stopped = stopAtLine(parsed.dockerfile, asked.line, asked.target);
  const { target: _, ...untargeted } = options;
  try {
    const resolver = { ...surroundings, signal };
    const caches = await openCaches(options, surroundings, signal);
    const input = { parsed: { ...parsed, dockerfile: stopped.dockerfile }, context, settling, signal, caches, revisions: new SourceRevisions() };
    const platforms = await lowerBuild(untargeted, { ...input, contextId: context.id, targets, images: new Map(), resolver });
    await reportIgnoreFile(surroundings.onProgress, context);
    const root = platforms[0]?.lowered.root;
    if (root?.op.type !== "exec") throw new SlipwayError("internal", "INTERNAL", "a stage that ends with a command has none");
    const { op } = root;
    checkEntitlements(root, new Set(options.allow ?? []));
    const reached = await withSolver(options, surroundings, { ...input, platforms }, async (solver) => {
      const inputs = await Promise.all(root.inputs.map((each) => solver.solve(each)));
      return { inputs, op: withClock(op, await solver.clockOf(root)) };
    });
    return keepStopped(surroundings.store, recordOfStop({ vertex: root, ...reached, stopped, dockerfile: parsed.source.name, store: surroundings.store }));
  } catch (error) {
    throw withExcerpt(error, parsed.source);
  }
}

interface Stop {
  readonly store: Store;
  readonly vertex: Vertex;
  readonly op: ExecOp;
  readonly inputs: readonly Result[];
  readonly stopped: StoppedDockerfile;
  readonly dockerfile: string;
}

function keepStopped(store: Store, record: StepRecord): KeptStep<StepRecord> {
  const steps = keptSteps(store);
  const step = steps.begin(record, layersOfRecord(record));
  steps.keep(step.id, record);
  return { ...step, life: "ended", record };
}

function recordOfStop(stop: Stop): StepRecord {
  const { vertex, op, inputs, stopped, dockerfile } = stop;
  const chain = op.scratchBase ? [] : chainOf(inputs[0]);
  const record = recordOf(vertex, op, chain, dockerfile);
  const isRun = stopped.instruction?.type === "run";
  return {
    ...record,
    outcome: "stopped",
    name: isRun ? record.name : (stopped.instruction?.code ?? "the end of the stage"),
    args: isRun ? record.args : [],
    root: { chain },
    mounts: op.mounts.map((mount) => recordOfMount(stop, mount)),
  };
}

function recordOfMount({ store, inputs }: Stop, mount: ExecMount): RecordedMount {
  switch (mount.type) {
    case "secret":
    case "ssh":
      return mount;
    case "tmpfs":
      return { type: "tmpfs", target: mount.target, files: { chain: [] }, source: "/", readonly: mount.readonly === true };
    case "bind":
      return { type: "bind", target: mount.target, files: { chain: chainOf(inputs[mount.input]) }, source: mount.source, readonly: mount.readonly };
    case "cache": {
      const from = mount.input === undefined ? undefined : chainOf(inputs[mount.input]);
      const cache = cacheMountKey(mount.id, from, mount.source);
      const isThere = store.cacheMounts.all().some(({ id }) => id === cache);
      const place = { type: "cache", target: mount.target, readonly: mount.readonly } as const;
      return isThere ? { ...place, files: { chain: [], cache }, source: "/" } : { ...place, files: { chain: from ?? [] }, source: mount.source };
    }
  }
}

function chainOf(result: Result | undefined): Chain {
  return result?.kind === "layers" ? result.chain : [];
}
