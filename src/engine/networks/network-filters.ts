/** `network ls --filter`. Pure. Failures in Docker's words. */
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { Filters } from "../api.ts";
import { labelsMatch } from "../filters.ts";
import type { NetworkInspect } from "../networks-api.ts";
import { predefinedNames } from "./network-store.ts";

const known = ["dangling", "driver", "id", "label", "name", "scope", "type"];
const truths: Readonly<Record<string, boolean>> = { "1": true, true: true, "0": false, false: false };

/** INVALID_FILTER (invalid_argument). */
export function checkNetworkFilters(filters: Filters): void {
  const invalid = (message: string): SlipwayError => new SlipwayError("invalid_argument", "INVALID_FILTER", printable(message));
  for (const [name, values] of Object.entries(filters)) {
    if (!known.includes(name)) throw invalid(`invalid filter '${name}'`);
    if (name === "dangling" && values.some((value) => truths[value] === undefined))
      throw invalid(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`);
    const type = name === "type" ? values.find((value) => value !== "custom" && value !== "builtin") : undefined;
    if (type !== undefined) throw invalid(`invalid filter: 'type'='${type}'`);
  }
}

export function matchesNetwork(network: NetworkInspect, filters: Filters): boolean {
  return labelsMatch(filters, network.Labels) && Object.entries(filters).every(([name, values]) => matches(network, name, values));
}

function matches(network: NetworkInspect, filter: string, values: readonly string[]): boolean {
  const builtin = predefinedNames.some((name) => name === network.Name);
  switch (filter) {
    case "dangling":
      return values.some((value) => truths[value] === (!builtin && Object.keys(network.Containers).length === 0));
    case "driver":
      return values.includes(network.Driver);
    case "id":
      return values.some((value) => network.Id.includes(value));
    case "name":
      return values.some((value) => network.Name.includes(value));
    case "scope":
      return values.includes(network.Scope);
    case "type":
      return values.some((value) => (value === "builtin") === builtin);
    default:
      return true;
  }
}
