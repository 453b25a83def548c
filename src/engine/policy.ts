/**
 * Policies, asked where images come in and go out, and the library's calls about them. Where no policy file is there, which is the rule,
 * nothing but their absence is looked at and nothing is loaded.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { homeDirectory } from "../base/home-directory.ts";
import { parseReference } from "../oci/reference.ts";
import type { PolicyApi, PolicyOverride, PolicySettings } from "./policy-api.ts";
import type { GateSurroundings, PolicyGate, PolicyPlaces } from "./policy-gate.ts";
import type { Policies } from "./policy/policies.ts";

type Env = Readonly<Record<string, string | undefined>>;

function policyPlaces(env: Env, file: string | undefined): PolicyPlaces {
  const told = file ?? env["SLIPWAY_POLICY"] ?? "";
  const given = env["XDG_CONFIG_HOME"] ?? "";
  const config = given === "" ? join(homeDirectory(env), ".config") : given;
  return { system: "/etc/slipway/policy.json", user: told === "" ? join(config, "slipway", "policy.json") : told, isGiven: told !== "" };
}

function hasPolicy({ system, user, isGiven }: PolicyPlaces): boolean {
  return isGiven || existsSync(user) || existsSync(system);
}

/** Unparsed, as they were given. */
function overridesOf({ overrides = [] }: PolicySettings, env: Env): { readonly overrides: readonly PolicyOverride[]; readonly text: string } {
  return { overrides, text: env["SLIPWAY_POLICY_OVERRIDE"] ?? "" };
}

export function createPolicyGate(surroundings: GateSurroundings, settings: PolicySettings, env: Env): PolicyGate {
  let loaded: Promise<Policies> | undefined;
  const load = async (): Promise<Policies> =>
    (await import("./policy/policies.ts")).loadPolicies(surroundings, policyPlaces(env, settings.file), overridesOf(settings, env));
  const policies = async (): Promise<Policies | undefined> => {
    if (loaded === undefined && !hasPolicy(policyPlaces(env, settings.file))) return undefined;
    return await (loaded ??= load());
  };
  return {
    pulled: async (use, reference, call) => await (await policies())?.pulled(use, reference, call),
    here: async (use, name, image, signal) => await (await policies())?.here(use, name, image, signal),
    pushed: async (references, what, signal) => await (await policies())?.pushed(references, what, signal),
    through: (client) => createPolicyGate({ ...surroundings, client }, settings, env),
  };
}

export function createPolicy(surroundings: GateSurroundings, settings: PolicySettings, env: Env): PolicyApi {
  return {
    check: async (reference, { signal } = {}) => {
      const { loadPolicies } = await import("./policy/policies.ts");
      return await loadPolicies(surroundings, policyPlaces(env, settings.file), overridesOf(settings, env)).check(parseReference(reference), signal);
    },
    log: async () => (await import("./policy/policy-log.ts")).readLog(surroundings.store.layout.root),
    files: async () => {
      const { system, user } = policyPlaces(env, settings.file);
      return [system, user].map((path) => ({ path, exists: existsSync(path) }));
    },
    import: async (text, { path }) => (await import("./policy/import-policy.ts")).importPolicy(text, path),
  };
}
