/** Runs one command on a file system: overlay of the layers below, the upper directory becomes the layer. */
import { chmodSync, chownSync, lstatSync, lutimesSync, mkdirSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { goQuote } from "../base/go-text.ts";
import type { ExecOp } from "../graph/op.ts";
import type { SpecMount, SpecNetwork } from "../runtime/spec-options.ts";
import { runStep } from "../runtime/step.ts";
import { stepMountTargets } from "../runtime/step-mounts.ts";
import { parseUlimit } from "../runtime/ulimit.ts";
import { mountOverlay, unmount } from "../store/overlay.ts";
import { hashInTurns } from "../store/pack.ts";
import { pruneUpper } from "../store/prune-upper.ts";
import type { Chain, MergedView, Store } from "../store/index.ts";
import { StepMounts } from "./exec-mounts.ts";
import { rootChain, type ExecEnvironment, type ExecStep } from "./exec-step.ts";
import { StepKeeper } from "./keep-step.ts";
import { enterMountNamespace } from "./mount-namespace.ts";
import { dropMountPoints, makeMountPoints } from "./mount-points.ts";
import { makeWorkingDirectory, resolveStepUser } from "./step-user.ts";
import { resolveInTree } from "./resolve-path.ts";
import type { StepRun } from "./step-cache.ts";
import { acquireNetwork, networkFiles, sharedMemory } from "./step-network.ts";
import { nameOfVariable, recordOf } from "./step-record.ts";

/** Fails with PROCESS_FAILED (details.exitCode) when the command fails, and with what keeps it from starting. */
export async function runExecStep(step: ExecStep, environment: ExecEnvironment): Promise<StepRun> {
  const { store, op } = step;
  await enterMountNamespace();
  const chain = rootChain(step);
  const keeper = new StepKeeper(store, recordOf(step.vertex, op, chain, environment.keeping.dockerfile), environment.keeping);
  try {
    const made = await runKept(step, environment, chain, keeper);
    keeper.succeeded();
    return made;
  } catch (error) {
    keeper.abandon();
    throw error;
  }
}

async function runKept(step: ExecStep, environment: ExecEnvironment, chain: Chain, keeper: StepKeeper): Promise<StepRun> {
  const { store, op, signal } = step;
  const lowers = await store.materializer.directories(chain, signal);
  const view = await store.materializer.readableView(chain, signal);
  const directory = store.layers.workDirectory("step");
  const mounts = new StepMounts(store, { directory, keeper }, { ...step, freshCaches: environment.freshCaches, restoreCache: environment.restoreCache });
  try {
    const paths = makeStepDirectories(directory, keeper.directory("upper"), view);
    for (const mount of op.mounts) await mounts.add(mount, environment.secrets);
    using network = await acquireNetwork(op, environment.networks, signal);
    const specMounts = [...networkFiles(op, directory, network.spec), ...sharedMemory(op), ...mounts.mounts];
    const made = makeMountPoints(view, paths.stubs, stepMountTargets({ mounts: specMounts }));
    makeSystemDirectories(
      view,
      paths.upper,
      [...specMounts.map(({ destination }) => destination), ...op.mounts.flatMap((mount) => (mount.type === "tmpfs" ? mount.target : []))].map((target) =>
        resolveInTree(view, target),
      ),
    );
    mountOverlay({ lowers: [...lowers.toReversed(), paths.stubs], upper: paths.upper, work: paths.work, target: paths.rootfs, volatile: true });
    keeper.began(mounts.records);
    const startedSeconds = Math.floor(Date.now() / 1000) - 1;
    try {
      await runCommand(
        step,
        environment,
        { ...paths, cwd: resolveInTree(view, op.cwd) },
        { mounts: specMounts, env: mounts.env, network: network.spec, keeper },
      );
    } catch (error) {
      throw keeper.failed(error);
    } finally {
      unmount(paths.rootfs);
    }
    dropMountPoints(
      paths.upper,
      made.filter((path) => !systemDirectories.includes(path)),
    );
    pruneUpper(paths.upper, view);
    // a clock that nobody asked for is for what the other one gave, and leaves alone what the command set or brought along
    if (op.epoch !== undefined) setTimes(Buffer.from(paths.upper), { after: op.epoch, until: Infinity, to: op.epoch });
    else if (step.clock !== undefined) setTimes(Buffer.from(paths.upper), { after: startedSeconds, until: Date.now() / 1000 + 1, to: step.clock });
    return await keepUpper(store, paths.upper, step.signal);
  } finally {
    mounts[Symbol.dispose]();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface StepPaths {
  readonly upper: string;
  readonly work: string;
  readonly rootfs: string;
  readonly stubs: string;
  readonly bundle: string;
  readonly state: string;
}

/** The upper's root shows through as the step's `/`: it takes the attributes that `/` has in the layers below. */
function makeStepDirectories(directory: string, upper: string, view: MergedView): StepPaths {
  const make = (name: string): string => {
    const path = join(directory, name);
    mkdirSync(path, { mode: 0o755 });
    return path;
  };
  const paths = { upper, work: make("work"), rootfs: make("rootfs"), stubs: make("stubs"), bundle: make("bundle"), state: make("state") };
  const root = view.lookup("");
  if (root !== undefined && root.diskPath !== undefined) {
    chownSync(paths.upper, root.uid, root.gid);
    chmodSync(paths.upper, root.mode);
  }
  return paths;
}

interface TimeChange {
  readonly after: number;
  readonly until: number;
  readonly to: number;
}

/** Seconds. Names are bytes: a step may write any. */
function setTimes(directory: Buffer, change: TimeChange): void {
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), entry.name]);
    if (entry.isDirectory()) setTimes(path, change);
    const seconds = lstatSync(path).mtimeMs / 1000;
    if (seconds > change.after && seconds <= change.until) lutimesSync(path, change.to, change.to);
  }
}

