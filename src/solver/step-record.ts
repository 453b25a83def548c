/** What is noted of a step of a build, so that its state can be opened again when it did not end well. Secrets' values are no part of it. */
import type { ExecOp } from "../graph/op.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Digest } from "../oci/digest.ts";
import type { Chain, KeptStep, KeptSteps, Store } from "../store/index.ts";
import type { GivenMount } from "./given-mounts.ts";

/** Files that lie in the store: layers, the top one last, and above them a directory. */
export interface RecordedFiles {
  readonly chain: Chain;
  /** name of an overlay-ready directory in the step's own */
  readonly saved?: string;
  /** attributes of the topmost directory, where layers alone do not have them */
  readonly root?: { readonly uid: number; readonly gid: number; readonly mode: number };
  /** id of a cache mount, whose directory is the one thing that is not the step's alone */
  readonly cache?: string;
}

export type RecordedMount =
  | {
      readonly type: "bind" | "cache" | "tmpfs";
      readonly target: string;
      readonly files: RecordedFiles;
      /** path in the files, "/" for all of them */
      readonly source: string;
      readonly readonly: boolean;
      readonly sizeBytes?: number;
    }
  | GivenMount;

/** preparing, running: as long as the process lives; interrupted also where it was killed · stopped: never begun, made to be looked at */
export type StepOutcome = "preparing" | "running" | "failed" | "interrupted" | "stopped";

export interface StepRecord {
  readonly outcome: StepOutcome;
  /** as displayed: "[build 2/5] RUN make" */
  readonly name: string;
  readonly dockerfile: string;
  /** 1-based and inclusive */
  readonly lines?: { readonly start: number; readonly end: number };
  readonly exitCode?: number;
  /** why it failed */
  readonly message?: string;
  /** 0 while it runs, and where it was killed */
  readonly endedMs: number;
  readonly args: readonly string[];
  /** the stage's SHELL */
  readonly shell: readonly string[];
  /** without the proxies that were given to the build, which may hold passwords */
  readonly env: readonly string[];
  readonly proxies: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly network: ExecOp["network"];
  readonly security: ExecOp["security"];
  readonly extraHosts: readonly string[];
  readonly hostname: string;
  readonly shmSizeBytes?: number;
  readonly ulimits: readonly string[];
  readonly platform: ExecOp["platform"];
  readonly root: RecordedFiles;
  readonly mounts: readonly RecordedMount[];
}

export function keptSteps(store: Store): KeptSteps<StepRecord> {
  return store.steps<StepRecord>();
}

export function recordOf(vertex: Vertex, op: ExecOp, chain: Chain, dockerfile: string): StepRecord {
  const { cwd, user, network, security, extraHosts, hostname, shmSizeBytes, ulimits, platform } = op;
  const { name, lines, shell = ["/bin/sh", "-c"] } = vertex.metadata;
  const proxies = op.proxyEnv.map(nameOfVariable);
  return {
    outcome: "preparing",
    name,
    dockerfile,
    ...(lines === undefined ? {} : { lines }),
    endedMs: 0,
    args: op.args,
    shell,
    env: op.env.filter((entry) => !proxies.includes(nameOfVariable(entry))),
    proxies,
    cwd,
    user,
    network,
    security,
    extraHosts,
    hostname,
    ulimits,
    platform,
    ...(shmSizeBytes === undefined ? {} : { shmSizeBytes }),
    root: { chain, saved: "upper" },
    mounts: [],
  };
}

export function nameOfVariable(variable: string): string {
  return variable.slice(0, variable.indexOf("="));
}

/** The file systems that the step's state is made of. */
export function chainsOfRecord({ root, mounts }: StepRecord): readonly Chain[] {
  return [root.chain, ...mounts.flatMap((mount) => ("files" in mount ? [mount.files.chain] : []))];
}

/** Every layer of them, each once. */
export function layersOfRecord(record: StepRecord): readonly Digest[] {
  return [...new Set(chainsOfRecord(record).flat())];
}

/** A step that its process left behind in the middle was interrupted. */
export function outcomeOf({ life, record }: Pick<KeptStep<StepRecord>, "life" | "record">): StepOutcome {
  return life !== "running" && record.outcome === "running" ? "interrupted" : record.outcome;
}
