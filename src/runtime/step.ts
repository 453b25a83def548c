/** Runs one build step to its end in the foreground. */
import { SlipwayError } from "../base/errors.ts";
import type { SpecOptions } from "./spec-options.ts";

export interface StepOptions extends Omit<SpecOptions, "terminal"> {
  /** unique on this machine while the step runs: letters, digits, - _ . + */
  readonly id: string;
  /** empty directory of this step alone; config.json is written there */
  readonly bundleDirectory: string;
  /** where crun/runc keep their state, shared by all steps of a store */
  readonly stateDirectory: string;
  readonly terminal?: { readonly rows: number; readonly columns: number };
  /** nothing: an empty stdin */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Awaited before more is read, so a slow reader slows the step instead of filling memory. */
  readonly onOutput: (stream: 1 | 2, data: Uint8Array) => void | Promise<void>;
  readonly signal?: AbortSignal;
  /** between SIGTERM and SIGKILL after an abort; default 0: SIGKILL at once, as BuildKit does */
  readonly killTimeoutMs?: number;
}

export interface StepResult {
  /** 128 + n after signal n; 126/127 when the command could not be executed (the reason was given to onOutput, stream 2) */
  readonly exitCode: number;
  readonly signal?: string;
}

/** A path of the root file system that the OCI runtime would have to create before it can mount there. */
export interface MountTarget {
  readonly path: string;
  readonly kind: "directory" | "file";
}

export async function runStep(options: StepOptions): Promise<StepResult> {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", options.id);
}

/** In the order of creation, parents first are not listed. Pure. */
export function stepMountTargets(options: Pick<SpecOptions, "mounts">): readonly MountTarget[] {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", String(options.mounts));
}
