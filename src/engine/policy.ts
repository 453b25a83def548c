/** The library's calls about policies, each on its own module, loaded when it is called. */
import { existsSync } from "node:fs";
import { parseReference } from "../oci/reference.ts";
import type { PolicyApi, PolicySettings } from "./policy-api.ts";
import { policyPlaces, type GateSurroundings } from "./policy-places.ts";

export function createPolicy(surroundings: GateSurroundings, settings: PolicySettings, env: Readonly<Record<string, string | undefined>>): PolicyApi {
  return {
    check: async (reference, { signal } = {}) => {
      const { loadPolicies } = await import("./policy/policies.ts");
      return await loadPolicies(surroundings, settings, env).check(parseReference(reference), signal);
    },
    log: async () => (await import("./policy/policy-log.ts")).readLog(surroundings.store.layout.root),
    files: async () => {
      const { system, user } = policyPlaces(env, settings.file);
      return [system, user].map((path) => ({ path, exists: existsSync(path) }));
    },
    import: async (text, { path }) => (await import("./policy/import-policy.ts")).importPolicy(text, path),
  };
}
