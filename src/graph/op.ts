/**
 * The narrow waist: what a build can ask for. The same operations and meaning as BuildKit's LLB, so that a graph can be
 * marshalled to LLB and LLB can be solved here. Values only; identity is computed in vertex.ts.
 */
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";

/** Layers of an image that is in the store (or whose blobs can be fetched: `reference` says from where). */
export interface ImageOp {
  readonly type: "image";
  /** full name with digest where it is known, for display and for fetching */
  readonly reference: string;
  readonly platform: Platform;
  readonly chain: readonly Digest[];
}

/** A directory that the client hands in: "context", or the name of `--build-context`. */
export interface LocalOp {
  readonly type: "local";
  readonly name: string;
}

export interface GitOp {
  readonly type: "git";
  readonly url: string;
  /** branch, tag, commit or ref; "" is the remote's HEAD */
  readonly ref: string;
  readonly subdirectory: string;
  readonly keepGitDir: boolean;
  readonly skipSubmodules: boolean;
  /** commit that must be found */
  readonly checksum: string;
}

export interface HttpOp {
  readonly type: "http";
  readonly url: string;
  readonly checksum: string;
  readonly fileName: string;
}

export type ExecMount =
  | { readonly type: "bind"; readonly input: number; readonly source: string; readonly target: string; readonly readonly: boolean }
  | {
      readonly type: "cache";
      readonly id: string;
      readonly sharing: "shared" | "private" | "locked";
      readonly target: string;
      readonly readonly: boolean;
      /** initial content; undefined: an empty directory */
      readonly input: number | undefined;
      readonly source: string;
      readonly mode: number | undefined;
      readonly uid: number | undefined;
      readonly gid: number | undefined;
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly sizeBytes: number | undefined; readonly readonly?: true }
  | {
      readonly type: "secret";
      readonly id: string;
      /** file in the container; undefined: only as an environment variable */
      readonly target: string | undefined;
      readonly env: string | undefined;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly type: "ssh";
      readonly id: string;
      readonly target: string;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** Input 0 is the root file system unless `scratchBase`; the other inputs belong to mounts. */
export interface ExecOp {
  readonly type: "exec";
  readonly scratchBase: boolean;
  readonly args: readonly string[];
  /** `K=V`, in order */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly mounts: readonly ExecMount[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly extraHosts: readonly string[];
  readonly hostname: string;
  readonly shmSizeBytes: number | undefined;
  readonly ulimits: readonly string[];
  readonly platform: Platform;
  /** seconds: nothing in the layer is younger */
  readonly epoch: number | undefined;
  /** proxy variables: given to the process, no part of the identity */
  readonly proxyEnv: readonly string[];
}

export interface CopyAction {
  readonly type: "copy";
  /** index of the vertex's input that the sources lie in */
  readonly input: number;
  /** paths or patterns below the input's root */
  readonly sources: readonly string[];
  /** absolute; a trailing slash says "a directory" */
  readonly destination: string;
  /** as written: "0644", "u=rwX,go=rX" */
  readonly chmod: string | undefined;
  /** as written: "5:6", "node:node" */
  readonly chown: string | undefined;
  readonly exclude: readonly string[];
  readonly parents: boolean;
  /** extract local archives (ADD) */
  readonly unpack: boolean;
  /** the instruction's word, for messages */
  readonly verb: "COPY" | "ADD";
}

export interface MakeFileAction {
  readonly type: "mkfile";
  /** destination as in CopyAction: the file's own path, or a directory with a trailing slash in which `name` is made */
  readonly destination: string;
  readonly name: string;
  readonly content: string;
  readonly chmod: string | undefined;
  readonly chown: string | undefined;
}

export interface MakeDirectoryAction {
  readonly type: "mkdir";
  /** absolute; parents are made too; an existing directory is left as it is */
  readonly path: string;
  readonly chown: string | undefined;
}

export interface RemoveAction {
  readonly type: "rm";
  readonly path: string;
  readonly allowNotFound: boolean;
}

export type FileAction = CopyAction | MakeFileAction | MakeDirectoryAction | RemoveAction;

/** Input 0 is the base (absent for scratch: `scratchBase`); all actions together make one layer. */
export interface FileOp {
  readonly type: "file";
  readonly actions: readonly FileAction[];
  readonly scratchBase: boolean;
  /** seconds since the epoch for what the actions create from nothing */
  readonly epoch: number | undefined;
}

/** Inputs stacked, the first at the bottom. */
export interface MergeOp {
  readonly type: "merge";
}

/** What input 1 adds to input 0. */
export interface DiffOp {
  readonly type: "diff";
}

export type Op = ImageOp | LocalOp | GitOp | HttpOp | ExecOp | FileOp | MergeOp | DiffOp;
