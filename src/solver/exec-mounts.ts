/** A step's mounts made real: layers as overlays, cache directories, secrets in memory, agents' sockets. Undone by dispose. */
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { digestOf, hexOf } from "../oci/digest.ts";
import type { ExecMount, ExecOp } from "../graph/op.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { SpecMount } from "../runtime/spec-options.ts";
import { mountOverlay, mountTmpfs, unmount } from "../store/overlay.ts";
import { chainId, type Chain, type Store } from "../store/index.ts";
import { relayAgent } from "./agent-relay.ts";
import { lockKey, type KeyLock } from "./key-lock.ts";
import { resolveInTree } from "./resolve-path.ts";
import type { Result } from "./results.ts";

export interface StepSecrets {
  /** undefined: there is no such secret */
  readonly secret: (id: string) => Promise<Uint8Array | undefined>;
  /** path of an agent's socket; undefined: nothing was forwarded under the id */
  readonly ssh: (id: string) => Promise<string | undefined>;
}

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

/** Docker makes cache directories under this umask: `mode=0770` gives 0750. */
const builderUmask = 0o022;

/** What a step gets besides its root file system. */
export class StepMounts implements Disposable {
  readonly mounts: SpecMount[] = [];
  readonly env: string[] = [];
  readonly #store: Store;
  readonly #directory: string;
  readonly #step: MountingStep;
  readonly #mounted: string[] = [];
  readonly #locks: KeyLock[] = [];
  readonly #relays: Disposable[] = [];
  #secretsDirectory: string | undefined;

  /** `directory` is the step's own, below the lease. */
  constructor(store: Store, directory: string, step: MountingStep) {
    this.#store = store;
    this.#directory = directory;
    this.#step = step;
  }

  async add(mount: ExecMount, secrets: StepSecrets): Promise<void> {
    const { signal } = this.#step;
    switch (mount.type) {
      case "tmpfs":
        this.mounts.push({
          kind: "tmpfs",
          destination: mount.target,
          ...(mount.sizeBytes === undefined ? {} : { sizeBytes: mount.sizeBytes }),
          ...(mount.readonly === true ? { readOnly: true } : {}),
        });
        return;
      case "bind": {
        const source = await this.#overlay(mount.input, mount.source, !mount.readonly);
        this.#bind(source, mount.target, mount.readonly);
        return;
      }
      case "cache":
        return this.#cache(mount, signal);
      case "secret":
        return this.#secret(mount, secrets);
      case "ssh":
        return this.#ssh(mount, secrets);
    }
  }

