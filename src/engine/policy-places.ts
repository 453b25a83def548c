/** Where policy files lie, and what asking them takes. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { homeDirectory } from "../base/home-directory.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { Store } from "../store/index.ts";

export type PolicyUse = "build" | "pull" | "run" | "push";

export interface PolicyPlaces {
  /** always counts */
  readonly system: string;
  /** the user's own, or what was given in its place */
  readonly user: string;
  readonly isGiven: boolean;
}

export type Env = Readonly<Record<string, string | undefined>>;

export function policyPlaces(env: Env, file: string | undefined): PolicyPlaces {
  const told = file ?? env["SLIPWAY_POLICY"] ?? "";
  const given = env["XDG_CONFIG_HOME"] ?? "";
  const config = given === "" ? join(homeDirectory(env), ".config") : given;
  return { system: "/etc/slipway/policy.json", user: told === "" ? join(config, "slipway", "policy.json") : told, isGiven: told !== "" };
}

export function hasPolicy({ system, user, isGiven }: PolicyPlaces): boolean {
  return isGiven || existsSync(user) || existsSync(system);
}

export interface GateSurroundings {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
}
