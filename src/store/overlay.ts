/** Mounts of this process: a private mount namespace, overlay, bind and tmpfs mounts. They vanish with the processes that see them. */
import { closeSync, mkdirSync, mkdtempSync, readFileSync, readSync, rmSync, symlinkSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { leaveChroot } from "./namespace-root.ts";
import { fsconfigCreate, fsconfigFlag, fsconfigString, fsmount, fsopen, mount, mountFlag, moveMount, umountDetach, unshareMounts } from "./syscalls.ts";

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

let isPrivate = false;

/**
 * Gives this process its own mount namespace, once; later calls do nothing. Mounts made afterwards are seen by this thread's synchronous
 * fs calls and by children spawned afterwards, and disappear with the last of them, also after kill -9. Mounts that others make outside
 * still appear inside.
 * Threads of libuv's pool that already run (fs.promises, streams) stay in the old namespace, with the working directory of that time:
 * use synchronous fs on mounted paths.
 * Fails with MOUNT_NAMESPACE_DENIED (denied) without CAP_SYS_ADMIN.
 */
export function enterPrivateMountNamespace(): void {
  if (isPrivate) return;
  try {
    unshareMounts();
    leaveChroot();
    mount("none", "/", null, mountFlag.slave | mountFlag.recursive, null);
  } catch (error) {
    throw new SlipwayError("denied", "MOUNT_NAMESPACE_DENIED", `cannot create a mount namespace: ${describe(error)}`, { errno: errnoOf(error) }, error);
  }
  isPrivate = true;
}

/**
 * Mounts an overlay whose upper stays a plain layer (no index, metacopy or redirects). 300 lowers and more work.
 * Fails with MOUNT_FAILED (failed_precondition) or MOUNT_DENIED (denied), the kernel's own reason in the message.
 */
export function mountOverlay(request: OverlayMount): void {
  checkPaths(request);
  // The kernel refuses a directory twice; of equal layers the upper one shows everything that the lower one could.
  const options = { ...request, lowers: [...new Set(request.lowers)] };
  let tree: number;
  try {
    tree = createOverlay(options);
  } catch (error) {
    // Kernels before 6.7 do not know "lowerdir+", those before 5.2 nothing of this.
    if (!(error instanceof NewApiError)) throw mountError("overlay", options.target, error);
    mountOverlayByOptions(options);
    return;
  }
  try {
    moveMount(tree, options.target);
  } catch (error) {
    throw mountError("overlay", options.target, error);
  } finally {
    closeSync(tree);
  }
}

class NewApiError extends Error {}

function checkPaths({ lowers, upper, work, target }: OverlayMount): void {
  const paths = [...lowers, ...(upper === undefined ? [] : [upper]), ...(work === undefined ? [] : [work]), target];
  if (lowers.length === 0 || (upper === undefined) !== (work === undefined) || !paths.every(isAbsolute)) {
    throw new SlipwayError("invalid_argument", "INVALID_MOUNT", "an overlay needs absolute paths, one lower at least, and upper and work together");
  }
}

/** What keeps the upper a plain layer. With userxattr the kernel sets the same by itself and refuses to be told so. */
function plainOptions(options: OverlayMount): readonly (readonly [string, string | undefined])[] {
  const userxattr = options.userxattr ?? isNamespaced();
  const marks: readonly (readonly [string, string | undefined])[] = userxattr
    ? [["userxattr", undefined]]
    : [
        ["redirect_dir", "nofollow"],
        ["metacopy", "off"],
      ];
  return [...marks, ["index", "off"], ...(options.volatile && options.upper !== undefined ? [["volatile", undefined] as const] : [])];
}

/** A descriptor of the mounted overlay, attached nowhere. Throws NewApiError when the kernel is too old for this way. */
function createOverlay(options: OverlayMount): number {
  const config = openOverlayConfig();
  try {
    for (const lower of options.lowers) addLower(config, lower);
    if (options.upper !== undefined) fsconfigString(config, "upperdir", options.upper);
    if (options.work !== undefined) fsconfigString(config, "workdir", options.work);
    for (const [key, value] of plainOptions(options)) {
      if (value === undefined) fsconfigFlag(config, key);
      else fsconfigString(config, key, value);
    }
    fsconfigCreate(config);
    return fsmount(config, options.readonly ? { readonly: true } : {});
  } catch (error) {
    if (error instanceof NewApiError) throw error;
    throw Object.assign(error instanceof Error ? error : new Error(String(error)), { kernelLog: readKernelLog(config) });
  } finally {
    closeSync(config);
  }
}

function openOverlayConfig(): number {
  try {
    return fsopen("overlay");
  } catch (error) {
    if (errnoOf(error) === "ENOSYS") throw new NewApiError("fsopen", { cause: error });
    throw error;
  }
}

function addLower(config: number, lower: string): void {
  try {
    fsconfigString(config, "lowerdir+", lower);
  } catch (error) {
    const isUnknown = errnoOf(error) === "EINVAL" && /Unknown parameter|^$/i.test(readKernelLog(config));
    throw isUnknown ? new NewApiError("lowerdir+", { cause: error }) : error;
  }
}

/** The kernel writes its reasons to the descriptor: "e overlay: filesystem on … not supported as upperdir". */
function readKernelLog(config: number): string {
  const lines: string[] = [];
  const buffer = Buffer.alloc(4096);
  try {
    for (let length = readSync(config, buffer); length > 0 && lines.length < 20; length = readSync(config, buffer)) {
      lines.push(
        printable(
          buffer
            .toString("utf8", 0, length)
            .trim()
            .replace(/^[ewi] /, ""),
        ),
      );
    }
  } catch {
    // ENODATA: that was all.
  }
  return lines.join("; ");
}

/**
 * mount(2) takes one page of options, too little for the paths of many layers: they become symlinks with short names in a directory
 * that is the working directory meanwhile.
 */
export function mountOverlayByOptions(options: OverlayMount): void {
  const names = mkdtempSync(join("/tmp", "slipway-"));
  const former = process.cwd();
  try {
    const short = (path: string, name: string): string => {
      symlinkSync(path, join(names, name));
      return name;
    };
    const lowers = options.lowers.map((lower, at) => short(lower, at.toString(36))).join(":");
    const parts = [`lowerdir=${lowers}`];
    if (options.upper !== undefined) parts.push(`upperdir=${short(options.upper, "upper")}`);
    if (options.work !== undefined) parts.push(`workdir=${short(options.work, "work")}`);
    for (const [key, value] of plainOptions(options)) parts.push(value === undefined ? key : `${key}=${value}`);
    process.chdir(names);
    mount("overlay", options.target, "overlay", options.readonly ? mountFlag.readonly : 0, parts.join(","));
  } catch (error) {
    throw mountError("overlay", options.target, error);
  } finally {
    process.chdir(former);
    rmSync(names, { recursive: true, force: true });
  }
}

/** Detaches what is mounted at `target` (lazily); a path where nothing is mounted is not an error. */
export function unmount(target: string): void {
  try {
    umountDetach(target);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "EINVAL" || errno === "ENOENT") return;
    throw mountError("unmount", target, error);
  }
}

