/** The library's containers, loaded when one is asked for: a build needs none. */
import type { RegistryClient } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import type { ContainerApi } from "./api.ts";
import { deferred } from "../base/deferred.ts";
import type { PolicyGate } from "./policy-gate.ts";

export function createContainers(store: Store, client: () => Promise<RegistryClient>, gate: PolicyGate): ContainerApi {
  return deferred<ContainerApi>(
    {
      create: "promise",
      start: "promise",
      startByPolicies: "stream",
      run: "promise",
      attach: "promise",
      restart: "promise",
      rename: "promise",
      list: "promise",
      inspect: "promise",
      logs: "stream",
      stop: "promise",
      kill: "promise",
      pause: "promise",
      unpause: "promise",
      top: "promise",
      stats: "stream",
      update: "promise",
      wait: "promise",
      remove: "promise",
      exec: "promise",
      changes: "promise",
      copyOut: "promise",
      archive: "stream",
      copyInto: "promise",
      commit: "promise",
      export: "stream",
      prune: "promise",
    },
    async () => {
      const { Containers } = await import("./containers/containers.ts");
      return new Containers(store, client, gate);
    },
  );
}
