/** What the operations on containers share: where things lie and how the rest of the program is reached. */
import type { EventJournal } from "../store/event-journal.ts";
import type { ContainerConfig, ContainerMount, ContainerRecord, ContainerRecords } from "./container-records.ts";
import type { PortMapping } from "./ports.ts";
import type { NetworkDefinition } from "./user-networks.ts";

/** Made once by the engine. */
export interface ContainerHost {
  readonly records: ContainerRecords;
  /** Runtime state of this boot, say /run/slipway. Keep it short: a socket's path below it may have 107 bytes at most. */
  readonly runDirectory: string;
  /** Mounts the container's root file system at `target` in this process's private mount namespace. */
  readonly mountRootfs: (record: ContainerRecord, target: string) => void;
  readonly onWarning: (message: string) => void;
  /**
   * The command (absolute program and arguments) that a container's monitor runs when the container ended, for what needs the
   * database: `cleanupContainer(host, id, run)`, and removal for --rm. Without it that happens when a command next looks at the container.
   * `run` names the run that ended: a later one may have begun before the command gets to work.
   */
  readonly exitCommand?: (id: string, run: string) => readonly string[];
  /** What users' networks need: the command that becomes their keeper, and the store's directory. */
  readonly keeper?: { readonly command: readonly string[]; readonly store: string };
  readonly networkOf?: (id: string) => NetworkDefinition | undefined;
  /** where what happens is told; absent: nowhere */
  readonly journal?: Pick<EventJournal, "append" | "files">;
  /** of bridge, host and none */
  readonly predefinedNetworkId?: (name: string) => string;
}

export interface CreateContainerOptions {
  /** absent: a random adjective_noun */
  readonly name?: string;
  /** 64 hex digits; absent: random. For callers that prepare the container's directory before they create it. */
  readonly id?: string;
  readonly imageId: string;
  readonly imageName: string;
  readonly ports: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly ContainerMount[];
  readonly config: ContainerConfig;
  readonly lowers: readonly string[];
  /** the directory below which the container's own directory is made, named by its id */
  readonly containersDirectory: string;
}

/** Where the parts of one container lie. Pure. */
export interface ContainerFiles {
  /** lasts as long as the container */
  readonly directory: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly log: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
  readonly runtimeLog: string;
  /** conmon writes the exit code into a file named by the container's id */
  readonly exitDirectory: string;
  readonly exitFile: string;
  readonly oomFile: string;
  /** a directory for each further process with a monitor of its own */
  readonly execs: string;
  /** what the health checks found */
  readonly health: string;
  /** pid and start time of what runs them */
  readonly healthPid: string;
  /** ends with this boot */
  readonly run: string;
  /** names the run that the files of `run` belong to */
  readonly runToken: string;
  readonly sockets: string;
  /** of a container whose IPC namespace others may have: no mount of a container can be mounted in another one */
  readonly sharedMemory: string;
  readonly attachSocket: string;
  readonly conmonPid: string;
  readonly containerPid: string;
  readonly pastaPid: string;
  readonly network: string;
  /** crun's or runc's --root */
  readonly runtimeRoot: string;
}

export function containerFiles(host: Pick<ContainerHost, "runDirectory">, record: Pick<ContainerRecord, "id" | "paths">): ContainerFiles {
  const { directory } = record.paths;
  const run = `${host.runDirectory}/c/${record.id.slice(0, 12)}`;
  return {
    directory,
    bundle: `${directory}/bundle`,
    rootfs: `${directory}/rootfs`,
    log: `${directory}/container.log`,
    hosts: `${directory}/hosts`,
    hostname: `${directory}/hostname`,
    resolvConf: `${directory}/resolv.conf`,
    runtimeLog: `${directory}/runtime.log`,
    // beside the log, so that one watch sees both
    exitDirectory: directory,
    exitFile: `${directory}/${record.id}`,
    oomFile: `${directory}/persist/oom`,
    execs: `${directory}/execs`,
    health: `${directory}/health`,
    healthPid: `${directory}/health/pid`,
    run,
    runToken: `${run}/token`,
    sockets: `${run}/s`,
    sharedMemory: `${run}/shm`,
    attachSocket: `${directory}/bundle/attach`,
    conmonPid: `${run}/conmon.pid`,
    containerPid: `${run}/container.pid`,
    pastaPid: `${run}/net/pasta.pid`,
    network: `${run}/net`,
    runtimeRoot: `${host.runDirectory}/oci`,
  };
}
