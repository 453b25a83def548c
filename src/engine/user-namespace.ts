/** Ordinary users work inside a user namespace of their own: the program replaces itself by itself, entered there. */
import { INSIDE_USERNS } from "../runtime/userns-env.ts";

/**
 * Call it first in a program that is to run containers or RUN steps as an ordinary user. As root, or inside already, it does
 * nothing; otherwise the process is replaced (execve) by the same command inside the user's namespace, and the call does not
 * return. Where namespaces are forbidden it returns: everything but running commands still works.
 */
export async function enterUserNamespace(): Promise<void> {
  const uid = process.geteuid?.() ?? 0;
  if (uid === 0 || process.env[INSIDE_USERNS] !== undefined) return;
  const [{ userRunDirectory }, { planUserNamespace }] = await Promise.all([import("../runtime/run-directory.ts"), import("../runtime/userns.ts")]);
  const plan = await planUserNamespace({
    command: [process.execPath, ...process.execArgv, ...(isSingleExecutable() ? [] : ["--"]), ...process.argv.slice(1)],
    runDirectory: userRunDirectory(process.env, uid),
  });
  if (plan.kind === "enter") process.execve?.(plan.file, [...plan.argv], { ...plan.env });
}

/** Node reads `--env-file` among a script's words as an option of its own, unless `--` ends those; a single executable has no script. */
function isSingleExecutable(): boolean {
  return process.getBuiltinModule("node:sea").isSea();
}
