/** What `logs` was asked for, as the runtime reads it. Pure. */
import type { readLogs } from "../../runtime/container.ts";
import type { ContainerApi } from "../api.ts";

type Options = NonNullable<Parameters<ContainerApi["logs"]>[1]>;

export function logOptions({ follow, tail, sinceMs, untilMs, signal }: Options): Parameters<typeof readLogs>[2] {
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    ...(follow === undefined ? {} : { follow }),
    ...(tail === undefined ? {} : { tail }),
    ...(sinceMs === undefined ? {} : { since: time(sinceMs) }),
    ...(untilMs === undefined ? {} : { until: time(untilMs) }),
    ...(signal === undefined ? {} : { signal }),
  };
}
