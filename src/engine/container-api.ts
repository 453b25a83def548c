/** The library's words for containers. */
import type { SlipwayError } from "../base/errors.ts";
import type { BlockLimits } from "../runtime/block-limits.ts";
import type { NetworkRequest } from "./networks-api.ts";
import type { Digest } from "../oci/digest.ts";
import type { Filters } from "./api.ts";
import type { FileChange } from "./transfer-api.ts";
import type { PullEvent } from "./registry-api.ts";

export interface LimitOptions {
  readonly memoryBytes?: number;
  /** memory and swap together; -1: no limit */
  readonly memorySwapBytes?: number;
  readonly memoryReservationBytes?: number;
  readonly cpus?: number;
  readonly cpuPeriodUs?: number;
  readonly cpuQuotaUs?: number;
  readonly cpuShares?: number;
  /** "0-3", "0,1" */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** -1: none */
  readonly pidsLimit?: number;
  readonly block?: BlockLimits;
  /** 0 to 100 */
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  readonly realtimePeriodUs?: number;
  readonly realtimeRuntimeUs?: number;
}

/** `--mount`; which fields a type takes is the type's own */
export interface MountOption {
  /** "volume", "bind", "tmpfs" */
  readonly type: string;
  /** absolute path, or volume's name; none for an anonymous volume */
  readonly source?: string;
  readonly target: string;
  readonly readOnly?: boolean;
  readonly consistency?: string;
  readonly propagation?: string;
  readonly nonRecursive?: boolean;
  /** do not fill a new volume with what the image has there */
  readonly noCopy?: boolean;
  readonly volumeLabels?: Readonly<Record<string, string>>;
  readonly volumeDriver?: string;
  readonly volumeOptions?: Readonly<Record<string, string>>;
  readonly volumeSubpath?: string;
  readonly tmpfsBytes?: number;
  /** permission bits */
  readonly tmpfsMode?: number;
}

