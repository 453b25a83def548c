/** Steps that failed, by their ids. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { KeptStep, Store } from "../../store/index.ts";
import { keptSteps, type StepRecord } from "../../solver/step-record.ts";
import type { PolicyGate } from "../policy-gate.ts";
import type { DebugApi } from "../debug-api.ts";
import { startTask } from "../task.ts";
import { describeStep } from "./describe-step.ts";
import { withoutMark } from "./step-mark.ts";

/** What a killed build leaves is put in order before it is looked at: memory is saved, processes end. */
const patienceMs = 15_000;
const lookAgainMs = 20;

export function createDebug(store: Store, client: () => Promise<RegistryClient>, gate?: PolicyGate): DebugApi {
  return {
    list: () => allSteps(store).map(describeStep),
    open: async (id) => {
      const { createFailure } = await import("./failure.ts");
      return createFailure(store, await findStep(store, id));
    },
    load: async (source, { signal } = {}) => {
      const [{ readBundle }, { createFailure }] = await Promise.all([import("./bundle.ts"), import("./failure.ts")]);
      return createFailure(store, await readBundle(store, source, signal));
    },
    stopAt: (options) =>
      startTask(async (emit) => {
        const [{ stopBuild }, { createFailure }] = await Promise.all([import("./stop-build.ts"), import("./failure.ts")]);
        return createFailure(
          store,
          await withFailure(store, () => stopBuild(options, { store, client, onProgress: emit, ...(gate === undefined ? {} : { gate }) })),
        );
      }),
    remove: (prefix) => {
      const steps = keptSteps(store);
      const step = requireStep(store, prefix);
      if (!steps.isFree(step.id))
        throw new SlipwayError("conflict", "STEP_IN_USE", `the step ${prefix} is in use by another process`, { id: step.id, bare: true });
      steps.remove(step.id);
      store.collect();
      return step.id;
    },
  };
}

/** What fails in a step fails with a StepFailedError. */
export async function withFailure<T>(store: Store, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const id = isSlipwayError(error) ? error.details["failedStep"] : undefined;
    if (!isSlipwayError(error) || typeof id !== "string") throw error;
    const [{ createFailure }, { StepFailedError }] = await Promise.all([import("./failure.ts"), import("./step-failed-error.ts")]);
    throw new StepFailedError(error, createFailure(store, requireStep(store, id)));
  }
}

/** Steps that had begun. */
function allSteps(store: Store): readonly KeptStep<StepRecord>[] {
  return keptSteps(store)
    .all()
    .filter(({ record }) => record.outcome !== "preparing");
}

function requireStep(store: Store, prefix: string): KeptStep<StepRecord> {
  const step = keptSteps(store).get(withoutMark(prefix).replace(/^sha256:/, ""));
  if (step !== undefined && step.record.outcome !== "preparing") return step;
  throw new SlipwayError("not_found", "NO_SUCH_STEP", `no failed step is kept under the id ${prefix}`, { id: prefix, remedy: "slipway debug ls", bare: true });
}

/** Fails with NO_SUCH_STEP (not_found), STEP_RUNNING (conflict). */
export async function findStep(store: Store, prefix: string | undefined): Promise<KeptStep<StepRecord>> {
  const give = (): KeptStep<StepRecord> => (prefix === undefined ? newest(store) : requireStep(store, prefix));
  const deadlineMs = Date.now() + patienceMs;
  for (;;) {
    const step = give();
    if (step.life === "ended") return step;
    if (step.life === "running" || Date.now() > deadlineMs)
      throw new SlipwayError("conflict", "STEP_RUNNING", `the step ${step.id.slice(0, 12)} is still running: ${step.record.name}`, { id: step.id, bare: true });
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
}

function newest(store: Store): KeptStep<StepRecord> {
  const step = allSteps(store).find(({ life }) => life !== "running");
  if (step !== undefined) return step;
  throw new SlipwayError("not_found", "NO_SUCH_STEP", "no failed step is kept", {
    bare: true,
    remedy: "SLIPWAY_KEEP_FAILED says how many are; steps that ended well are looked into with slipway debug --at LINE",
  });
}
