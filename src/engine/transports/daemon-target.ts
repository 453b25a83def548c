/** A Docker daemon as a target: an archive that Docker loads while it is written, without the layers that it has. */
import { streamSink } from "./archive-sinks.ts";
import { archiveTarget } from "./archive-target.ts";
import { layersOfDaemon, noLayers } from "./daemon-layers.ts";
import { loadIntoDocker } from "./docker-socket.ts";
import type { ImageTarget } from "./image-target.ts";

export function daemonTarget(place: string, name: string, host: string | undefined, signal?: AbortSignal): ImageTarget {
  const sink = streamSink(async (archive) => await loadIntoDocker(host, archive, signal));
  let found = noLayers;
  const target = archiveTarget(place, sink, { format: "docker", names: [name], has: (digest) => found.digests.has(digest) });
  return {
    ...target,
    prepare: async (planned) => void (found = await layersOfDaemon(host, planned, signal)),
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
      await found[Symbol.asyncDispose]();
    },
  };
}
