/** The fields of an image's config as Go writes them: a structure in its own order, without what is empty; maps sorted. */
import type { ContainerConfig } from "../../oci/image-config.ts";

const fields: readonly (keyof ContainerConfig)[] = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "Labels",
  "StopSignal",
  "ArgsEscaped",
  "Healthcheck",
  "OnBuild",
  "Shell",
];

const maps: ReadonlySet<string> = new Set(["ExposedPorts", "Volumes", "Labels"]);

/** Fields that are not known are left out: configs of other programs hold more than Docker reads. */
export function setFields(config: ContainerConfig): Readonly<Record<string, unknown>> {
  const set = fields.flatMap((key): readonly (readonly [string, unknown])[] => {
    const value = config[key];
    if (isEmpty(value)) return [];
    return [[key, maps.has(key) ? sortKeys(value as Readonly<Record<string, unknown>>) : value]];
  });
  return Object.fromEntries(set);
}

/** Go's omitempty. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function sortKeys(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
