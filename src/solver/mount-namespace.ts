/** The private mount namespace that steps need, or why there is none. */
import { SlipwayError } from "../base/errors.ts";
import { userRunDirectory } from "../runtime/run-directory.ts";
import { planUserNamespace } from "../runtime/userns.ts";
import { enterPrivateMountNamespace } from "../store/overlay.ts";

/** Fails with NAMESPACES_FORBIDDEN (failed_precondition), naming what forbids them and the command that changes it. */
export async function enterMountNamespace(): Promise<void> {
  try {
    enterPrivateMountNamespace();
  } catch (error) {
    const plan = await planUserNamespace({ command: [], runDirectory: userRunDirectory(process.env, process.geteuid?.() ?? 0), env: process.env });
    const unavailable = plan.kind === "unavailable" ? plan : undefined;
    const reason = unavailable?.reason ?? (error instanceof Error ? error.message : String(error));
    throw new SlipwayError(
      "failed_precondition",
      "NAMESPACES_FORBIDDEN",
      `RUN needs namespaces, which this process may not make: ${reason}`,
      { remedy: unavailable?.remedy ?? "run as root" },
      error,
    );
  }
}
