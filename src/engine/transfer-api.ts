/** The library's calls about images elsewhere: looking into them and moving them, without bringing them into the store. */

import type { Digest } from "../oci/digest.ts";
import type { Task } from "./api.ts";

export interface FileEntry {
  /** absolute: "/etc/passwd" */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "char" | "block" | "fifo";
  /** permission bits with setuid, setgid, sticky */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** 0 for everything but files */
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  /** of a symlink, "" otherwise */
  readonly linkname: string;
  readonly device: { readonly major: number; readonly minor: number };
}

export interface FileChange {
  readonly kind: "added" | "changed" | "removed";
  /** absolute */
  readonly path: string;
  /** bytes of the file now; 0 when it was removed */
  readonly sizeBytes: number;
  /** bytes of the file before, of a removed directory all of it */
  readonly beforeBytes: number;
}

/** Where images are named: see docs/copy.md. */
export interface LocationOptions {
  /** one of an index's platforms; default: this machine's */
  readonly platform?: string;
  /** what paths of locations are relative to; default: the process's directory */
  readonly cwd?: string;
  readonly signal?: AbortSignal;
}

export interface CopyOptions extends LocationOptions {
  /** an index with all its images; the default, but for Docker's archives and its daemon, which get this machine's image */
  readonly all?: boolean;
}

export interface CopyEvent {
  readonly kind: "blob" | "manifest";
  readonly digest: Digest;
  /** "copying" comes often; the others once, at the end */
  readonly status: "copying" | "copied" | "exists" | "mounted" | "written";
  readonly currentBytes: number;
  readonly sizeBytes: number;
}

export interface TransferApi {
  /** All tags of a registry's repository, in the registry's order. */
  tags(repository: string, options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
  /** A directory's entries; of anything else itself. Fails with FILE_NOT_FOUND (not_found). */
  listFiles(image: string, path: string, options?: LocationOptions & { readonly recursive?: boolean }): Promise<readonly FileEntry[]>;
  readFile(image: string, path: string, options?: LocationOptions): AsyncIterable<Uint8Array>;
  /** A tar archive of the path, its members below the path's last name. */
  archivePath(image: string, path: string, options?: LocationOptions & { readonly followLink?: boolean }): AsyncIterable<Uint8Array>;
  /** Writes the path to `destination` by the rules of Docker's cp. */
  copyPath(
    image: string,
    path: string,
    destination: string,
    options?: LocationOptions & { readonly followLink?: boolean; readonly keepOwners?: boolean },
  ): Promise<{ readonly path: string; readonly sizeBytes: number }>;
  /** From one place to another, digests unchanged; `digest` is that of what was copied. */
  copy(source: string, target: string, options?: CopyOptions): Task<{ readonly digest: Digest; readonly mediaType: string }, CopyEvent>;
  /** What `after` has that `before` has not, sorted by path. Without `before`: what the topmost layer of `after` changed. */
  diff(before: string | undefined, after: string, options?: LocationOptions): Promise<readonly FileChange[]>;
}
