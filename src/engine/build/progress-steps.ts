/** Steps of a build that are not in the graph: loading the Dockerfile, asking for metadata, exporting. */
import { asSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { ProgressSink } from "../../base/progress.ts";
import { digestOf } from "../../oci/digest.ts";

export interface Step {
  readonly id: string;
  /** A counter or a line below the step; the same `id` again updates it. */
  status(id: string, current: number, total?: number, done?: boolean): void;
  log(text: string): void;
}

/** Reports start, end or failure around `body`. Errors leave with `details.vertex`. */
export async function runStepOf<T>(sink: ProgressSink, name: string, body: (step: Step) => Promise<T>): Promise<T> {
  const id = digestOf(name);
  const startedMs = Date.now();
  const base = { type: "vertex", id, name, inputs: [], startedMs } as const;
  const statusStarted = new Map<string, number>();
  const step: Step = {
    id,
    status: (statusId, current, total, done) => {
      const started = statusStarted.get(statusId) ?? Date.now();
      statusStarted.set(statusId, started);
      sink({
        type: "status",
        vertex: id,
        id: statusId,
        current,
        ...(total === undefined ? {} : { total }),
        startedMs: started,
        ...(done === true ? { completedMs: Date.now() } : {}),
        timestampMs: Date.now(),
      });
    },
    log: (text) => sink({ type: "log", vertex: id, stream: 2, data: Buffer.from(text), timestampMs: Date.now() }),
  };
  sink(base);
  try {
    const value = await body(step);
    sink({ ...base, completedMs: Date.now(), cached: false });
    return value;
  } catch (error) {
    const failure = asSlipwayError(error);
    sink({ ...base, completedMs: Date.now(), error: failure.message });
    throw new SlipwayError(failure.kind, failure.code, failure.message, { vertex: name, ...failure.details }, failure);
  }
}
