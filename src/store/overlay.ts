/** Mounts of this process: a private mount namespace, overlay, bind and tmpfs mounts. They vanish with the processes that see them. */

export interface OverlayMount {
  /** Absolute paths of the lower layers, the top one first; at least one. */
  readonly lowers: readonly string[];
  /** Absent (with `work`): a read-only view of the lowers. */
  readonly upper?: string;
  /** Empty directory on the file system of `upper`. */
  readonly work?: string;
  readonly target: string;
  readonly readonly?: boolean;
  /** Overlay's marks are user.overlay.* instead of trusted.overlay.*: required inside a user namespace. Default: what this process needs. */
  readonly userxattr?: boolean;
  /** fsync inside the mount does nothing: for steps whose upper is synced as a whole afterwards (syncfs). `work` must be removed after use. */
  readonly volatile?: boolean;
}

export type OverlayProbe =
  | { readonly supported: true; readonly userxattr: boolean }
  | { readonly supported: false; readonly code: string; readonly reason: string };

/**
 * Gives this process its own mount namespace, once; later calls do nothing. Mounts made afterwards are seen by this thread's synchronous
 * fs calls and by children spawned afterwards, and disappear with the last of them, also after kill -9.
 * Threads of libuv's pool that already run (fs.promises, streams) stay in the old namespace: use synchronous fs on mounted paths.
 * Fails with MOUNT_NAMESPACE_DENIED (denied) without CAP_SYS_ADMIN.
 */
export declare function enterPrivateMountNamespace(): void;

/**
 * Mounts an overlay whose upper stays a plain layer (no index, metacopy or redirects). 300 lowers and more work.
 * Fails with MOUNT_FAILED (denied or failed_precondition), the kernel's own reason in the message.
 */
export declare function mountOverlay(options: OverlayMount): void;

/** Detaches what is mounted at `target` (lazily); a path where nothing is mounted is not an error. */
export declare function unmount(target: string): void;

export interface BindMount {
  readonly source: string;
  /** Exists already: a directory for a directory, a file for anything else. */
  readonly target: string;
  readonly readonly?: boolean;
  /** With the mounts below `source`. */
  readonly recursive?: boolean;
}
export declare function bindMount(options: BindMount): void;

export interface TmpfsMount {
  readonly target: string;
  readonly sizeBytes?: number;
  /** Default 0o755. */
  readonly mode?: number;
}
export declare function mountTmpfs(options: TmpfsMount): void;

/**
 * Whether this process can mount an overlay with upper and work below `directory` (created and removed inside it), and the reason if not.
 * Leaves no mount behind and needs no namespace of its own.
 */
export declare function probeOverlay(directory: string): OverlayProbe;
