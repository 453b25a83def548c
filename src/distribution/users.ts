/** Users with their passwords and rights, whichever way they log in. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Action, Need } from "./access.ts";
import type { DistributionRequest } from "./answer.ts";

/** Which actions a user has in a repository; `undefined` is who did not log in. */
export type Grant = (user: string | undefined, repository: string) => readonly Action[];

export interface Users {
  /** whether the password is the user's */
  verify(user: string, password: string): Promise<boolean>;
  readonly grant: Grant;
}

export interface BasicCredential {
  readonly user: string;
  readonly password: string;
}

const hashed = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Everybody who logs in may do everything, everybody else nothing. */
export const grantToUsers: Grant = (user) => (user === undefined ? [] : ["pull", "push", "delete"]);

export function createUsers(passwords: Readonly<Record<string, string>>, grant: Grant = grantToUsers): Users {
  return {
    grant,
    verify: async (user, password) => Object.hasOwn(passwords, user) && timingSafeEqual(hashed(passwords[user] ?? ""), hashed(password)),
  };
}

/** The credential of `Authorization: Basic`; undefined when there is none. */
export function basicCredential(request: DistributionRequest): BasicCredential | undefined {
  const [, encoded = ""] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers["authorization"] ?? "") ?? [];
  const text = Buffer.from(encoded, "base64").toString();
  const colon = text.indexOf(":");
  return colon === -1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Whether the user has all that is needed. */
export function isGranted(grant: Grant, user: string | undefined, need: Need): boolean {
  if (need.repository === undefined) return user !== undefined;
  const granted = grant(user, need.repository);
  return need.actions.every((action) => granted.includes(action));
}
