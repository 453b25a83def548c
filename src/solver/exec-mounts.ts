/** A step's mounts made real: layers as overlays, cache directories, memory, and what the caller gives. Undone by dispose. */
import { goQuote } from "../base/go-text.ts";
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { digestOf, hexOf } from "../oci/digest.ts";
import type { ExecMount, ExecOp } from "../graph/op.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { SpecMount } from "../runtime/spec-options.ts";
import { mountOverlay, mountTmpfs, unmount } from "../store/overlay.ts";
import { chainId, type Chain, type OpenCacheMount, type Store } from "../store/index.ts";
import { GivenMounts, type StepSecrets } from "./given-mounts.ts";
import type { StepKeeper } from "./keep-step.ts";
import { lockKey, type KeyLock } from "./key-lock.ts";
import { resolveInTree } from "./resolve-path.ts";
import type { Result } from "./results.ts";
import type { RecordedMount } from "./step-record.ts";

/** The step that the mounts are for. */
export interface MountingStep {
  readonly vertex: Vertex;
  readonly op: ExecOp;
  readonly inputs: readonly Result[];
  readonly signal: AbortSignal | undefined;
  /** of the whole build */
  readonly freshCaches: Set<string>;
  /** fills a cache mount's empty directory with what a cache of elsewhere has of it */
  readonly restoreCache?: ((id: string, directory: string, signal: AbortSignal | undefined) => Promise<void>) | undefined;
}

/** Where a step's mounts are made. */
export interface StepPlaces {
  readonly directory: string;
  readonly keeper: StepKeeper;
}

interface OpenedCache extends Pick<OpenCacheMount, "path" | "created"> {
  /** what the store calls it */
  readonly id: string;
}

/** Docker makes cache directories under this umask: `mode=0770` gives 0750. */
const builderUmask = 0o022;

/** What a step gets besides its root file system. */
export class StepMounts implements Disposable {
  readonly mounts: SpecMount[] = [];
  /** what is noted of them */
  readonly records: RecordedMount[] = [];
  readonly #store: Store;
  readonly #directory: string;
  readonly #keeper: StepKeeper;
  readonly #step: MountingStep;
  readonly #mounted: string[] = [];
  /** given back when the step is over */
  readonly #opened: Disposable[] = [];
  readonly #given: GivenMounts;

  /** `directory` is the step's own, below the lease; what the keeper gives may stay after the step. */
  constructor(store: Store, { directory, keeper }: StepPlaces, step: MountingStep) {
    this.#store = store;
    this.#directory = directory;
    this.#keeper = keeper;
    this.#step = step;
    this.#given = new GivenMounts(directory);
  }

  /** Variables that hold secrets. */
  get env(): readonly string[] {
    return this.#given.env;
  }

