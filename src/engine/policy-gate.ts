/** How the library asks policies where images come in and go out: types alone, policy.ts makes it. */
import type { Digest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";
import type { FetchedManifest, RegistryClient } from "../registry/index.ts";
import type { Store } from "../store/index.ts";

export type PolicyUse = "build" | "pull" | "run" | "start" | "push";

export interface PolicyCall {
  /** whose image is used of an index, where that is known */
  readonly platform?: string | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface StoredImage {
  readonly id: Digest;
  /** of an index the image that is used */
  readonly used: Digest;
}

/** What is pushed, where its packages can be seen before it is there; nothing: nowhere. */
export interface PushedThing {
  readonly id?: Digest | undefined;
  /** as scans take them */
  readonly places?: readonly string[];
  /** what files among the places are relative to */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface PolicyGate {
  /**
   * What the name means at its registry now, when it has been admitted: whoever goes on uses this and asks for the name no second time.
   * undefined: there is no policy. Fails with POLICY_REFUSED and POLICY_INVALID.
   */
  pulled(use: PolicyUse, reference: Reference, call: PolicyCall): Promise<FetchedManifest | undefined>;
  /** An image of the store, by the name that was given for it, if it was one; undefined: a step's result, which is no image. */
  here(use: PolicyUse, name: string | undefined, image: StoredImage | undefined, signal: AbortSignal | undefined): Promise<void>;
  pushed(references: readonly Reference[], what: PushedThing, signal: AbortSignal | undefined): Promise<void>;
  /** The same policies, which ask registries by this client. */
  through(client: () => Promise<RegistryClient>): PolicyGate;
}

export interface PolicyPlaces {
  /** always counts */
  readonly system: string;
  /** the user's own, or what was given in its place */
  readonly user: string;
  readonly isGiven: boolean;
}

export interface GateSurroundings {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
}
