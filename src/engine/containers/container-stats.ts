/** What containers use, second after second. */
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { containerState, containerUsage, type ContainerHost } from "../../runtime/container.ts";
import { requireContainer } from "../../runtime/container-errors.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { isUp } from "../../runtime/container-status.ts";
import type { ContainerStats } from "../api.ts";

const intervalMs = 1000;

type Usage = ReturnType<typeof containerUsage>;

interface StatsOptions {
  readonly all?: boolean;
  readonly once?: boolean;
  readonly signal?: AbortSignal;
}

/** The processors' part needs two looks; the first numbers come after a second. CONTAINER_NOT_FOUND at the first look. */
export async function* watchStats(host: ContainerHost, names: readonly string[], options: StatsOptions): AsyncGenerator<readonly ContainerStats[]> {
  const ids = names.map((name) => requireContainer(host.records, name).id);
  let before = looksOf(host, ids, options);
  while (!isAborted(options)) {
    if (before.some(({ usage }) => usage !== undefined) || options.once !== true) await sleep(intervalMs, undefined, pausing(options)).catch(() => undefined);
    if (isAborted(options)) return;
    const now = looksOf(host, ids, options);
    yield now.map((look) =>
      statsOf(
        look,
        before.find(({ record }) => record.id === look.record.id),
      ),
    );
    if (options.once === true) return;
    before = now;
  }
}

/** Told anew each time: the types would remember the first look. */
function isAborted({ signal }: StatsOptions): boolean {
  return signal?.aborted === true;
}

function pausing({ signal }: StatsOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

interface Look {
  readonly record: ContainerRecord;
  /** undefined: it does not run */
  readonly usage: Usage | undefined;
}

function looksOf(host: ContainerHost, ids: readonly string[], { all = false }: StatsOptions): readonly Look[] {
  const records = ids.length === 0 ? host.records.list() : ids.map((id) => host.records.get(id)).filter((record) => record !== undefined);
  return records
    .map((record) => ({ record, usage: isUp(containerState(host, record)) ? containerUsage(record) : undefined }))
    .filter(({ usage }) => ids.length > 0 || all || usage !== undefined);
}

/** Pure but for the number of processors. */
function statsOf({ record, usage }: Look, before: Look | undefined): ContainerStats {
  const { id, name } = record;
  if (usage === undefined) {
    return { id, name, cpuPercent: 0, memoryBytes: 0, memoryLimitBytes: 0, receivedBytes: 0, sentBytes: 0, readBytes: 0, writtenBytes: 0, processes: 0 };
  }
  const { cpuNs, machineNs, ...rest } = usage;
  const own = Number(cpuNs - (before?.usage?.cpuNs ?? cpuNs));
  const machine = Number(machineNs - (before?.usage?.machineNs ?? machineNs));
  return { id, name, cpuPercent: own > 0 && machine > 0 ? (own / machine) * availableParallelism() * 100 : 0, ...rest };
}
