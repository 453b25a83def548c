/** One display for several builds: the steps of each carry its name, as in Docker's bake. */
import type { ProgressEvent } from "../../base/progress.ts";
import { digestOf } from "../../oci/index.ts";
import type { Renderer } from "./renderer.ts";

/** "[internal] load …" becomes "[app internal] load …". Ends nothing: others are shown on the same display. */
export function namedRenderer(shared: Renderer, name: string): Renderer {
  const ids = new Map<string, string>();
  // two builds may have the same step
  const idOf = (id: string): string => {
    const known = ids.get(id) ?? digestOf(`${name} ${id}`);
    ids.set(id, known);
    return known;
  };
  return { push: (event) => shared.push(renamed(event, name, idOf)), finish: () => undefined };
}

function renamed(event: ProgressEvent, name: string, idOf: (id: string) => string): ProgressEvent {
  if (event.type !== "vertex") return { ...event, vertex: idOf(event.vertex) };
  const shown = event.name.startsWith("[") ? `[${name} ${event.name.slice(1)}` : `[${name}] ${event.name}`;
  return { ...event, id: idOf(event.id), name: shown, inputs: event.inputs.map(idOf) };
}
