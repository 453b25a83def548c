/** Waits that registries ask for, as lines of a pull or push: a display that stands still says why. */
import type { RegistryClient, RegistryWait } from "../registry/index.ts";
import type { PullEvent } from "./registry-api.ts";

/** Shorter ones are over before somebody has read of them. */
const worthTellingMs = 1000;

/** One line for all transfers that wait for the same. */
export function waitLines(onEvent: (event: PullEvent) => void, now: () => number = Date.now): (wait: RegistryWait) => void {
  const until = new Map<string, number>();
  return ({ host, delayMs, reason }) => {
    if (delayMs < worthTellingMs || (until.get(host) ?? 0) > now()) return;
    until.set(host, now() + delayMs);
    onEvent({ status: `Waiting for ${host}: ${reason}; again in ${Math.ceil(delayMs / 1000)} s` });
  };
}

/** Tells of the client's waits until it is disposed of. */
export function tellWaits(client: RegistryClient, onEvent: (event: PullEvent) => void): Disposable {
  return client.onWait(waitLines(onEvent));
}
