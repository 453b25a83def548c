/** A container as `ps` shows it. Pure. */
import type { Digest } from "../../oci/digest.ts";
import type { ContainerRecord, ContainerRecords, ContainerState } from "../../runtime/container-records.ts";
import { isUp } from "../../runtime/container-status.ts";
import type { ContainerSummary, Filters } from "../api.ts";
import type { ContainerSize } from "./container-size.ts";
import type { HealthStatus } from "../../runtime/health-checks.ts";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { networkNames } from "./inspect-endpoints.ts";
import { checkPortFilter, matchesPorts, openPortsOf } from "./open-ports.ts";

export interface Surveyed {
  readonly record: ContainerRecord;
  readonly state: ContainerState;
  readonly size: ContainerSize | undefined;
  readonly health: HealthStatus | undefined;
}

export function summarize({ record, state, size, health }: Surveyed): ContainerSummary {
  const time = (text: string): number | undefined => (text === "" ? undefined : Date.parse(text));
  return {
    id: record.id,
    name: record.name,
    image: record.imageName,
    imageId: record.imageId === "" ? undefined : (record.imageId as Digest),
    command: record.command,
    createdSeconds: Math.floor(Date.parse(record.created) / 1000),
    state: state.status === "removing" ? "dead" : state.status,
    startedAtMs: time(state.startedAt),
    finishedAtMs: time(state.finishedAt),
    exitCode: state.status === "exited" ? state.exitCode : undefined,
    ...(health === undefined || state.status !== "running" ? {} : { health }),
    ports: isUp(state) ? openPortsOf(record) : [],
    labels: record.labels,
    mounts: record.mounts.filter((mount) => mount.type !== "tmpfs").map((mount) => mount.name ?? mount.source),
    networks: networkNames(record.config),
    ...(size === undefined ? {} : { sizeBytes: size.writtenBytes, virtualSizeBytes: size.rootBytes }),
  };
}

const known = new Set([
  "id",
  "name",
  "label",
  "status",
  "exited",
  "ancestor",
  "before",
  "since",
  "network",
  "volume",
  "publish",
  "expose",
  "health",
  "is-task",
  "until",
]);

const states: readonly string[] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

const healthStates: readonly string[] = ["none", "starting", "healthy", "unhealthy"];

/** Before any container is looked at: a wrong filter is told even when there is none. INVALID_FILTER (invalid_argument) in Docker's words. */
export function checkFilters(filters: Filters): void {
  const invalid = (filter: string, reason = ""): SlipwayError =>
    new SlipwayError("invalid_argument", "INVALID_FILTER", printable(`invalid filter '${filter}'${reason}`), { filter });
  for (const [name, values] of Object.entries(filters)) {
    if (!known.has(name)) throw invalid(name);
    for (const value of values) {
      if (name === "status" && !states.includes(value))
        throw invalid(`status=${value}`, `: invalid value for state (${value}): must be one of ${states.join(", ")}`);
      if (name === "health" && !healthStates.includes(value))
        throw invalid(`health=${value}`, `: invalid value for health (${value}): must be one of ${healthStates.join(", ")}`);
      if (name === "exited" && !/^[+-]?\d+$/.test(value)) throw invalid(`exited=${value}`, `: strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
      if (name === "publish" || name === "expose") checkPortFilter(name, value);
      if (name === "is-task" && !booleans.has(value)) throw invalid(`is-task=[${value}]`);
    }
  }
}

/** checkFilters() came before. */
export function matchesFilters(summary: ContainerSummary, filters: Filters, records: ContainerRecords): boolean {
  return Object.entries(filters).every(([name, values]) => matchesFilter(summary, name, values, { filters, records }));
}

interface Surroundings {
  readonly filters: Filters;
  readonly records: ContainerRecords;
}

function matchesFilter(summary: ContainerSummary, name: string, values: readonly string[], surroundings: Surroundings): boolean {
  switch (name) {
    case "id":
      return values.some((value) => summary.id.startsWith(value));
    case "name":
      return values.some((value) => namePattern(value).test(summary.name) || namePattern(value).test(`/${summary.name}`));
    case "label":
      return values.every((value) => matchesLabel(summary.labels, value));
    case "status":
      return values.includes(summary.state);
    case "exited":
      return values.some((value) => summary.state === "exited" && summary.exitCode === Number(value));
    case "ancestor":
      return values.some(
        (value) =>
          summary.image === value ||
          summary.image === `${value}:latest` ||
          `${summary.image}:latest` === value ||
          summary.imageId === value ||
          summary.imageId?.slice(7).startsWith(value) === true,
      );
    case "network":
      return values.some((value) => summary.networks.includes(value));
    case "volume":
      return values.some((value) => summary.mounts.includes(value));
    case "publish":
    case "expose":
      return (["publish", "expose"] as const).some((kind) => (surroundings.filters[kind] ?? []).some((port) => matchesPorts(summary.ports, kind, port)));
    case "before":
    case "since":
      return values.some((value) => isOtherSide(summary, value, name, surroundings.records));
    case "until":
      return values.some((value) => summary.createdSeconds * 1000 < untilMs(value));
    case "health":
      return values.includes(summary.health ?? "none");
    case "is-task":
      return values.some((value) => booleans.get(value) === false);
    default:
      return true;
  }
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["true", true],
  ["0", false],
  ["false", false],
]);

/** Docker's names filter is a pattern. */
function namePattern(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (error) {
    throw new SlipwayError("invalid_argument", "INVALID_FILTER", `invalid filter 'name=${value}'`, { filter: "name", value }, error);
  }
}

function isOtherSide(summary: ContainerSummary, other: string, name: "before" | "since", records: ContainerRecords): boolean {
  const record = records.get(other);
  if (record === undefined) throw new SlipwayError("not_found", "CONTAINER_NOT_FOUND", `No such container: ${other}`, { container: other });
  const created = records.get(summary.id)?.created ?? "";
  return name === "before" ? created < record.created : created > record.created;
}

export function matchesLabel(labels: Readonly<Record<string, string>>, filter: string): boolean {
  const equals = filter.indexOf("=");
  return equals < 0 ? Object.hasOwn(labels, filter) : labels[filter.slice(0, equals)] === filter.slice(equals + 1);
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function untilMs(value: string): number {
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join("") === value)
    return Date.now() - parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
  const time = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value);
  if (Number.isNaN(time)) throw new SlipwayError("invalid_argument", "INVALID_FILTER", `invalid filter 'until=${value}'`, { value });
  return time;
}
