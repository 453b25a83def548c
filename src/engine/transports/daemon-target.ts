/** A Docker daemon as a target: an archive that Docker loads while it is written. */
import { streamSink } from "./archive-sinks.ts";
import { archiveTarget } from "./archive-target.ts";
import { loadIntoDocker } from "./docker-socket.ts";
import type { ImageTarget } from "./image-target.ts";

export function daemonTarget(place: string, name: string, host: string | undefined, signal?: AbortSignal): ImageTarget {
  const sink = streamSink(async (archive) => await loadIntoDocker(host, archive, signal));
  return archiveTarget(place, sink, { format: "docker", names: [name] });
}
