/**
 * Runs one build step to its end in the foreground. Nothing of it outlives this process, however that ends.
 * Cost over the command itself, measured: 10 ms with crun and a compiled filter, 55 ms with runc.
 */
import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { requireRunnable } from "./emulation.ts";
import { killFamilyCommand, killNamedFamiliesCommand, noteDeath, shellCommand, type DeathNote, type HeldLock } from "./death-watch.ts";
import { prepareRuntime, runtimeCall, specMachine, type OciRuntime, type RuntimeCall } from "./oci-runtime.ts";
import { openSeccompCache, type SeccompCache } from "./seccomp-cache.ts";
import { createSpec } from "./spec.ts";
import type { SpecOptions } from "./spec-options.ts";
import { StartFailureFilter } from "./start-failure-filter.ts";
import { createInputPipe, createOutputPipe, type InputPipe, type OutputPipe } from "./step-pipes.ts";

export interface StepOptions extends Omit<SpecOptions, "terminal"> {
  /** unique on this machine while the step runs: letters, digits, - _ . + */
  readonly id: string;
  /** empty directory of this step alone; config.json is written there */
  readonly bundleDirectory: string;
  /** where crun/runc keep their state, shared by all steps of a store */
  readonly stateDirectory: string;
  /** The step gets this process's own terminal as stdin, stdout and stderr; onOutput and stdin are not used. */
  readonly terminal?: boolean;
  /** nothing: an empty stdin */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Awaited before more is read, so a slow reader slows the step instead of filling memory. */
  readonly onOutput: (stream: 1 | 2, data: Uint8Array) => void | Promise<void>;
  readonly signal?: AbortSignal;
  /** what else happens when this process dies before the step: a shell command, run when nothing of the step lives any more */
  readonly onDeath?: { readonly command: string; readonly held: HeldLock };
  /** between SIGTERM and SIGKILL after an abort; default 0: SIGKILL at once, as BuildKit does */
  readonly killTimeoutMs?: number;
}

export interface StepResult {
  /** 128 + n after signal n; 1, the runtime's own, when the command could not be executed (the reason was given to onOutput, stream 2) */
  readonly exitCode: number;
  /** name of the signal that the exit code stands for */
  readonly signal?: string;
}

/**
 * Fails with CANCELED after an abort (everything of the step is dead then), RUNTIME_MISSING, EMULATION_MISSING, or what the options are refused with.
 * The root file system must be mounted where this thread sees it.
 */
export async function runStep(options: StepOptions): Promise<StepResult> {
  if (options.signal?.aborted === true) throw canceled(options.signal);
  await requireRunnable({ ...options, scratch: options.bundleDirectory });
  const step = prepareStep(options);
  const end = options.onDeath === undefined ? deleteCommand(step) : `${deleteCommand(step)}; ${options.onDeath.command}`;
  // the runtime is not killed with our group, and its id is not known before it runs
  const note = noteDeath(`${killNamedFamiliesCommand(step.id)}; ${end}`, options.onDeath?.held);
  try {
    return await runPrepared(step, options, { ...note, update: (command) => note.update(`${command}; ${end}`) });
  } finally {
    note.drop();
  }
}

interface PreparedStep {
  readonly id: string;
  readonly runtime: OciRuntime;
  readonly root: string;
  readonly log: string;
  readonly cgroups: boolean;
  readonly cache: SeccompCache;
}

function prepareStep(options: StepOptions): PreparedStep {
  const runtime = prepareRuntime();
  const root = join(options.stateDirectory, runtime.name);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  // runc insists on a cgroup; version 2 guards devices only in a cgroup of the step's own
  const cgroups = !runtime.rootless && runtime.canLimit && (runtime.name === "runc" || runtime.deviceCgroup === undefined);
  const cgroupsPath = options.cgroupsPath ?? (cgroups ? `/slipway/${options.id}` : undefined);
  const spec = createSpec({ ...options, ...(cgroupsPath === undefined ? {} : { cgroupsPath }) }, specMachine(runtime, "step"));
  const cache = openSeccompCache(runtime, { cache: join(options.stateDirectory, "seccomp"), root }, spec.linux.seccomp);
  writeFileSync(join(options.bundleDirectory, "config.json"), JSON.stringify(cache.apply(spec)), { mode: 0o600 });
  return { id: options.id, runtime, root, log: join(options.bundleDirectory, "runtime.log"), cgroups: cgroupsPath !== undefined, cache };
}

function callOf(step: PreparedStep, args: readonly string[], log?: string): RuntimeCall {
  return runtimeCall(step.runtime, { root: step.root, cgroups: step.cgroups, ...(log === undefined ? {} : { log }) }, args);
}

function deleteCommand(step: PreparedStep): string {
  const call = callOf(step, ["delete", "--force", step.id]);
  return shellCommand([call.file, ...call.args]);
}

