/** `--filter name=value`, repeated, as the engine takes it. */
import type { Filters } from "../../engine/api.ts";

export function filtersFrom(values: readonly string[]): Filters {
  const filters: Record<string, string[]> = {};
  for (const value of values) {
    const equals = value.indexOf("=");
    if (equals < 0) continue;
    (filters[value.slice(0, equals).trim().toLowerCase()] ??= []).push(value.slice(equals + 1).trim());
  }
  return filters;
}