  #bind(source: string, destination: string, readOnly: boolean): void {
    this.mounts.push({ kind: "bind", source, destination, readOnly, sourceKind: lstatSync(source).isDirectory() ? "directory" : "file" });
  }

  /** Mounts an input and answers the path of `source` in it. Writes, where allowed, go to a directory that is thrown away. */
  async #overlay(input: number, source: string, writable: boolean): Promise<string> {
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
      ...(writable ? { upper: make("upper"), work: make("work") } : lowers.length === 1 ? { upper: make("upper"), work: make("work"), readonly: true } : {}),
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
        ? `process ${JSON.stringify(op.args.join(" "))} did not complete successfully: open ${source}: no such file or directory`
        : `failed to compute cache key: failed to calculate checksum of ref context: ${JSON.stringify(source)}: not found`;
    return new SlipwayError("not_found", "SOURCE_NOT_FOUND", message, { source });
  }

  async #cache(mount: Extract<ExecMount, { type: "cache" }>, signal: AbortSignal | undefined): Promise<void> {
    const from = mount.input === undefined ? undefined : chainOf(this.#step.inputs, mount.input);
    const base = cacheMountKey(mount.id, from, mount.source);
    const directory = await this.#cacheDirectory(mount, base, signal);
    if (directory.created) await this.#fillCache(mount, directory.path);
    const { restoreCache, vertex } = this.#step;
    if (restoreCache !== undefined && from === undefined && !vertex.metadata.ignoreCache && readdirSync(directory.path).length === 0)
      await restoreCache(mount.id, directory.path, signal);
    this.#bind(directory.path, mount.target, mount.readonly);
  }

  /** locked: one step at a time · private: a second user gets a directory of its own · shared: everybody the same. */
  async #cacheDirectory(
    mount: Extract<ExecMount, { type: "cache" }>,
    base: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly path: string; readonly created: boolean }> {
    const open = (id: string): { readonly path: string; readonly created: boolean } => {
      if (this.#step.vertex.metadata.ignoreCache) this.#beginAnew(id);
      return this.#store.cacheMounts.open(id, `cache mount ${mount.target} (id ${mount.id})`);
    };
    if (mount.sharing === "shared") return open(base);
    if (mount.sharing === "locked") {
      this.#locks.push(await lockKey(this.#store.layout.locks, base, signal));
      return open(base);
    }
    for (let number = 0; ; number++) {
      const id = number === 0 ? base : hexOf(digestOf(`${base} ${number}`));
      const lock = await lockNow(this.#store.layout.locks, id);
      if (lock === undefined) continue;
      this.#locks.push(lock);
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

  /** With `from=` the directory has its source's owner and mode, whatever the mount says. */
  async #fillCache(mount: Extract<ExecMount, { type: "cache" }>, path: string): Promise<void> {
    if (mount.input !== undefined) {
      const source = await this.#overlay(mount.input, mount.source, false);
      const copied = spawnSync("cp", ["-a", `${source}/.`, path], { stdio: ["ignore", "ignore", "pipe"] });
      if (copied.status !== 0) throw new SlipwayError("internal", "CACHE_MOUNT", `filling cache mount ${mount.target}: ${String(copied.stderr).trim()}`);
      return;
    }
    chmodSync(path, (mount.mode ?? 0o755) & ~builderUmask);
    if ((mount.uid ?? 0) !== 0 || (mount.gid ?? 0) !== 0) chownSync(path, mount.uid ?? 0, mount.gid ?? 0);
  }

  async #secret(mount: Extract<ExecMount, { type: "secret" }>, secrets: StepSecrets): Promise<void> {
    const value = await secrets.secret(mount.id);
    if (value === undefined) {
      if (mount.required)
        throw new SlipwayError("not_found", "SECRET_NOT_FOUND", `secret ${mount.id}: not found`, {
          id: mount.id,
          remedy: `pass it with --secret id=${mount.id},src=FILE`,
        });
      return;
    }
    if (mount.env !== undefined) this.env.push(`${mount.env}=${Buffer.from(value).toString()}`);
    if (mount.target === undefined) return;
    const file = join(this.#inMemory(), `secret-${this.mounts.length}`);
    writeFileSync(file, value, { mode: 0o600 });
    chownSync(file, mount.uid, mount.gid);
    chmodSync(file, mount.mode);
    this.mounts.push({ kind: "bind", source: file, destination: mount.target, readOnly: true, sourceKind: "file", options: ["nosuid", "nodev", "noexec"] });
  }

  /** Secrets never touch the disk: they lie on a tmpfs that only this process and its children see. */
  #inMemory(): string {
    if (this.#secretsDirectory === undefined) {
      this.#secretsDirectory = join(this.#directory, "secrets");
      mkdirSync(this.#secretsDirectory, { mode: 0o711 });
      mountTmpfs({ target: this.#secretsDirectory, mode: 0o711 });
      this.#mounted.push(this.#secretsDirectory);
    }
    return this.#secretsDirectory;
  }

  async #ssh(mount: Extract<ExecMount, { type: "ssh" }>, secrets: StepSecrets): Promise<void> {
    const socket = await secrets.ssh(mount.id);
    if (socket === undefined) {
      if (mount.required)
        throw new SlipwayError("not_found", "SSH_NOT_FORWARDED", `unset ssh forward key ${mount.id}`, {
          id: mount.id,
          remedy: `pass it with --ssh ${mount.id}`,
        });
      return;
    }
    const source = join(this.#directory, `agent-${this.mounts.length}`);
    this.#relays.push(await relayAgent(socket, source, mount));
    this.mounts.push({ kind: "bind", source, destination: mount.target, readOnly: false, sourceKind: "file" });
  }

  [Symbol.dispose](): void {
    for (const target of this.#mounted.toReversed()) unmount(target);
    for (const relay of this.#relays) relay[Symbol.dispose]();
    for (const lock of this.#locks) lock[Symbol.dispose]();
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
