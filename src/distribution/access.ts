/** Who may do what: a port that the registry asks before it touches the storage. */
import type { Answer, DistributionRequest } from "./answer.ts";

export type Action = "pull" | "push" | "delete";

/** Without a repository: the base and, with `isCatalog`, the list of repositories. */
export interface Need {
  readonly repository?: string;
  readonly actions: readonly Action[];
  readonly isCatalog?: boolean;
  /** a blob is to be mounted from this repository */
  readonly mountFrom?: string;
}

export interface AccessControl {
  /** undefined lets the request pass */
  check(request: DistributionRequest, need: Need): Promise<Answer | undefined>;
  /** Answers requests outside of /v2/ that belong to the login; undefined for all others. */
  endpoint?(request: DistributionRequest): Promise<Answer | undefined>;
}

export const openAccess: AccessControl = { check: () => Promise.resolve(undefined) };
