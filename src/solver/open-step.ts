/**
 * A kept step's state, opened again: its files, mounts, variables, user and directory around another command. Everything that is
 * written goes to directories that are thrown away, so that the state is the same the next time.
 */
import { chmodSync, chownSync, mkdirSync, rmSync, statSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import type { NetworkPool } from "../runtime/network-pool.ts";
import type { SpecMount } from "../runtime/spec-options.ts";
import { runStep, type StepResult } from "../runtime/step.ts";
import { parseUlimit } from "../runtime/ulimit.ts";
import type { ResolvedUser } from "../runtime/user.ts";
import { mountOverlay, unmount } from "../store/overlay.ts";
import type { KeptStep, Store } from "../store/index.ts";
import { DirectoryView } from "../store/index.ts";
import { GivenMounts, type GivenMount, type StepSecrets } from "./given-mounts.ts";
import { enterMountNamespace } from "./mount-namespace.ts";
import { resolveInTree } from "./resolve-path.ts";
import { acquireNetwork, networkFiles, sharedMemory } from "./step-network.ts";
import { keptSteps, type RecordedFiles, type RecordedMount, type StepRecord } from "./step-record.ts";
import { chooseShell, lendBusybox, type StepShell } from "./step-shell.ts";
import { makeWorkingDirectory, resolveStepUser } from "./step-user.ts";

export interface OpenStepOptions {
  /** none: a shell, which reads commands from its standard input */
  readonly command: readonly string[];
  /** a shell of this machine, also where the image has one */
  readonly lendShell?: boolean;
  /** this process's own terminal is the command's */
  readonly terminal: boolean;
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly onOutput: (stream: 1 | 2, data: Uint8Array) => void | Promise<void>;
  /** what is not as it was */
  readonly onNote: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
  readonly secrets: StepSecrets;
  readonly networks: () => NetworkPool;
  /** values of the proxies that the build was given: they are not kept */
  readonly variable: (name: string) => string | undefined;
}

/** Fails as runStep(), with BUSYBOX_MISSING, with LAYER_MISSING. */
export async function openStep(store: Store, step: KeptStep<StepRecord>, options: OpenStepOptions): Promise<StepResult> {
  await enterMountNamespace();
  keptSteps(store).hold(step.id);
  using opened = new OpenedStep(store, step, options);
  return await opened.run();
}

class OpenedStep implements Disposable {
  readonly #store: Store;
  readonly #step: KeptStep<StepRecord>;
  readonly #options: OpenStepOptions;
  readonly #directory: string;
  readonly #mounted: string[] = [];
  readonly #given: GivenMounts;
  #count = 0;

  constructor(store: Store, step: KeptStep<StepRecord>, options: OpenStepOptions) {
    this.#store = store;
    this.#step = step;
    this.#options = options;
    this.#directory = store.layers.workDirectory("debug");
    this.#given = new GivenMounts(this.#directory);
  }

  async run(): Promise<StepResult> {
    const { record } = this.#step;
    const { terminal, stdin, onOutput, signal } = this.#options;
    const rootfs = await this.#overlay(record.root);
    const mounts = await this.#mounts();
    using network = await acquireNetwork(record, this.#options.networks, signal);
    const user = this.#user(rootfs);
    const env = this.#env(user);
    makeWorkingDirectory(rootfs, resolveInTree(new DirectoryView(rootfs), record.cwd), user);
    const shell = this.#shell({ rootfs, env, cwd: record.cwd, mounts });
    return await runStep({
      id: `slipway-${randomBytes(8).toString("hex")}`,
      bundleDirectory: this.#make("bundle"),
      stateDirectory: this.#make("state"),
      args: shell.args,
      env: shell.env,
      cwd: record.cwd,
      user,
      rootfs,
      hostname: record.hostname,
      network: network.spec,
      mounts: [...networkFiles(record, this.#directory, network.spec), ...sharedMemory({ shmSizeBytes: record.shmSizeBytes }), ...mounts, ...shell.mounts],
      ulimits: record.ulimits.map(parseUlimit),
      ...(record.security === "insecure" ? { privileged: true } : {}),
      ...(signal === undefined ? {} : { signal }),
      ...(stdin === undefined ? {} : { stdin }),
      terminal,
      onOutput,
    });
  }

  #make(name: string): string {
    const path = join(this.#directory, name);
    mkdirSync(path, { mode: 0o755 });
    return path;
  }

  /** The files under a directory of their own that takes what is written. */
  async #overlay(files: RecordedFiles): Promise<string> {
    const directories = await this.#store.materializer.directories(files.chain, this.#options.signal);
    const name = `files-${this.#count++}`;
    const saved = files.saved === undefined ? [] : [join(this.#step.directory, files.saved)];
    const cached = files.cache === undefined ? [] : this.#cacheDirectory(files.cache);
    const target = this.#make(name);
    const lowers = [...saved, ...directories.toReversed(), ...cached];
    const upper = this.#make(`${name}-upper`);
    const [top = this.#make(`${name}-empty`), ...others] = lowers;
    setAttributes(upper, files.root ?? statSync(top));
    mountOverlay({
      lowers: [top, ...others],
      upper,
      work: this.#make(`${name}-work`),
      target,
      volatile: true,
    });
    this.#mounted.push(target);
    return target;
  }

  #cacheDirectory(id: string): readonly string[] {
    const cache = this.#store.cacheMounts.all().find((mount) => mount.id === id);
    if (cache === undefined) this.#options.onNote("a cache mount of the step was removed meanwhile: it is empty");
    return cache === undefined ? [] : [cache.path];
  }

  async #mounts(): Promise<readonly SpecMount[]> {
    const mounts: SpecMount[] = [];
    for (const mount of this.#step.record.mounts) {
      if (mount.type === "secret" || mount.type === "ssh") mounts.push(...(await this.#secret(mount)));
      else mounts.push(await this.#files(mount));
    }
    return mounts;
  }

  async #files({ type, target, files, source, readonly }: Exclude<RecordedMount, GivenMount>): Promise<SpecMount> {
    const root = await this.#overlay(files);
    const view = new DirectoryView(root);
    const inside = resolveInTree(view, source);
    return {
      kind: "bind",
      source: join(root, inside),
      destination: target,
      readOnly: readonly,
      sourceKind: inside === "" || view.lookup(inside)?.type === "directory" ? "directory" : "file",
      ...(type === "tmpfs" ? { options: ["nosuid"] } : {}),
    };
  }

  /** What is not given again is not there. */
  async #secret(mount: GivenMount): Promise<readonly SpecMount[]> {
    try {
      return await this.#given.add({ ...mount, required: true }, this.#options.secrets);
    } catch (error) {
      if (!isSlipwayError(error, "SECRET_NOT_FOUND") && !isSlipwayError(error, "SSH_NOT_FORWARDED")) throw error;
      const flag = mount.type === "secret" ? `--secret id=${mount.id},src=FILE` : `--ssh ${mount.id}`;
      this.#options.onNote(`${mount.type === "secret" ? "secret" : "ssh agent"} ${mount.id} is not there: give it with ${flag}`);
      return [];
    }
  }

  #user(rootfs: string): ResolvedUser {
    const { user } = this.#step.record;
    try {
      return resolveStepUser(rootfs, user);
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      this.#options.onNote(`${error.message}: this is root instead`);
      return resolveStepUser(rootfs, "0:0");
    }
  }

  #env(user: ResolvedUser): readonly string[] {
    const { env, proxies } = this.#step.record;
    const all = [
      ...env,
      ...proxies.flatMap((name) => {
        const value = this.#options.variable(name);
        return value === undefined ? [] : [`${name}=${value}`];
      }),
      ...this.#given.env,
    ];
    return all.some((entry) => entry.startsWith("HOME=")) ? all : [...all, `HOME=${user.home}`];
  }

  #shell(place: { readonly rootfs: string; readonly env: readonly string[]; readonly cwd: string; readonly mounts: readonly SpecMount[] }): StepShell {
    const { command, lendShell = false } = this.#options;
    if (command.length === 0) return chooseShell({ ...place, shell: this.#step.record.shell, lend: lendShell, scratch: this.#directory });
    if (!lendShell) return { args: command, env: place.env, mounts: [] };
    return { ...lendBusybox({ env: place.env, scratch: this.#directory }), args: command };
  }

  [Symbol.dispose](): void {
    this.#given[Symbol.dispose]();
    for (const target of this.#mounted.toReversed()) unmount(target);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** An upper's root shows through as the file system's own. */
function setAttributes(directory: string, { uid, gid, mode }: { readonly uid: number; readonly gid: number; readonly mode: number }): void {
  chownSync(directory, uid, gid);
  chmodSync(directory, mode & 0o7777);
}
