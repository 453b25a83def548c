/** A further process of a container as the OCI runtime is told of it. */
import { chooseCapabilities } from "./capabilities.ts";
import type { ContainerRecord } from "./container-records.ts";
import { containerEnv, containerUser } from "./container-spec.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import type { OciProcess } from "./oci-spec.ts";
import { parseSecurityOptions } from "./security-options.ts";

export interface ProcessOptions {
  readonly args: readonly string[];
  /** added to the container's own */
  readonly env: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly terminal: boolean;
}

/** The user's name is looked up in the container as it is now. */
export function execProcess(record: ContainerRecord, runtime: OciRuntime, options: ProcessOptions, rootfs: string): OciProcess {
  const { config } = record;
  const user = containerUser(rootfs, config, options.user ?? config.user, { forExec: true });
  const capabilities = chooseCapabilities({
    privileged: config.privileged || options.privileged === true,
    add: config.capAdd,
    drop: config.capDrop,
    available: runtime.capabilities,
  });
  const added = new Set(options.env.map((entry) => entry.split("=", 1)[0]));
  const base = containerEnv(record, user.home).filter((entry) => !added.has(entry.split("=", 1)[0]) && (options.terminal || !entry.startsWith("TERM=")));
  return {
    terminal: options.terminal,
    user: { uid: user.uid, gid: user.gid, ...(runtime.singleId ? {} : { additionalGids: user.additionalGids }) },
    args: options.args,
    env: [...base, ...(options.terminal && !base.some((entry) => entry.startsWith("TERM=")) && !added.has("TERM") ? ["TERM=xterm"] : []), ...options.env],
    cwd: options.cwd ?? (config.cwd === "" ? "/" : config.cwd),
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    ...(parseSecurityOptions(config.securityOptions).noNewPrivileges ? { noNewPrivileges: true } : {}),
  };
}
