/** The mounts of a RUN as BuildKit's definition has them, and how the inputs behind them count. Pure. */
import { digestOf } from "../../oci/digest.ts";
import type { ExecMount, ExecOp } from "../../graph/op.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { nonZero, withoutNested, type CacheMap, type CacheMapInput, type ContentSelector } from "./definition.ts";
import { mkdirMap } from "./file-cache-map.ts";

export interface ExecMountKeys {
  readonly definition: readonly object[];
  readonly inputs: readonly CacheMapInput[];
}

const mountTypes = { bind: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const;
const sharings = { shared: 0, private: 1, locked: 2 } as const;
const noInput = -1;
const noOutput = -1;

/** An input of BuildKit's graph and what the mounts take of it. */
interface Dependency {
  readonly source: CacheMapInput["source"];
  readonly selectors: string[];
  content: boolean;
}

class Dependencies {
  readonly list: Dependency[] = [];

  index(source: CacheMapInput["source"]): number {
    const known = this.list.findIndex(({ source: other }) => other.kind === "input" && source.kind === "input" && other.index === source.index);
    return known >= 0 ? known : this.list.push({ source, selectors: [], content: false }) - 1;
  }

  add(source: CacheMapInput["source"], path: string, content: boolean): number {
    const index = this.index(source);
    const dependency = this.list[index];
    dependency?.selectors.push(path);
    if (dependency !== undefined) dependency.content = content;
    return index;
  }
}

export function execMounts(op: ExecOp, vertices: readonly Vertex[]): ExecMountKeys {
  const dependencies = new Dependencies();
  const root = op.scratchBase ? noInput : dependencies.add({ kind: "input", index: 0 }, "/", false);
  const mounts = [nonZero({ input: root, dest: "/" })];
  for (const mount of sharedMemory(op)) if (mount.type !== "secret" && mount.type !== "ssh") mounts.push(fileMount(mount, dependencies, vertices));
  for (const mount of op.mounts) if (mount.type === "secret" && mount.target !== undefined) mounts.push(secretMount(mount, mount.target));
  for (const mount of op.mounts) if (mount.type === "ssh") mounts.push(sshMount(mount));
  return { definition: mounts.length === 1 ? [] : mounts, inputs: dependencies.list.map(inputOf) };
}

export function execSecretEnv(op: ExecOp): readonly object[] {
  return op.mounts.flatMap((mount) =>
    mount.type === "secret" && mount.env !== undefined ? [nonZero({ ID: mount.id, name: mount.env, optional: !mount.required })] : [],
  );
}

/** `--shm-size` is a mount like others. */
function sharedMemory({ mounts, shmSizeBytes }: ExecOp): readonly ExecMount[] {
  if (shmSizeBytes === undefined || shmSizeBytes === 0) return mounts;
  const memory: ExecMount = { type: "tmpfs", target: "/dev/shm", sizeBytes: shmSizeBytes };
  return [...mounts, memory].toSorted((a, b) => ((a.target ?? "") < (b.target ?? "") ? -1 : 1));
}

function fileMount(
  mount: Extract<ExecMount, { type: "bind" | "cache" | "tmpfs" }>,
  dependencies: Dependencies,
  vertices: readonly Vertex[],
): Readonly<Record<string, unknown>> {
  switch (mount.type) {
    case "tmpfs":
      return nonZero({
        input: noInput,
        dest: mount.target,
        output: noOutput,
        readonly: mount.readonly,
        mountType: mountTypes.tmpfs,
        TmpfsOpt: nonZero({ size: mount.sizeBytes }),
      });
    case "bind": {
      const { contextMount } = vertices[mount.input]?.metadata ?? {};
      const input = dependencies.add({ kind: "input", index: mount.input }, contextMount ?? mount.source, true);
      return nonZero({ input, dest: mount.target, output: noOutput, readonly: mount.readonly });
    }
    case "cache": {
      const { source, path } = cacheSource(mount);
      const input = source === undefined ? noInput : dependencies.add(source, path, true);
      const keeps = mount.id === mount.target && mount.sharing === "shared";
      const cacheOpt = keeps ? nonZero({ ID: `/${mount.id}`, sharing: sharings[mount.sharing] }) : {};
      return nonZero({ input, dest: mount.target, output: noOutput, readonly: mount.readonly, mountType: mountTypes.cache, cacheOpt });
    }
  }
}

/** An empty cache with an owner or a mode of its own begins as a directory that a step made. */
function cacheSource(mount: Extract<ExecMount, { type: "cache" }>): { readonly source: CacheMapInput["source"] | undefined; readonly path: string } {
  const owned = mount.uid !== undefined || mount.gid !== undefined || mount.mode !== undefined;
  if (mount.input !== undefined) return { source: { kind: "input", index: mount.input }, path: mount.source };
  if (!owned) return { source: undefined, path: "/" };
  const map: CacheMap = mkdirMap({ path: "/cache", mode: mount.mode ?? 0o755, uid: mount.uid ?? 0, gid: mount.gid ?? 0 });
  return { source: { kind: "map", map }, path: "/cache" };
}

function secretMount(mount: Extract<ExecMount, { type: "secret" }>, target: string): Readonly<Record<string, unknown>> {
  const secretOpt = nonZero({ ID: mount.id, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: !mount.required });
  return nonZero({ input: noInput, dest: target, mountType: mountTypes.secret, secretOpt });
}

function sshMount(mount: Extract<ExecMount, { type: "ssh" }>): Readonly<Record<string, unknown>> {
  const SSHOpt = nonZero({ ID: mount.id, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: !mount.required });
  return nonZero({ input: noInput, dest: mount.target, mountType: mountTypes.ssh, SSHOpt });
}

function inputOf({ source, selectors, content }: Dependency): CacheMapInput {
  return { source, selector: digestOf(selectors.join("\0")), content: content ? contentOf(selectors) : undefined };
}

function contentOf(paths: readonly string[]): readonly ContentSelector[] {
  if (paths.includes("/")) return [{ path: "/", followLinks: false, wildcard: false, include: [], exclude: [] }];
  return withoutNested(paths).map((path) => ({ path, followLinks: true, wildcard: false, include: [], exclude: [] }));
}