export interface RunOptions {
  /** image name or id, or the id of an intermediate build result */
  readonly image: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly name?: string;
  /** `K=V`, or `K` alone to take this process's value */
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly hostname?: string;
  /** `-p` values */
  readonly publish?: readonly string[];
  readonly publishAll?: boolean;
  /** `-v` values */
  readonly volumes?: readonly string[];
  readonly mounts?: readonly MountOption[];
  /** of the volumes that `volumes` makes; "local" is there */
  readonly volumeDriver?: string;
  /** "bridge", "host", "none", "container:NAME", or a network that was made */
  readonly network?: string;
  /** several, or one with more than its name; in place of `network` */
  readonly networks?: readonly NetworkRequest[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly addHosts?: readonly string[];
  readonly tty?: boolean;
  readonly interactive?: boolean;
  readonly remove?: boolean;
  readonly init?: boolean;
  readonly readOnly?: boolean;
  readonly privileged?: boolean;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ulimits?: readonly string[];
  /** they need control groups that can be written; elsewhere a warning says that they are discarded */
  readonly limits?: LimitOptions;
  readonly oomScoreAdj?: number;
  /** for the OCI runtime, and whoever inspects: "name=value" */
  readonly annotations?: readonly string[];
  /** control group above the container's */
  readonly cgroupParent?: string;
  readonly cgroupns?: "host" | "private";
  /** "json-file", "local", "none" */
  readonly logDriver?: string;
  /** "max-size=10m", "max-file=3" */
  readonly logOptions?: readonly string[];
  /** "crun", "runc", or the path of one */
  readonly runtime?: string;
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  readonly domainname?: string;
  /** names or numbers */
  readonly groupAdd?: readonly string[];
  /** of the machine, for the container */
  readonly devices?: readonly { readonly host: string; readonly container: string; readonly permissions: string }[];
  /** "c 1:3 rwm": more that it may open, whether a node is there or not */
  readonly deviceRules?: readonly string[];
  /** "net.ipv4.ip_forward=1" */
  readonly sysctls?: readonly string[];
  /** "seccomp=unconfined", "no-new-privileges" */
  readonly securityOptions?: readonly string[];
  /** the host's process, IPC or host name space instead of one of its own */
  readonly hostNamespaces?: readonly ("pid" | "ipc" | "uts")[];
  /** "container:NAME": the process namespace of another one */
  readonly pid?: string;
  /** "container:NAME", "shareable", "none", "private" */
  readonly ipc?: string;
  /** ports that are said to be open: "80", "53/udp", "8000-8010" */
  readonly expose?: readonly string[];
  /** containers whose mounts this one gets too: "name", "name:ro" */
  readonly volumesFrom?: readonly string[];
  readonly shmSizeBytes?: number;
  /** "none": the image's check is left out */
  readonly health?: HealthOptions | "none";
  /** when it is started again: "no", "always", "unless-stopped", "on-failure[:times]"; not with `remove` */
  readonly restart?: string;
  readonly stopSignal?: string;
  readonly stopTimeoutSeconds?: number;
  readonly platform?: string;
  readonly pull?: "always" | "missing" | "never";
  readonly signal?: AbortSignal;
}

/** What is absent is the image's own, or Docker's default: 30 s, 30 s, 3 tries, no time to start, 5 s between checks meanwhile. */
export interface HealthOptions {
  /** run by the image's shell */
  readonly command?: string;
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly startPeriodMs?: number;
  readonly startIntervalMs?: number;
}

export interface ContainerCopyOptions {
  /** of a link that is named, what it leads to */
  readonly followLink?: boolean;
  /** out: files keep their owners; in: they belong to the container's user */
  readonly archive?: boolean;
  readonly signal?: AbortSignal;
}

export interface CommitOptions {
  /** image name */
  readonly reference?: string;
  readonly author?: string;
  readonly message?: string;
  /** Dockerfile lines that alter the config */
  readonly changes?: readonly string[];
  /** default true */
  readonly pause?: boolean;
}

export interface UpdateOptions {
  /** those that are named replace the container's; pidsLimit 0 or below: none */
  readonly limits?: LimitOptions;
  /** "no", "always", "unless-stopped", "on-failure[:times]" */
  readonly restart?: string;
}

/** What a container uses between two looks, and since its start. All 0 when it does not run. */
export interface ContainerStats {
  readonly id: string;
  readonly name: string;
  /** 100 for one processor all the time */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly processes: number;
}

export interface OpenPort {
  /** an address; absent, like hostPort: exposed and not published */
  readonly hostIp?: string;
  readonly hostPort?: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
}

export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: Digest | undefined;
  readonly command: string;
  readonly createdSeconds: number;
  readonly state: "created" | "running" | "paused" | "restarting" | "exited" | "dead";
  /** "Up 3 minutes", "Exited (0) 2 hours ago" is made by the command line from these */
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  readonly exitCode: number | undefined;
  /** of a container with health checks that runs */
  readonly health?: "starting" | "healthy" | "unhealthy";
  /** of a running container, in Docker's order */
  readonly ports: readonly OpenPort[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly string[];
  readonly networks: readonly string[];
  /** bytes of the writable layer, only when asked for */
  readonly sizeBytes?: number;
  /** the same with the image's layers, only when asked for */
  readonly virtualSizeBytes?: number;
}

export interface LogLine {
  readonly stream: 1 | 2;
  readonly timestamp: string;
  /** with its line end, where the process wrote one */
  readonly data: Uint8Array;
}

/** The terminal side of an attached container. */
export interface AttachStreams {
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** told the container's id before its first output, so that signals find it */
  readonly onCreated?: (id: string) => void;
  readonly onOutput: (stream: 1 | 2, data: Uint8Array) => void;
  /** first size, then changes */
  readonly terminalSize?: { readonly rows: number; readonly columns: number };
  readonly onResize?: (listener: (rows: number, columns: number) => void) => () => void;
  /** An abort leaves what runs to itself: the call resolves without an exit code. */
  readonly detach?: AbortSignal;
}

export interface ContainerApi {
  /** Creates without starting; answers the id. Missing images are pulled as `pull` says. */
  create(options: RunOptions, onPull?: (event: PullEvent) => void): Promise<string>;
  start(container: string): Promise<void>;
  /**
   * After a boot, or after monitors were killed: starts what its restart policy wants and does not run, oldest first, one after the other. A
   * container that was never started is left alone; one with `always` is started though it was stopped by hand. Failures do not end it.
   */
  startByPolicies(): AsyncGenerator<{ readonly id: string; readonly name: string; readonly failure?: SlipwayError }>;
  /** create + start; with `attach` it also carries the streams and answers the exit code at the end. */
  run(
    options: RunOptions,
    attach?: AttachStreams,
    onPull?: (event: PullEvent) => void,
  ): Promise<{ readonly id: string; readonly exitCode: number | undefined }>;
  /**
   * Takes part in a running container until it ends or the streams are detached (no exit code then). With `start` one that does not run
   * is started first, and its output comes from the first byte on.
   */
  attach(
    container: string,
    streams: AttachStreams,
    options?: { readonly start?: boolean; readonly signal?: AbortSignal },
  ): Promise<{ readonly exitCode: number | undefined }>;
  /** Stops it if it runs, as stop() does, and starts it. */
  restart(container: string, options?: { readonly timeoutSeconds?: number; readonly signal?: string }): Promise<void>;
  rename(container: string, name: string): Promise<void>;
  list(options?: { readonly all?: boolean; readonly filters?: Filters; readonly size?: boolean; readonly last?: number }): Promise<readonly ContainerSummary[]>;
  /** Docker's `container inspect` object; with `size` it has SizeRw and SizeRootFs. */
  inspect(container: string, options?: { readonly size?: boolean }): Promise<Readonly<Record<string, unknown>>>;
  logs(
    container: string,
    options?: { readonly follow?: boolean; readonly tail?: number; readonly sinceMs?: number; readonly untilMs?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<LogLine>;
  stop(container: string, options?: { readonly timeoutSeconds?: number; readonly signal?: string }): Promise<void>;
  kill(container: string, signal?: string): Promise<void>;
  /** CONTAINER_PAUSED, CONTAINER_NOT_RUNNING (conflict). Without control groups its processes are stopped by signals. */
  pause(container: string): Promise<void>;
  /** CONTAINER_NOT_PAUSED (conflict). */
  unpause(container: string): Promise<void>;
  /** What ps says of its processes. CONTAINER_NOT_RUNNING, INVALID_PS_OPTIONS, PROGRAM_MISSING. */
  top(container: string, psOptions?: readonly string[]): Promise<{ readonly titles: readonly string[]; readonly rows: readonly (readonly string[])[] }>;
  /**
   * One set of numbers a second until the signal aborts; `once` gives one and ends. Without names all that run, with `all` all, at each look anew.
   * CONTAINER_NOT_FOUND.
   */
  stats(
    containers: readonly string[],
    options?: { readonly all?: boolean; readonly once?: boolean; readonly signal?: AbortSignal },
  ): AsyncIterable<readonly ContainerStats[]>;
  /** INVALID_LIMIT, INVALID_RESTART_POLICY, UPDATE_FAILED, LIMITS_UNAVAILABLE. */
  /** Answers what the machine has no means for. */
  update(container: string, options: UpdateOptions): Promise<readonly string[]>;
  wait(container: string): Promise<number>;
  remove(container: string, options?: { readonly force?: boolean; readonly volumes?: boolean }): Promise<void>;
  exec(
    container: string,
    options: {
      readonly command: readonly string[];
      readonly env?: readonly string[];
      readonly workdir?: string;
      readonly user?: string;
      readonly tty?: boolean;
      readonly interactive?: boolean;
      readonly detach?: boolean;
      readonly privileged?: boolean;
    },
    attach?: AttachStreams,
  ): Promise<{ readonly exitCode: number | undefined }>;
  /** What it changed of its image's files, sorted by path. */
  changes(container: string): Promise<readonly FileChange[]>;
  /**
   * Out of the container, running or not, volumes included, into a directory of this machine by the rules of Docker's cp. Answers where it went.
   * FILE_NOT_FOUND, COPY_DESTINATION.
   */
  copyOut(container: string, path: string, destination: string, options?: ContainerCopyOptions): Promise<{ readonly path: string; readonly sizeBytes: number }>;
  /** The same as a tar archive. */
  archive(container: string, path: string, options?: ContainerCopyOptions): AsyncIterable<Uint8Array>;
  /** Into the container. `source`: an absolute path, or a tar archive that may be compressed. CONTAINER_READ_ONLY besides. */
  copyInto(
    container: string,
    source: string | AsyncIterable<Uint8Array>,
    path: string,
    options?: ContainerCopyOptions,
  ): Promise<{ readonly sizeBytes: number }>;
  /**
   * An image of what the container is now; answers its id. It is paused meanwhile unless `pause` is false.
   * INVALID_REFERENCE, INVALID_CHANGE, CONTAINER_NOT_FOUND.
   */
  commit(container: string, options?: CommitOptions): Promise<Digest>;
  /** The container's file system as a tar. */
  export(container: string): AsyncIterable<Uint8Array>;
  prune(options?: { readonly filters?: Filters }): Promise<{ readonly removed: readonly string[]; readonly reclaimedBytes: number }>;
}