async function runPrepared(step: PreparedStep, options: StepOptions, note: DeathNote): Promise<StepResult> {
  const output =
    options.terminal === true ? undefined : ([createOutputPipe(options.bundleDirectory, "out"), createOutputPipe(options.bundleDirectory, "err")] as const);
  const input = options.stdin === undefined ? undefined : createInputPipe(options.bundleDirectory, "in");
  const child = spawnStep(step, options, output, input);
  const ended = exitOf(child);
  // until the runtime has written its state, deleting would find no container
  if (child.pid !== undefined) note.update(killFamilyCommand(child.pid));
  const stop = watchAbort(step, child, options);
  if (options.stdin !== undefined) void input?.pump(options.stdin);
  void step.cache.harvest(step.id);
  try {
    const filter = new StartFailureFilter(step.log, (data) => options.onOutput(2, data));
    const pumps = output === undefined ? [] : [pump(output[0], (data) => options.onOutput(1, data)), pump(output[1], (data) => filter.write(data))];
    const [exit] = await Promise.all([ended, ...pumps]);
    await filter.finish();
    await stop.settled();
    if (options.signal?.aborted === true) throw canceled(options.signal);
    return await resultOf(filter, options, exit.code ?? 128, step.runtime.name);
  } catch (error) {
    // a reader that fails must not leave the step running
    await killStep(step, child, 0);
    for (const pipe of output ?? []) pipe.destroy();
    throw options.signal?.aborted === true ? canceled(options.signal) : error;
  } finally {
    stop.release();
  }
}

function spawnStep(
  step: PreparedStep,
  options: StepOptions,
  output: readonly [OutputPipe, OutputPipe] | undefined,
  input: InputPipe | undefined,
): ChildProcess {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const call = callOf(step, ["run", "--bundle", options.bundleDirectory, step.id], step.log);
  const join = step.runtime.rootless || step.cgroups ? undefined : step.runtime.deviceCgroup;
  // joining is optional: where it fails the filter has not been told of a guard that is missing, so the step must not start
  const file = join === undefined ? call.file : "/bin/sh";
  const args = join === undefined ? call.args : ["-c", 'echo 0 >"$0" && exec "$@"', join, call.file, ...call.args];
  try {
    return spawn(file, [...args], {
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin" },
      // in a group of its own: who kills the builder's whole group must not kill the runtime before it has told of the container that it
      // started, for nobody could find that then. A terminal's shell needs the terminal's group.
      detached: output !== undefined,
      stdio: output === undefined ? "inherit" : [input?.readFd ?? "ignore", output[0].writeFd, output[1].writeFd],
    });
  } finally {
    for (const fd of [input?.readFd, output?.[0].writeFd, output?.[1].writeFd]) if (fd !== undefined) closeSync(fd);
  }
}

function exitOf(child: ChildProcess): Promise<{ readonly code: number | null }> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new SlipwayError("internal", "RUNTIME_FAILED", `cannot start ${child.spawnfile}: ${error.message}`, {}, error)));
    child.once("exit", (code) => resolve({ code }));
  });
}

async function pump(pipe: OutputPipe, sink: (data: Uint8Array) => void | Promise<void>): Promise<void> {
  for await (const chunk of pipe.chunks) await sink(chunk);
}

async function resultOf(filter: StartFailureFilter, options: StepOptions, code: number, runtimeName: string): Promise<StepResult> {
  const failure = filter.failureOf(code, options.args);
  if (failure === undefined) return { exitCode: code, ...signalOf(code) };
  const unborn = failure.message.startsWith("unable to start");
  await options.onOutput(2, Buffer.from(`${unborn ? `${runtimeName} run failed: ${initFailure(failure.message)}` : failure.message}\n`));
  return { exitCode: unborn ? 1 : failure.exitCode };
}

/** In runc's words, as a build shows them. */
function initFailure(message: string): string {
  return message
    .replace("container process: exec: ", "container process: error during container init: exec: ")
    .replace(/: is a directory: permission denied$/, ": is a directory");
}

function watchAbort(step: PreparedStep, child: ChildProcess, options: StepOptions): { settled(): Promise<void>; release(): void } {
  let killing: Promise<void> | undefined;
  const onAbort = (): void => {
    killing = killStep(step, child, options.killTimeoutMs ?? 0);
  };
  options.signal?.addEventListener("abort", onAbort, { once: true });
  return { settled: () => killing ?? Promise.resolve(), release: () => options.signal?.removeEventListener("abort", onAbort) };
}

/** The runtime's own process dies first: after that either its state exists and `delete` finds the container, or the container dies unborn. */
async function killStep(step: PreparedStep, child: ChildProcess, timeoutMs: number): Promise<void> {
  if (timeoutMs > 0 && child.exitCode === null) {
    await callRuntime(callOf(step, ["kill", step.id, "TERM"]));
    await waitForExit(child, timeoutMs);
  }
  if (child.exitCode === null && child.signalCode === null) killWithChildren(child);
  await callRuntime(callOf(step, ["delete", "--force", step.id]));
}

/** Until the runtime has written its state, `delete` knows of no container: what it has started already dies with it. */
function killWithChildren(child: ChildProcess): void {
  child.kill("SIGSTOP");
  for (const pid of childrenOf(child.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // gone already
    }
  }
  child.kill("SIGKILL");
}

function childrenOf(pid: number | undefined): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter((word) => word !== "")
      .map(Number);
  } catch {
    return [];
  }
}

function callRuntime(call: RuntimeCall): Promise<void> {
  const { execFile } = process.getBuiltinModule("node:child_process");
  return new Promise((resolve) => {
    execFile(call.file, [...call.args], { timeout: 10_000, cwd: "/" }, () => resolve());
  });
}

function waitForExit(child: ChildProcess, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function signalOf(code: number): { signal?: string } {
  const { signals } = process.getBuiltinModule("node:os").constants;
  const name = code > 128 ? Object.entries(signals).find(([, number]) => number === code - 128)?.[0] : undefined;
  return name === undefined ? {} : { signal: name };
}

function canceled(signal: AbortSignal): SlipwayError {
  return new SlipwayError("canceled", "CANCELED", "canceled", {}, signal.reason);
}
