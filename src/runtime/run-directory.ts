/** Where state lies that ends with the boot. Short paths: sockets below may have 107 bytes. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { INSIDE_USERNS, RUN_DIRECTORY } from "./userns-env.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * An ordinary user's own directory: the session's, also for commands that come from outside of it (cron, su); else one in /tmp. Inside the
 * user's namespace the ids are others, so there the answer was handed on.
 */
export function userRunDirectory(env: Env, uid: number): string {
  const handedOn = env[INSIDE_USERNS] === undefined ? undefined : env[RUN_DIRECTORY];
  if (handedOn !== undefined) return handedOn;
  const runtime = env["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && runtime !== "") return `${runtime}/slipway`;
  const session = `/run/user/${uid}`;
  return isOwn(session, uid) ? `${session}/slipway` : `/tmp/slipway-${uid}`;
}

/** The directory of one store's containers. */
export function runDirectoryOf(root: string, env: Env, uid: number): string {
  const name = createHash("sha256").update(root).digest("hex").slice(0, 8);
  return uid === 0 && env[INSIDE_USERNS] === undefined ? `/run/slipway/${name}` : `${userRunDirectory(env, uid)}/${name}`;
}

/** Makes it for this user alone. RUN_DIRECTORY (denied) when somebody else made it first, as anybody can in /tmp. */
export function openRunDirectory(path: string, uid: number): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (isOwn(path, uid)) return;
  throw new SlipwayError("denied", "RUN_DIRECTORY", `${path} belongs to another user or can be written by others`, {
    path,
    remedy: "set XDG_RUNTIME_DIR to a directory of yours",
  });
}

function isOwn(path: string, uid: number): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status !== undefined && status.isDirectory() && status.uid === uid && (status.mode & 0o022) === 0;
}
