/** What a client has learnt about mirrors: those that were not reached, and the blobs that came wrong from them. */
import { SlipwayError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Endpoint } from "./endpoint.ts";

export interface MirrorMemory {
  /** Without the mirrors that were out of reach a moment ago, or that served this blob wrong. The origin always stays. */
  usable(endpoints: readonly Endpoint[], digest?: Digest): readonly Endpoint[];
  failed(endpoint: Endpoint, error: unknown): void;
  /** The whole blob was wrong: from now on it is taken from the origin. */
  wrong(digest: Digest): void;
}

/** so long a mirror that was not reached is left alone: its connection timeout should not be paid for every layer */
const pauseMs = 60_000;
const maxWrong = 10_000;
const outOfReach = new Set(["CONNECTION_REFUSED", "CONNECT_TIMEOUT", "HOST_NOT_FOUND", "HOST_UNREACHABLE", "NAME_RESOLUTION_FAILED"]);

export function createMirrorMemory(now: () => number): MirrorMemory {
  const pausedUntilMs = new Map<string, number>();
  const wrong = new Set<Digest>();
  return {
    usable(endpoints, digest) {
      const distrusted = digest !== undefined && wrong.has(digest);
      return endpoints.filter((endpoint) => !endpoint.mirror || (!distrusted && now() >= (pausedUntilMs.get(endpoint.host) ?? 0)));
    },
    failed(endpoint, error) {
      if (endpoint.mirror && error instanceof SlipwayError && outOfReach.has(error.code)) pausedUntilMs.set(endpoint.host, now() + pauseMs);
    },
    wrong(digest) {
      if (wrong.size >= maxWrong) wrong.clear();
      wrong.add(digest);
    },
  };
}
