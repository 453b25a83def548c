/** Containers that outlive the command that started them. */
import { SlipwayError } from "../base/errors.ts";
import type { ContainerConfig, ContainerMount, ContainerRecord, ContainerRecords, ContainerState } from "./container-records.ts";
import type { PortMapping } from "./ports.ts";

/** What every operation needs; made once by the engine. */
export interface ContainerHost {
  readonly records: ContainerRecords;
  /** runtime state of this boot, say /run/slipway: network namespaces, the OCI runtimes' state, attach sockets */
  readonly runDirectory: string;
  /** Mounts the container's root file system at `target` in this process's private mount namespace. */
  readonly mountRootfs: (record: ContainerRecord, target: string) => void;
  readonly onWarning: (message: string) => void;
}

export interface CreateContainerOptions {
  /** absent: a random adjective_noun */
  readonly name?: string;
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

/** What the container printed, as it was written: `stream` is 1 for everything with a terminal. */
export interface LogEntry {
  readonly timestamp: string;
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
}

export interface Attachment {
  /** output from the moment of attaching (or from the start, when attached before it); ends with the container */
  readonly output: AsyncIterable<LogEntry>;
  /** To the container's stdin; needs openStdin. */
  write(data: Uint8Array): Promise<void>;
  closeStdin(): void;
  /** Leaves the container running. */
  detach(): void;
}

export interface ExecOptions {
  readonly args: readonly string[];
  /** added to the container's own */
  readonly env: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly terminal: boolean;
  /** "inherit": this process's own stdio, which a terminal needs; "none": no stdin */
  readonly stdin: AsyncIterable<Uint8Array> | "inherit" | "none";
  readonly onOutput?: (stream: 1 | 2, data: Uint8Array) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

const todo = (word: string): never => {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", word);
};

export function createContainer(host: ContainerHost, options: CreateContainerOptions): ContainerRecord {
  return todo(host.runDirectory + options.imageId);
}
export async function startContainer(host: ContainerHost, nameOrId: string, options: { readonly attach?: boolean } = {}): Promise<{ readonly record: ContainerRecord; readonly attachment?: Attachment }> {
  return todo(host.runDirectory + nameOrId + String(options.attach));
}
export async function attachContainer(host: ContainerHost, nameOrId: string): Promise<Attachment> {
  return todo(host.runDirectory + nameOrId);
}
export function resizeContainer(host: ContainerHost, nameOrId: string, size: { readonly rows: number; readonly columns: number }): void {
  todo(host.runDirectory + nameOrId + String(size.rows));
}
export async function stopContainer(host: ContainerHost, nameOrId: string, options: { readonly signal?: string; readonly timeoutMs?: number } = {}): Promise<void> {
  todo(host.runDirectory + nameOrId + String(options.signal));
}
export function killContainer(host: ContainerHost, nameOrId: string, signal: string | number = "SIGKILL"): void {
  todo(host.runDirectory + nameOrId + String(signal));
}
export async function removeContainer(host: ContainerHost, nameOrId: string, options: { readonly force?: boolean } = {}): Promise<ContainerRecord> {
  return todo(host.runDirectory + nameOrId + String(options.force));
}
export async function execInContainer(host: ContainerHost, nameOrId: string, options: ExecOptions): Promise<{ readonly exitCode: number }> {
  return todo(host.runDirectory + nameOrId + String(options.cwd));
}
/** Resolves with the exit code once the container is not running (at once when it is not). */
export async function waitContainer(host: ContainerHost, nameOrId: string, options: { readonly signal?: AbortSignal } = {}): Promise<number> {
  return todo(host.runDirectory + nameOrId + String(options.signal));
}
/** The truth, also after kill -9 of the monitor or a reboot; writes it back to the record when it changed. */
export function containerState(host: ContainerHost, record: ContainerRecord): ContainerState {
  return todo(host.runDirectory + record.id);
}
export function readLogs(
  host: ContainerHost,
  nameOrId: string,
  options: { readonly follow?: boolean; readonly tail?: number; readonly since?: string; readonly until?: string; readonly signal?: AbortSignal } = {},
): AsyncIterable<LogEntry> {
  return todo(host.runDirectory + nameOrId + String(options.follow));
}
