/** A kept step as the library tells of it. */
import type { KeptStep } from "../../store/index.ts";
import { outcomeOf, type StepRecord } from "../../solver/step-record.ts";
import type { FailedStep } from "../debug-api.ts";

export function describeStep(step: KeptStep<StepRecord>): FailedStep {
  const { id, createdMs, record } = step;
  const outcome = outcomeOf(step);
  return {
    id,
    name: record.name,
    dockerfile: record.dockerfile,
    lines: record.lines,
    outcome: outcome === "preparing" ? "running" : outcome,
    exitCode: record.exitCode,
    message: record.message ?? "",
    createdMs,
    command: record.args,
    shell: record.shell,
    env: record.env,
    workdir: record.cwd,
    user: record.user,
    network: record.network,
    mounts: record.mounts.map((mount) => ({ type: mount.type, target: mount.target ?? "" })),
  };
}
