/** An image of a Docker daemon: Docker gives its images as archives, which is kept in a file until the source is done with. */
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { archiveSource } from "./archive-source.ts";
import { callDocker } from "./docker-socket.ts";
import type { ImageSource } from "./image-source.ts";

/** Fails with DOCKER_UNREACHABLE (unavailable), DOCKER_REFUSED (not_found) in Docker's words. */
export async function daemonSource(name: string, host: string | undefined, signal?: AbortSignal): Promise<ImageSource> {
  const response = await callDocker(host, { method: "GET", path: `/images/${encodeURIComponent(name)}/get`, signal });
  const directory = mkdtempSync(join(tmpdir(), "slipway-daemon-"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    const file = join(directory, "image.tar");
    await pipeline(response, createWriteStream(file, { mode: 0o600 }));
    const source = await archiveSource(`docker-daemon:${name}`, file, undefined, signal);
    return {
      ...source,
      async [Symbol.asyncDispose]() {
        await source[Symbol.asyncDispose]();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
