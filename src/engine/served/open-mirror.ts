/** `registry serve --mirror-of`: the other registry is asked as every command here does, with this machine's logins, certificates and proxies. */
import { randomUUID } from "node:crypto";
import type { DistributionStorage } from "../../distribution/index.ts";
import type { Respond } from "../../distribution/answer.ts";
import { createRegistryClient, readMachineConfig } from "../../registry/index.ts";
import { asMirror, viaHeader } from "./mirror-answers.ts";
import { createMirror } from "./mirror-storage.ts";

/** A slow reader keeps one: others are not to wait for it. */
const parallelDownloads = 32;

export interface OpenedMirror {
  readonly storage: DistributionStorage;
  readonly respond: (respond: Respond) => Respond;
  readonly close: () => Promise<void>;
}

export async function openMirror(storage: DistributionStorage, upstream: string): Promise<OpenedMirror> {
  const config = await readMachineConfig();
  const id = randomUUID();
  const client = createRegistryClient({ ...config, parallelDownloads, headers: { ...config.headers, via: viaHeader(id) } });
  const mirror = createMirror({ storage, client, upstream, now: Date.now });
  return {
    storage: mirror.storage,
    respond: (respond) => asMirror(respond, upstream, id),
    close: async () => {
      await client.close();
      await mirror.settled();
    },
  };
}
