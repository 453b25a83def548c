/**
 * What is kept about a container, and the port through which it is kept. A record is plain JSON: whoever stores it may
 * write it as text and read it back unchanged. The store decides about names and ids inside one transaction, so two
 * processes never get the same name.
 */
import type { Healthcheck } from "../oci/image-config.ts";
import type { ResourceLimits, Ulimit } from "./spec-options.ts";
import type { DeviceRequest } from "./container-devices.ts";
import type { LogSettings } from "./log-settings.ts";
import type { ProcessName } from "./live-process.ts";
import type { PortMapping } from "./ports.ts";
import type { ContainerNetworks, Endpoint } from "./user-networks.ts";

export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

export interface ContainerState {
  readonly status: ContainerStatus;
  /** of the container's first process, 0 when none runs */
  readonly pid: number;
  /** field 22 of /proc/PID/stat: tells this process from a later one with the same pid */
  readonly startTimeTicks: string;
  /** the boot of the machine in which it was started; absent: before the first start */
  readonly bootId?: string;
  readonly exitCode: number;
  /** RFC 3339, "" when it has not happened */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly oomKilled: boolean;
  /** of a paused one: it is held for what this process does, and no longer than it lives. Absent: until somebody lets it go on */
  readonly holder?: ProcessName;
  /** what kept the container from starting, in the words shown to the user */
  readonly error: string;
}

/** A mount as the container sees it; `source` is a directory or file of the host, or the volume's directory. */
export interface ContainerMount {
  readonly type: "bind" | "volume" | "tmpfs";
  /** the volume's name */
  readonly name?: string;
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** "z", "Z", "rshared" … as given */
  readonly options: readonly string[];
  readonly sizeBytes?: number;
  /** not the volume's directory, but this file system is mounted */
  readonly filesystem?: { readonly type: string; readonly device: string; readonly options: readonly string[] };
  /** directory or file in the volume that is mounted in its place */
  readonly subpath?: string;
  /** what lies in a bind mount's source as mounts of its own stays out */
  readonly nonRecursive?: boolean;
  /** given as --mount, not as -v or --tmpfs */
  readonly asMount?: boolean;
}

export interface RestartPolicy {
  readonly name: "no" | "always" | "on-failure" | "unless-stopped";
  /** of on-failure; 0: no bound */
  readonly maximumRetryCount: number;
}

/** joined: another container's, which `joins` names */
export type NetworkMode = "bridge" | "host" | "none" | "joined";

/** Everything that is needed to start the container again. */
export interface ContainerConfig {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** as given: "node", "1000:1000", "" for the image's default */
  readonly user: string;
  readonly hostname: string;
  readonly networkMode: NetworkMode;
  /** on the default bridge; absent: any */
  readonly macAddress?: string;
  /** absent: the mode says it all */
  readonly networks?: ContainerNetworks;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  readonly removeOnExit: boolean;
  readonly privileged: boolean;
  readonly readonlyRoot: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** "seccomp=unconfined", "no-new-privileges" … as given */
  readonly securityOptions: readonly string[];
  readonly ulimits: readonly Ulimit[];
  readonly limits: ResourceLimits;
  readonly shmSizeBytes: number;
  readonly extraHosts: readonly string[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly domainname?: string;
  readonly groupAdd?: readonly string[];
  /** of the machine, for the container; a directory stands for the devices in it */
  readonly devices?: readonly DeviceRequest[];
  /** "c 1:3 rwm" as given */
  readonly deviceRules?: readonly string[];
  /** control group above the container's, absolute below each hierarchy */
  readonly cgroupParent?: string;
  readonly cgroupns?: "host" | "private";
  /** as given to --runtime: "crun", "runc", or the path of one */
  readonly runtime?: string;
  /** for the OCI runtime, and whoever inspects */
  readonly annotations?: Readonly<Record<string, string>>;
  /** absent: a file without a bound */
  readonly logging?: LogSettings;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly oomScoreAdj?: number;
  readonly hostNamespaces?: readonly ("pid" | "ipc" | "uts")[];
  /** ids of the containers whose namespaces it has too */
  readonly joins?: { readonly network?: string; readonly pid?: string; readonly ipc?: string };
  /** others may have its IPC namespace; or it has no shared memory. Absent: private */
  readonly ipcMode?: "shareable" | "none";
  /** "80/tcp": what the image and the user say is open, published or not */
  readonly exposedPorts?: readonly string[];
  /** -v values with a source, --mount in Docker's JSON, and --volumes-from, as given: `inspect` shows them */
  readonly binds?: readonly string[];
  readonly mountRequests?: readonly Readonly<Record<string, unknown>>[];
  readonly volumesFrom?: readonly string[];
  /** the image's with what the user said; and the image's SHELL, which runs its commands */
  readonly healthcheck?: Healthcheck;
  readonly shell?: readonly string[];
  readonly restartPolicy?: RestartPolicy;
  readonly stopSignal: string;
  readonly stopTimeoutMs: number;
  /** Docker's default is a small init only with --init */
  readonly init: boolean;
}

export interface ContainerPaths {
  /** the container's own directory: bundle, logs, hosts, resolv.conf … */
  readonly directory: string;
  readonly lowers: readonly string[];
  readonly upper: string;
  readonly work: string;
}

export interface ContainerRecord {
  /** 64 hex digits */
  readonly id: string;
  /** without the leading slash */
  readonly name: string;
  readonly imageId: string;
  /** as the user wrote it */
  readonly imageName: string;
  /** as `ps` shows it: entrypoint and arguments joined by blanks, those with blanks quoted */
  readonly command: string;
  /** RFC 3339 */
  readonly created: string;
  readonly ports: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly ContainerMount[];
  readonly state: ContainerState;
  /** in users' networks, while it runs */
  readonly endpoints?: readonly Endpoint[];
  readonly config: ContainerConfig;
  readonly paths: ContainerPaths;
  /** somebody stopped or killed it since its last start: no restart policy starts it */
  readonly stopAsked?: boolean;
  /** by its policy, since somebody started it; the process that waits to start it */
  readonly restarts?: { readonly count: number; readonly delayMs: number; readonly pid: number; readonly startTimeTicks: string };
  /** absolute path of the OCI runtime that created the running instance, "" before the first start */
  readonly runtimePath: string;
}

export interface ContainerRecords {
  /**
   * Fails with kind "conflict", code NAME_TAKEN and the message of `nameTaken()` when another container has the name;
   * with ID_TAKEN when the id exists.
   */
  insert(record: ContainerRecord): void;
  /** Replaces the record of the same id; CONTAINER_NOT_FOUND when it is gone. Renaming onto a taken name: NAME_TAKEN. */
  update(record: ContainerRecord): void;
  /**
   * By full id, then by name (with or without the leading slash), then by unique id prefix.
   * Undefined when nothing matches; AMBIGUOUS_ID (invalid_argument) when a prefix fits several.
   */
  get(nameOrIdPrefix: string): ContainerRecord | undefined;
  /** newest first */
  list(): readonly ContainerRecord[];
  /** Removing what is not there succeeds: false. */
  remove(id: string): boolean;
}
