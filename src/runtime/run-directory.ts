/** Where state lies that ends with the boot. Short paths: sockets below may have 107 bytes. Pure. */
import { createHash } from "node:crypto";
import { INSIDE_USERNS } from "./userns.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** An ordinary user's own directory. Inside the user's namespace the ids are others, so names of files come from the environment. */
export function userRunDirectory(env: Env, uid: number): string {
  const runtime = env["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && runtime !== "") return `${runtime}/slipway`;
  return `/tmp/slipway-${env["USER"] ?? env["LOGNAME"] ?? String(uid)}`;
}

/** The directory of one store's containers. */
export function runDirectoryOf(root: string, env: Env, uid: number): string {
  const name = createHash("sha256").update(root).digest("hex").slice(0, 8);
  return uid === 0 && env[INSIDE_USERNS] === undefined ? `/run/slipway/${name}` : `${userRunDirectory(env, uid)}/${name}`;
}
