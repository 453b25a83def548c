/** Running as an ordinary user: every command re-enters itself in the user namespace that the holder keeps, before it works. */
import { isSlipwayError } from "../base/errors.ts";
import { homeDirectory } from "../base/home-directory.ts";
import { findProgram } from "./programs.ts";
import { INSIDE_USERNS, RUN_DIRECTORY } from "./userns-env.ts";
import { ensureNamespaceHolder, type Holder } from "./userns-holder.ts";

export { INSIDE_USERNS, RUN_DIRECTORY };

export type UsernsPlan =
  /** root, or already inside: nothing to do */
  | { readonly kind: "stay" }
  /** `process.execve(file, argv, env)` */
  | {
      readonly kind: "enter";
      readonly file: string;
      readonly argv: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly singleId: boolean;
    }
  /** every build without RUN still works */
  | { readonly kind: "unavailable"; readonly reason: string; readonly remedy: string };

/**
 * Finds (or starts) the holder and says how to re-enter this very command; costs a file read when it is there. The caller does the execve,
 * before anything else is open. `command`: [process.execPath, script, …arguments]; `runDirectory`: the user's own, say $XDG_RUNTIME_DIR/slipway.
 */
export async function planUserNamespace(options: {
  readonly command: readonly string[];
  readonly runDirectory: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}): Promise<UsernsPlan> {
  const env = options.env ?? process.env;
  if (process.geteuid?.() === 0 || env[INSIDE_USERNS] !== undefined) return { kind: "stay" };
  const nsenter = findProgram("nsenter", env["PATH"]);
  if (nsenter === undefined) return { kind: "unavailable", reason: "nsenter is not installed", remedy: "apt-get install -y util-linux" };
  try {
    const holder = await ensureNamespaceHolder(options.runDirectory);
    return enterPlan(nsenter, holder, { command: options.command, runDirectory: options.runDirectory, env: { ...env, HOME: homeDirectory(env) } });
  } catch (error) {
    if (!isSlipwayError(error)) throw error;
    const remedy = error.details["remedy"];
    return { kind: "unavailable", reason: error.message, remedy: typeof remedy === "string" ? remedy : "run as root" };
  }
}

export interface Reentry {
  readonly command: readonly string[];
  readonly runDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Pure. */
export function enterPlan(nsenter: string, holder: Holder, { command, runDirectory, env }: Reentry): UsernsPlan & { kind: "enter" } {
  const kept = Object.entries(env).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));
  return {
    kind: "enter",
    file: nsenter,
    argv: [nsenter, "--user", "--preserve-credentials", "--target", String(holder.pid), "--", ...command],
    env: { ...Object.fromEntries(kept), [INSIDE_USERNS]: holder.singleId ? "single" : "ranges", [RUN_DIRECTORY]: runDirectory },
    singleId: holder.singleId,
  };
}