export interface BindMount {
  readonly source: string;
  /** Exists already: a directory for a directory, a file for anything else. */
  readonly target: string;
  readonly readonly?: boolean;
  /** With the mounts below `source`; those stay writable. */
  readonly recursive?: boolean;
}

/** Fails with MOUNT_FAILED (failed_precondition) or MOUNT_DENIED (denied). */
export function bindMount(options: BindMount): void {
  try {
    mount(options.source, options.target, null, mountFlag.bind | (options.recursive ? mountFlag.recursive : 0), null);
    if (options.readonly) remountReadonly(options.target);
  } catch (error) {
    throw mountError("bind mount", options.target, error);
  }
}

function remountReadonly(target: string): void {
  const flags = mountFlag.bind | mountFlag.remount | mountFlag.readonly;
  try {
    mount(null, target, null, flags, null);
  } catch (error) {
    if (errnoOf(error) !== "EPERM") {
      unmount(target);
      throw error;
    }
    // In a user namespace the flags that the source's mount is locked to must be repeated.
    mount(null, target, null, flags | mountFlag.nosuid | mountFlag.nodev, null);
  }
}

export interface TmpfsMount {
  readonly target: string;
  /** Default: half of the memory, as the kernel does. */
  readonly sizeBytes?: number;
  /** Default 0o755. */
  readonly mode?: number;
  /** Device files in it are devices; never in a user namespace. */
  readonly devices?: boolean;
}

/** Fails with MOUNT_FAILED (failed_precondition) or MOUNT_DENIED (denied). */
export function mountTmpfs(options: TmpfsMount): void {
  const size = options.sizeBytes === undefined ? "" : `,size=${options.sizeBytes}`;
  try {
    const flags = mountFlag.nosuid | (options.devices === true ? 0 : mountFlag.nodev);
    mount("tmpfs", options.target, "tmpfs", flags, `mode=${(options.mode ?? 0o755).toString(8)}${size}`);
  } catch (error) {
    throw mountError("tmpfs mount", options.target, error);
  }
}

/**
 * Whether this process can mount an overlay with upper and work below `directory` (created and removed inside it), and the reason if not.
 * Leaves no mount behind and needs no namespace of its own. Fails only if nothing can be created in `directory`.
 */
export function probeOverlay(directory: string): OverlayProbe {
  const scratch = mkdtempSync(join(directory, ".overlay-"));
  const at = (name: string): string => join(scratch, name);
  try {
    for (const name of ["lower", "upper", "work", "target"]) mkdirSync(at(name));
    const userxattr = isNamespaced();
    probeMount({ lowers: [at("lower")], upper: at("upper"), work: at("work"), target: at("target"), userxattr });
    return { supported: true, userxattr };
  } catch (error) {
    if (error instanceof SlipwayError) return { supported: false, code: error.code, reason: error.message };
    throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function probeMount(options: OverlayMount): void {
  try {
    closeSync(createOverlay(options));
  } catch (error) {
    if (!(error instanceof NewApiError)) throw mountError("overlay", options.target, error);
    mountOverlayByOptions(options);
    unmount(options.target);
  }
}

/** In a user namespace other than the machine's own, where trusted.* attributes do not exist. */
function isNamespaced(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
}

function describe(error: unknown): string {
  const log = error instanceof Error && "kernelLog" in error && typeof error.kernelLog === "string" ? error.kernelLog : "";
  const message = error instanceof Error ? error.message : String(error);
  return log === "" ? message : `${message} (${log})`;
}

function mountError(what: string, target: string, error: unknown): SlipwayError {
  if (error instanceof SlipwayError) return error;
  const errno = errnoOf(error);
  const isDenied = errno === "EPERM" || errno === "EACCES";
  const message = `${what} on ${target}: ${describe(error)}`;
  return new SlipwayError(isDenied ? "denied" : "failed_precondition", isDenied ? "MOUNT_DENIED" : "MOUNT_FAILED", message, { target, errno }, error);
}
