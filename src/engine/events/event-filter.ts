/** Which events `--filter` means. As Docker reads it: names and ids by their beginnings, and unknown filters say nothing. Pure. */
import type { Filters } from "../api.ts";
import type { EventMessage } from "../events-api.ts";
import { matchesLabel } from "../containers/summarize.ts";

/** They look at an event's id and name, whatever its type. */
const byName = ["container", "plugin", "volume", "network", "daemon", "node", "service", "secret", "config"];

/** Their actions have words of their own behind the colon. */
const openActions = ["health_status", "exec_create", "exec_start"];

export function matchesEvent(event: EventMessage, filters: Filters): boolean {
  return Object.entries(filters).every(([name, values]) => values.length === 0 || matches(event, name, values));
}

function matches(event: EventMessage, name: string, values: readonly string[]): boolean {
  if (byName.includes(name)) return values.some((value) => event.id.startsWith(value) || (event.attributes["name"] ?? "").startsWith(value));
  switch (name) {
    case "type":
      return values.includes(event.type);
    case "scope":
      return values.includes("local");
    case "event":
      return values.some((value) => openActions.includes(value)) ? values.some((value) => event.action.startsWith(value)) : values.includes(event.action);
    case "image":
      return namesOfImage(event).some((text) => values.includes(text));
    case "label":
      return values.every((value) => matchesLabel(event.attributes, value));
    default:
      return true;
  }
}

/** Each with its tag and without. */
function namesOfImage({ type, id, attributes }: EventMessage): readonly string[] {
  const name = attributes[type === "image" ? "name" : "image"] ?? "";
  return [id, name].flatMap((text) => [text, text.replace(/:[^:/]*$/, "")]);
}
