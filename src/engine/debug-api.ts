/** The library's calls about steps that failed: what is left of them, and a shell in it. */
import type { BuildOptions, SecretSource, SshSource, Task } from "./api.ts";
import type { FileChange, FileEntry } from "./transfer-api.ts";

/** A step of a build whose state is kept. */
export interface FailedStep {
  /** 64 hexadecimal digits; a beginning is enough wherever one is asked for */
  readonly id: string;
  /** as displayed: "[build 2/5] RUN make" */
  readonly name: string;
  /** the Dockerfile's name */
  readonly dockerfile: string;
  /** its lines there, 1-based and inclusive */
  readonly lines: { readonly start: number; readonly end: number } | undefined;
  /** interrupted: the build was canceled or killed · stopped: made to be looked at, and never begun */
  readonly outcome: "running" | "failed" | "interrupted" | "stopped";
  /** of the command, where it ended by itself */
  readonly exitCode: number | undefined;
  /** why it failed, "" where nobody could say */
  readonly message: string;
  readonly createdMs: number;
  readonly command: readonly string[];
  /** the stage's SHELL */
  readonly shell: readonly string[];
  readonly env: readonly string[];
  readonly workdir: string;
  readonly user: string;
  readonly network: "default" | "none" | "host";
  readonly mounts: readonly { readonly type: "bind" | "cache" | "tmpfs" | "secret" | "ssh"; readonly target: string }[];
}

export interface ShellOptions {
  /** what runs instead of a shell */
  readonly command?: readonly string[];
  /** a static busybox of this machine, also where the image has a shell */
  readonly lendShell?: boolean;
  /** this process's own terminal is the shell's: then nothing of stdin and onOutput is used */
  readonly terminal?: boolean;
  /** commands for the shell; nothing: an empty standard input */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** 1: standard output, 2: standard error */
  readonly onOutput?: (stream: 1 | 2, data: Uint8Array) => void | Promise<void>;
  /** told what is not as it was: a secret that was not given again, a cache mount that was removed */
  readonly onNote?: (text: string) => void;
  /** secrets are never kept */
  readonly secrets?: readonly SecretSource[];
  readonly ssh?: readonly SshSource[];
  readonly signal?: AbortSignal;
}

/** A failed step that can be looked into. What a shell in it does is thrown away when it ends. */
export interface Failure {
  readonly step: FailedStep;
  /** 128 + n after signal n. Fails with BUSYBOX_MISSING (failed_precondition), CANCELED, LAYER_MISSING. */
  shell(options?: ShellOptions): Promise<{ readonly exitCode: number }>;
  /** A directory of the step's root file system; of anything else itself. What lies in mounts is not there. Fails with FILE_NOT_FOUND. */
  files(path?: string, options?: { readonly recursive?: boolean }): Promise<readonly FileEntry[]>;
  readFile(path: string): AsyncIterable<Uint8Array>;
  /** what the step had done to its root file system */
  changes(): Promise<readonly FileChange[]>;
  /** A tar that holds all that there is of it, for another machine. No secrets are in it. */
  save(): AsyncIterable<Uint8Array>;
}

export interface DebugApi {
  /** The newest first, running ones too. */
  list(): readonly FailedStep[];
  /**
   * By the id's beginning; without it the newest that does not run. Fails with NO_SUCH_STEP (not_found), STEP_RUNNING (conflict),
   * AMBIGUOUS_ID (invalid_argument).
   */
  open(id?: string): Promise<Failure>;
  /** Keeps the step that another machine saved. Fails with BUNDLE_INVALID (invalid_argument), and as loading an archive does. */
  load(source: AsyncIterable<Uint8Array>, options?: { readonly signal?: AbortSignal }): Promise<Failure>;
  /**
   * Builds up to a line of the Dockerfile, and makes a step of what a command there would find: it is kept until it is removed. Behind the last
   * line that is the end of the target. Fails as a build does, and with NO_SUCH_LINE (invalid_argument) where nothing is before the line.
   */
  stopAt(options: BuildOptions & { readonly line: number }): Task<Failure>;
  /** Fails with NO_SUCH_STEP, STEP_IN_USE (conflict). Answers the full id. */
  remove(id: string): string;
}
