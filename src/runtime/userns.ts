/**
 * Running as an ordinary user. A user namespace is kept alive by a holder process, so that later commands reach the containers that
 * earlier ones started; every command re-enters itself there before it works.
 */
import { SlipwayError } from "../base/errors.ts";

/** Set in the environment of what runs inside the namespace. */
export const INSIDE_USERNS = "SLIPWAY_USERNS";

export type UsernsPlan =
  /** root, or already inside: nothing to do */
  | { readonly kind: "stay" }
  /** `process.execve(file, argv, env)` */
  | { readonly kind: "enter"; readonly file: string; readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>>; readonly singleId: boolean }
  /** every build without RUN still works */
  | { readonly kind: "unavailable"; readonly reason: string; readonly remedy: string };

/**
 * Starts (or finds) the holder and says how to re-enter this very command. The caller does the execve, before anything else is open.
 * `command`: [process.execPath, script, …arguments].
 */
export async function planUserNamespace(options: { readonly command: readonly string[]; readonly runDirectory: string }): Promise<UsernsPlan> {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", options.runDirectory);
}