  async add(mount: ExecMount, secrets: StepSecrets): Promise<void> {
    const { signal } = this.#step;
    switch (mount.type) {
      case "tmpfs":
        return this.#tmpfs(mount);
      case "bind": {
        const saved = mount.readonly ? undefined : `mount-${this.records.length}`;
        const source = await this.#overlay(mount.input, mount.source, saved);
        this.#bind(source, mount.target, mount.readonly);
        const files = { chain: chainOf(this.#step.inputs, mount.input), ...(saved === undefined ? {} : { saved }) };
        this.records.push({ type: "bind", target: mount.target, files, source: mount.source, readonly: mount.readonly });
        return;
      }
      case "cache":
        return this.#cache(mount, signal);
      case "secret":
      case "ssh":
        this.records.push(mount);
        this.mounts.push(...(await this.#given.add(mount, secrets)));
        return;
    }
  }

  /** Mounted here and not by the OCI runtime, so that what is in it can still be saved when the step is over. Programs in it run, as in BuildKit. */
  #tmpfs(mount: Extract<ExecMount, { type: "tmpfs" }>): void {
    // a tmpfs is there already, with the devices that a bind would hide
    if (mount.target === "/dev") return;
    const readonly = mount.readonly === true;
    const size = mount.sizeBytes === undefined ? {} : { sizeBytes: mount.sizeBytes };
    const saved = `mount-${this.records.length}`;
    const source = join(this.#directory, `tmpfs-${this.records.length}`);
    mkdirSync(source, { mode: 0o755 });
    mountTmpfs({ target: source, mode: 0o1777, devices: true, ...size });
    this.#mounted.push(source);
    this.#keeper.saveMemory(source, saved);
    this.mounts.push({ kind: "bind", source, destination: mount.target, readOnly: readonly, sourceKind: "directory", options: ["nosuid"] });
    this.records.push({ type: "tmpfs", target: mount.target, files: { chain: [], saved }, source: "/", readonly, ...size });
  }

  #bind(source: string, destination: string, readOnly: boolean): void {
    this.mounts.push({ kind: "bind", source, destination, readOnly, sourceKind: lstatSync(source).isDirectory() ? "directory" : "file" });
  }

  /** Mounts an input and answers the path of `source` in it. `saved`: writes are allowed, and go to this directory of the step. */
  async #overlay(input: number, source: string, saved?: string): Promise<string> {
    const { inputs, signal } = this.#step;
    const chain = chainOf(inputs, input);
    const directories = await this.#store.materializer.directories(chain, signal);
    const name = `mount-${this.#mounted.length}`;
    const make = (part: string): string => {
      const path = join(this.#directory, `${name}-${part}`);
      mkdirSync(path, { mode: 0o755 });
      return path;
    };
    const target = make("merged");
    // A second, empty lower: the kernel wants two where there is no upper.
    const lowers = [...directories.toReversed(), make("empty")];
    mountOverlay({
      lowers,
      target,
      ...(saved !== undefined
        ? { upper: this.#keeper.directory(saved), work: make("work") }
        : lowers.length === 1
          ? { upper: make("upper"), work: make("work"), readonly: true }
          : {}),
    });
    this.#mounted.push(target);
    const view = await this.#store.materializer.readableView(chain, signal);
    const resolved = resolveInTree(view, source);
    if (view.lookup(resolved) === undefined) throw this.#sourceNotFound(input, source);
    return resolved === "" ? target : join(target, resolved);
  }

  /** Docker looks into what steps made when it looks for the cache's key, and into an image when the command is to start. */
  #sourceNotFound(input: number, source: string): SlipwayError {
    const { vertex, op } = this.#step;
    const message =
      vertex.inputs[input]?.op.type === "image"
        ? `process ${goQuote(op.args.join(" "))} did not complete successfully: open ${source}: no such file or directory`
        : `failed to compute cache key: failed to calculate checksum of ref context: ${goQuote(source)}: not found`;
    return new SlipwayError("not_found", "SOURCE_NOT_FOUND", message, { source });
  }

  async #cache(mount: Extract<ExecMount, { type: "cache" }>, signal: AbortSignal | undefined): Promise<void> {
    const from = mount.input === undefined ? undefined : chainOf(this.#step.inputs, mount.input);
    const base = cacheMountKey(mount.id, from, mount.source);
    const directory = await this.#cacheDirectory(mount, base, signal);
    const source = (await this.#isOfFile(mount)) ? "/file" : "/";
    if (directory.created) await this.#fillCache(mount, directory.path, source);
    const { restoreCache, vertex } = this.#step;
    if (restoreCache !== undefined && from === undefined && !vertex.metadata.ignoreCache && readdirSync(directory.path).length === 0)
      await restoreCache(mount.id, directory.path, signal);
    this.#bind(join(directory.path, source), mount.target, mount.readonly);
    this.records.push({ type: "cache", target: mount.target, files: { chain: [], cache: directory.id }, source, readonly: mount.readonly });
  }

  /** locked: one step at a time · private: a second user gets a directory of its own · shared: everybody the same. */
  async #cacheDirectory(mount: Extract<ExecMount, { type: "cache" }>, base: string, signal: AbortSignal | undefined): Promise<OpenedCache> {
    const open = (id: string): OpenedCache => {
      if (this.#step.vertex.metadata.ignoreCache) this.#beginAnew(id);
      const opened = this.#store.cacheMounts.open(id, `cache mount ${mount.target} (id ${mount.id})`);
      this.#opened.push(opened);
      return { id, path: opened.path, created: opened.created };
    };
    if (mount.sharing === "shared") return open(base);
    if (mount.sharing === "locked") {
      this.#opened.push(await lockKey(this.#store.layout.locks, base, signal));
      return open(base);
    }
    for (let number = 0; ; number++) {
      const id = number === 0 ? base : hexOf(digestOf(`${base} ${number}`));
      const lock = await lockNow(this.#store.layout.locks, id);
      if (lock === undefined) continue;
      this.#opened.push(lock);
      return open(id);
    }
  }

  /** --no-cache is for cache mounts, too: the build's first step without cache drops what former builds left in one. */
  #beginAnew(id: string): void {
    const { freshCaches } = this.#step;
    if (freshCaches.has(id)) return;
    freshCaches.add(id);
    this.#store.cacheMounts.remove(id, join(this.#directory, `former-cache-${this.mounts.length}`));
  }

  /** Whether `from=` and `source=` name a file: then it is kept in the mount's directory under a name of its own. */
  async #isOfFile({ input, source }: Extract<ExecMount, { type: "cache" }>): Promise<boolean> {
    if (input === undefined) return false;
    const view = await this.#store.materializer.readableView(chainOf(this.#step.inputs, input), this.#step.signal);
    const node = view.lookup(resolveInTree(view, source));
    return node !== undefined && node.type !== "directory";
  }

  /** With `from=` the directory has its source's owner and mode, whatever the mount says. */
  async #fillCache(mount: Extract<ExecMount, { type: "cache" }>, path: string, inside: "/" | "/file"): Promise<void> {
    if (mount.input !== undefined) {
      const source = await this.#overlay(mount.input, mount.source);
      const words = inside === "/" ? [`${source}/.`, path] : [source, join(path, inside)];
      const copied = spawnSync("cp", ["-a", ...words], { stdio: ["ignore", "ignore", "pipe"] });
      if (copied.status !== 0) throw new SlipwayError("internal", "CACHE_MOUNT", `filling cache mount ${mount.target}: ${String(copied.stderr).trim()}`);
      return;
    }
    chmodSync(path, (mount.mode ?? 0o755) & ~builderUmask);
    if ((mount.uid ?? 0) !== 0 || (mount.gid ?? 0) !== 0) chownSync(path, mount.uid ?? 0, mount.gid ?? 0);
  }

  [Symbol.dispose](): void {
    this.#given[Symbol.dispose]();
    for (const target of this.#mounted.toReversed()) unmount(target);
    for (const opened of this.#opened.toReversed()) opened[Symbol.dispose]();
  }
}

/** Of a mount that is used by one step at a time: what the store calls it. */
export function cacheMountKey(id: string, from: Chain | undefined, source: string): string {
  return hexOf(digestOf(JSON.stringify([id, from === undefined ? "" : chainId(from), source])));
}

async function lockNow(locks: string, id: string): Promise<KeyLock | undefined> {
  try {
    return await lockKey(locks, id, AbortSignal.timeout(1));
  } catch {
    return undefined;
  }
}

function chainOf(inputs: readonly Result[], index: number): Chain {
  const input = inputs[index];
  if (input?.kind !== "layers") throw new SlipwayError("internal", "INTERNAL", `mount from input ${index} that is no file system`);
  return input.chain;
}
