/**
 * Where images come in and go out, policies are asked here. Where no policy file is there, which is the rule, nothing but their
 * absence is looked at and nothing is loaded.
 */
import type { Digest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";
import type { FetchedManifest } from "../registry/index.ts";
import type { PolicySettings } from "./policy-api.ts";
import { hasPolicy, policyPlaces, type Env, type GateSurroundings, type PolicyUse } from "./policy-places.ts";
import type { Policies } from "./policy/policies.ts";

export interface PolicyGate {
  /**
   * What the name means at its registry now, when it has been admitted: whoever goes on uses this and asks for the name no second time.
   * undefined: there is no policy. Fails with POLICY_REFUSED and POLICY_INVALID.
   */
  pulled(use: PolicyUse, reference: Reference, signal: AbortSignal | undefined): Promise<FetchedManifest | undefined>;
  /** An image of the store, by the name that was given for it, if it was one. */
  here(use: PolicyUse, name: string | undefined, id: Digest, signal: AbortSignal | undefined): Promise<void>;
  /** `id`: undefined for what is not kept in the store. */
  pushed(references: readonly Reference[], id: Digest | undefined, signal: AbortSignal | undefined): Promise<void>;
}

export function createPolicyGate(surroundings: GateSurroundings, settings: PolicySettings, env: Env): PolicyGate {
  let loaded: Promise<Policies> | undefined;
  const load = async (): Promise<Policies> => (await import("./policy/policies.ts")).loadPolicies(surroundings, settings, env);
  const policies = async (): Promise<Policies | undefined> => {
    if (loaded === undefined && !hasPolicy(policyPlaces(env, settings.file))) return undefined;
    return await (loaded ??= load());
  };
  return {
    pulled: async (use, reference, signal) => await (await policies())?.pulled(use, reference, signal),
    here: async (use, name, id, signal) => await (await policies())?.here(use, name, id, signal),
    pushed: async (references, id, signal) => await (await policies())?.pushed(references, id, signal),
  };
}
