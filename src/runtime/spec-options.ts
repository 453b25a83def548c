/** What a caller says about a process that is to run in a container; spec.ts turns it into an OCI configuration. */
import type { BlockLimits } from "./block-limits.ts";
import type { OciBlockIo, OciDeviceRule } from "./oci-spec.ts";

/** What user.ts resolves; ids as seen inside the container. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

/** `name` without the RLIMIT_ prefix, lower case: "nofile". -1 means unlimited. */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

export interface ResourceLimits {
  readonly memoryBytes?: number;
  /** memory plus swap; -1 unlimited */
  readonly memorySwapBytes?: number;
  readonly memoryReservationBytes?: number;
  readonly cpuShares?: number;
  /** as `--cpus` named it; quota and period are what it comes to */
  readonly nanoCpus?: number;
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pidsLimit?: number;
  readonly block?: BlockLimits;
  /** 0 to 100 */
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  readonly realtimePeriodUs?: number;
  readonly realtimeRuntimeUs?: number;
}

export interface DeviceNode {
  /** what the container may do with it; absent: "rwm" */
  readonly access?: string;
  readonly path: string;
  readonly type: "c" | "b" | "p";
  readonly major: number;
  readonly minor: number;
  /** permission bits, 0o666 */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export type SpecMount =
  | {
      readonly kind: "bind";
      /** absolute path on the host (as the runtime sees it) */
      readonly source: string;
      readonly destination: string;
      readonly readOnly: boolean;
      /** whether the source is a directory: says what kind of stub the mount point needs */
      readonly sourceKind?: "directory" | "file";
      /** without what is mounted in the source */
      readonly nonRecursive?: boolean;
      /** further options of the OCI runtime: "nosuid", "rshared" … */
      readonly options?: readonly string[];
    }
  | {
      readonly kind: "tmpfs";
      readonly destination: string;
      readonly readOnly?: boolean;
      readonly sizeBytes?: number;
      /** permission bits of its root, 0o1777 by default */
      readonly mode?: number;
      readonly options?: readonly string[];
    }
  | {
      /** any other file system, which the runtime mounts as mount(8) would */
      readonly kind: "filesystem";
      readonly type: string;
      readonly source: string;
      readonly destination: string;
      readonly readOnly: boolean;
      readonly options: readonly string[];
    };

export type SpecNetwork =
  /** a new namespace with nothing but loopback */
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  /** an existing network namespace by path */
  | { readonly kind: "netns"; readonly path: string };

export interface SpecOptions {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: ProcessUser;
  /** absolute path of the mounted root file system */
  readonly rootfs: string;
  readonly hostname: string;
  readonly network: SpecNetwork;
  /** in the order given; later ones lie above earlier ones */
  readonly mounts?: readonly SpecMount[];
  readonly privileged?: boolean;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  /** the default profile unless "unconfined" (privileged is always unconfined) */
  /** or a profile of the user's own, in Docker's format */
  readonly seccomp?: "default" | "unconfined" | { readonly profile: string };
  /** nothing of /proc and /sys is hidden or read-only */
  readonly openSystemPaths?: boolean;
  readonly noNewPrivileges?: boolean;
  readonly readonlyRoot?: boolean;
  readonly terminal?: boolean;
  readonly ulimits?: readonly Ulimit[];
  /** 64 MiB by default */
  readonly shmSizeBytes?: number;
  /** -1000 … 1000; absent: not touched */
  readonly oomScoreAdj?: number;
  readonly devices?: readonly DeviceNode[];
  /** more that it may open, whether the node is there or not */
  readonly deviceRules?: readonly OciDeviceRule[];
  readonly sysctls?: Readonly<Record<string, string>>;
  /** path of the cgroup below each hierarchy; absent: no cgroup of its own, and limits are not applied */
  readonly cgroupsPath?: string;
  readonly limits?: ResourceLimits;
  /** what limits.block comes to on this machine */
  readonly blockIo?: OciBlockIo;
  /** a namespace of control groups */
  readonly privateCgroups?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  /** another container's process namespace, by path */
  readonly joinedPid?: string;
  /** another container's IPC namespace, by path */
  readonly joinedIpc?: string;
  /** directory that stands at /dev/shm, in place of a tmpfs */
  readonly sharedMemory?: string;
  /** no /dev/shm */
  readonly noSharedMemory?: boolean;
  /** host namespaces instead of new ones */
  readonly hostPid?: boolean;
  readonly hostIpc?: boolean;
  readonly hostUts?: boolean;
}

/** What the machine and the way we run allow; comes from the probe, never from the user. */
export interface SpecMachine {
  /** Node's process.arch */
  readonly arch: string;
  /** inside a user namespace of ours: devices cannot be opened anyway, host network means a bound /sys */
  readonly rootless: boolean;
  /** whether /sys/fs/cgroup can be mounted in the container */
  readonly cgroupMount: boolean;
  /** the runtime itself already runs in a cgroup that guards devices */
  readonly deviceCgroup: boolean;
  /** the host has /dev/mqueue, for containers that share its IPC namespace */
  readonly hostQueues?: boolean;
  /** a namespace with a single mapped id: no other group can be named in mount options or set */
  readonly singleId?: boolean;
  /** capabilities that this process may hand on; absent: all */
  readonly capabilities?: readonly string[];
}