const systemDirectories: readonly string[] = ["dev", "proc", "sys"];

/**
 * Docker's images keep the mount points of /dev, /proc and /sys, where the base has none, and no others: where a mount of the step's
 * own lies in one of them, that one goes with the mount's.
 */
function makeSystemDirectories(view: MergedView, upper: string, targets: readonly string[]): void {
  for (const name of systemDirectories) {
    if (view.lookup(name) !== undefined || targets.some((path) => path === name || path.startsWith(`${name}/`))) continue;
    mkdirSync(join(upper, name), { mode: 0o755 });
    utimesSync(join(upper, name), 0, 0);
  }
}

/** Moves the upper directory into the store as a layer. */
async function keepUpper(store: Store, upper: string, signal: AbortSignal | undefined): Promise<StepRun> {
  let sizeBytes = 0;
  const onEntry = (entry: { readonly size: number }): void => {
    sizeBytes += entry.size;
  };
  const { diffId } = await hashInTurns({ directory: upper, overlay: true, wholeSeconds: true, owners: store.ownership.owners, onEntry }, signal);
  store.layers.adoptDirectory(diffId, upper, sizeBytes);
  return { layers: [diffId], sizeBytes };
}

interface StepSurroundings {
  readonly mounts: readonly SpecMount[];
  /** besides the step's own */
  readonly env: readonly string[];
  readonly network: SpecNetwork;
  readonly keeper: StepKeeper;
}

async function runCommand(
  step: ExecStep,
  environment: ExecEnvironment,
  paths: StepPaths & { readonly cwd: string },
  { mounts, env: extraEnv, network, keeper }: StepSurroundings,
): Promise<void> {
  const { op, signal } = step;
  const command = op.args.join(" ");
  const user = notStarted(command, op, () => resolveStepUser(paths.rootfs, op.user));
  notStarted(command, op, () => makeWorkingDirectory(paths.rootfs, paths.cwd, user));
  const proxies = new Set(op.proxyEnv.map(nameOfVariable));
  const env = [...op.env.filter((entry) => !proxies.has(nameOfVariable(entry))), ...op.proxyEnv, ...extraEnv];
  if (!env.some((entry) => entry.startsWith("HOME="))) env.push(`HOME=${user.home}`);
  const result = await runStep({
    id: `slipway-${randomBytes(8).toString("hex")}`,
    bundleDirectory: paths.bundle,
    stateDirectory: paths.state,
    args: op.args,
    env,
    cwd: op.cwd,
    user,
    rootfs: paths.rootfs,
    hostname: op.hostname,
    network,
    mounts,
    ulimits: op.ulimits.map(parseUlimit),
    onDeath: keeper.onDeath,
    ...(op.security === "insecure" ? { privileged: true } : {}),
    ...(signal === undefined ? {} : { signal }),
    onOutput: (stream, data) => environment.onOutput(stream, data),
  });
  signal?.throwIfAborted();
  if (result.exitCode === 0) return;
  throw new SlipwayError("failed_precondition", "PROCESS_FAILED", `process ${goQuote(command)} did not complete successfully: exit code: ${result.exitCode}`, {
    exitCode: result.exitCode,
    command: op.args,
  });
}

function notStarted<T>(command: string, op: ExecOp, prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    throw new SlipwayError(
      "failed_precondition",
      "PROCESS_FAILED",
      `process ${goQuote(command)} did not complete successfully: ${error.message}`,
      { ...error.details, command: op.args },
      error,
    );
  }
}
