/** A step's state while it runs, and what becomes of it: forgotten when the step succeeds, kept when it fails or is interrupted. */
import { spawnSync } from "node:child_process";
import { mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { asSlipwayError, SlipwayError } from "../base/errors.ts";
import { shellCommand, type HeldLock } from "../runtime/death-watch.ts";
import type { KeptStep, Store } from "../store/index.ts";
import { keptSteps, layersOfRecord, type RecordedMount, type StepRecord } from "./step-record.ts";

/** What keeps a step's state after its end. */
export interface KeepingPolicy {
  /** how many stay: the newest */
  readonly count: number;
  /** the build's Dockerfile, as it is shown */
  readonly dockerfile: string;
  /** whether the caller ended the build, and not the failure of another step */
  readonly interrupted: () => boolean;
}

/** A directory in memory, and where its content is to be when the memory is gone. */
interface SavedMemory {
  readonly from: string;
  readonly to: string;
}

export class StepKeeper {
  readonly #store: Store;
  readonly #policy: KeepingPolicy;
  readonly #step: KeptStep<StepRecord>;
  readonly #memory: SavedMemory[] = [];
  #record: StepRecord;
  #kept = false;

  constructor(store: Store, record: StepRecord, policy: KeepingPolicy) {
    this.#store = store;
    this.#policy = policy;
    this.#record = record;
    this.#step = keptSteps(store).begin(record, layersOfRecord(record));
  }

  /** A new directory that stays with the step. */
  directory(name: string): string {
    const path = join(this.#step.directory, name);
    mkdirSync(path, { mode: 0o755 });
    return path;
  }

  /** What is in `from` when the step ends without success is copied to the step's directory `name`, also after the death of this process. */
  saveMemory(from: string, name: string): void {
    this.#memory.push({ from, to: this.directory(name) });
  }

  /** From here on the step's state is worth keeping. */
  began(mounts: readonly RecordedMount[]): void {
    this.#record = { ...this.#record, outcome: "running", mounts };
    keptSteps(this.#store).note(this.#step.id, this.#record, layersOfRecord(this.#record));
  }

  /** For runStep(): what has to be done when this process is killed. */
  get onDeath(): { readonly command: string; readonly held: HeldLock } {
    const lease = this.#store.lease();
    const commands = this.#memory.map((saved) => `${shellCommand(copyWords(saved))} 2>/dev/null`);
    return { command: [...commands, ":"].join("; "), held: { name: lease.id, descriptor: lease.lockDescriptor } };
  }

  /** Nothing is left of it. */
  succeeded(): void {
    keptSteps(this.#store).remove(this.#step.id);
  }

  /** Unless failed() has kept it, nothing is left either. */
  abandon(): void {
    if (!this.#kept) keptSteps(this.#store).remove(this.#step.id);
  }

  /** Answers what is to be thrown: the error, with the id under which the step's state is kept, where it is. To be called while mounts are there. */
  failed(thrown: unknown): unknown {
    const steps = keptSteps(this.#store);
    const error = asSlipwayError(thrown);
    const wasKilled = error.kind === "canceled" && !this.#policy.interrupted();
    if (error.code === "PROCESS_FAILED" && isFull(this.#store)) return withRemedy(error, fullDisk(this.#store));
    if (this.#record.outcome !== "running" || wasKilled || this.#policy.count <= 0 || !hasRoom(this.#store)) {
      return thrown;
    }
    for (const saved of this.#memory) {
      const [program = "", ...args] = copyWords(saved);
      spawnSync(program, args, { stdio: "ignore" });
    }
    const exitCode = error.details["exitCode"];
    steps.keep(this.#step.id, {
      ...this.#record,
      outcome: error.kind === "canceled" ? "interrupted" : "failed",
      endedMs: Date.now(),
      message: error.message,
      ...(typeof exitCode === "number" ? { exitCode } : {}),
    });
    this.#kept = true;
    const { id } = this.#step;
    const { kind, code, message, details } = withRemedy(error, `slipway debug ${id.slice(0, 12)} opens a shell where the step ended`);
    return new SlipwayError(kind, code, message, { ...details, failedStep: id }, error);
  }
}

/** Keeps the newest of the steps that have ended, none where the disk is nearly full, and none that had not begun. Answers whether any went. */
export function trimSteps(store: Store, count: number): boolean {
  const steps = keptSteps(store);
  const unborn = steps.all().filter(({ id, life, record }) => life === "ended" && record.outcome === "preparing" && steps.isFree(id));
  for (const { id } of unborn) steps.remove(id);
  return steps.trim(hasRoom(store) ? count : 0) + unborn.length > 0;
}

const neededShare = 0.05;

/** A disk that is nearly full has no room for what failed, least of all for want of it. */
function hasRoom({ layout }: Pick<Store, "layout">): boolean {
  const { bavail, blocks } = statfsSync(layout.root);
  return bavail >= blocks * neededShare;
}

/** So little is left that the step's command may have failed for want of it. */
function isFull({ layout }: Pick<Store, "layout">): boolean {
  const { bavail, bsize } = statfsSync(layout.root);
  return bavail * bsize < 1024 * 1024;
}

function fullDisk({ layout }: Pick<Store, "layout">): string {
  return `the disk of ${layout.root} is full; slipway builder prune makes room`;
}

function withRemedy(error: SlipwayError, remedy: string): SlipwayError {
  return new SlipwayError(error.kind, error.code, error.message, { remedy, ...error.details }, error);
}

function copyWords({ from, to }: SavedMemory): readonly string[] {
  return ["cp", "-a", `${from}/.`, to];
}
