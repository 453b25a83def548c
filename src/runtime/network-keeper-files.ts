/** Where the keeper of the networks is found, and what is said to it: one question a connection, as JSON. */
import type { Membership } from "./network-members.ts";

export interface KeeperFiles {
  readonly directory: string;
  readonly socket: string;
  /** a file for each container; removing one says that the container has ended */
  readonly members: string;
  readonly lock: string;
}

export function keeperFiles(runDirectory: string): KeeperFiles {
  const directory = `${runDirectory}/n`;
  return { directory, socket: `${directory}/socket`, members: `${directory}/members`, lock: `${directory}/lock` };
}

export type KeeperQuestion = { readonly kind: "join"; readonly membership: Membership } | { readonly kind: "list" };

export type KeeperAnswer =
  | { readonly kind: "joined"; readonly addresses: Readonly<Record<string, string>> }
  | { readonly kind: "members"; readonly ids: readonly string[] }
  /** the request cannot be met */
  | { readonly kind: "refused"; readonly message: string }
  /** something broke */
  | { readonly kind: "failed"; readonly message: string };
