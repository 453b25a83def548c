/**
 * A program in a chroot sees another root than its mount namespace has. What enters a container's namespace later (`exec`) lands at the
 * namespace's root, and pivot_root in crun and runc wants the root to be a mount. So a fresh namespace gets the chroot's directory as its root.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { changeDirectory, chroot, enterMounts, mount, mountFlag } from "./syscalls.ts";

const pathOnly = 0o10000000;
const openDirectory = (path: string): number => openSync(path, pathOnly | constants.O_DIRECTORY);

/** Call it in a mount namespace that nobody else uses. Outside a chroot it changes nothing; paths mean the same before and after. */
export function leaveChroot(): void {
  const directory = workingDirectory();
  const descriptors = [openDirectory("."), openDirectory("/"), openSync("/proc/self/ns/mnt", constants.O_RDONLY)] as const;
  const [here, root, namespace] = descriptors;
  try {
    enterMounts(namespace);
    if (isRoot(root)) {
      changeDirectory(here);
      return;
    }
    // what follows must not appear outside; and a mount below a shared one cannot be moved
    mount("none", "/", null, mountFlag.slave | mountFlag.recursive, null);
    changeDirectory(root);
    chroot(".");
    becomeRoot(namespace);
    process.chdir(directory);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

/** The same directory may be mounted in two places: a bind mount of the whole machine is a chroot, too. */
function isRoot(descriptor: number): boolean {
  const actual = openDirectory("/");
  try {
    const [seen, there] = [fstatSync(descriptor), fstatSync(actual)];
    return seen.dev === there.dev && seen.ino === there.ino && mountOf(descriptor) === mountOf(actual);
  } finally {
    closeSync(actual);
  }
}

/** "" where /proc does not say. @see proc(5) */
function mountOf(descriptor: number): string {
  try {
    return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

/** Moves a bind mount of this root over the namespace's, as switch_root does. */
function becomeRoot(namespace: number): void {
  mount("/", "/", null, mountFlag.bind | mountFlag.recursive, null);
  // the mount lies over the root itself, which only ".." crosses
  const root = openDirectory("/..");
  try {
    enterMounts(namespace);
    changeDirectory(root);
    mount(".", "/", null, mountFlag.move, null);
    chroot(".");
  } finally {
    closeSync(root);
  }
}

/** "/" for one that is deleted: there is no way back to it by name. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}
