/** Owner, mode, extended attributes and times of what an archive creates, in the order in which the kernel keeps them. */
import { chmodSync, fchmodSync, fchownSync, futimesSync, lchownSync, lutimesSync } from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { futimesNs, lSetXattr, lutimesNs } from "./syscalls.ts";

/** `count` ids from `inside` on (as in the archive) are `outside` … on disk. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/**
 * What happens to owners. keep: as recorded (root, or inside a user namespace with ranges) · map: through id ranges, an id outside them
 * fails with UNMAPPED_ID · ignore: everything belongs to this process, and what only root may do (chown, devices, trusted.*) is left out.
 */
export type Owners =
  | { readonly mode: "keep" }
  | { readonly mode: "map"; readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] }
  | { readonly mode: "ignore" }
  /** all belong to one */
  | { readonly mode: "one"; readonly uid: number; readonly gid: number };

export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

export type DiskPath = string | Buffer;

const specialBits = 0o7000;

export class AttributeWriter {
  readonly #owners: Owners;
  readonly #umask: number;
  /** What new files get without a chown; undefined when an inherited group could make it something else. */
  readonly #ownId: { readonly uid: number; readonly gid: number } | undefined;

  constructor(owners: Owners, groupsAreOwn: boolean) {
    this.#owners = owners;
    this.#umask = process.umask();
    this.#ownId = groupsAreOwn ? { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 } : undefined;
  }

  /** A new regular file that was opened with `attributes.mode`; `path` names it in errors and for its attributes. */
  setOnFile(fd: number, path: DiskPath, attributes: Attributes): void {
    const owner = this.#ownerToSet(attributes);
    if (owner) withOwnerErrors(owner, path, () => fchownSync(fd, owner.uid, owner.gid));
    // A chown clears setuid, the umask any bit: only then is the mode not yet right.
    if ((attributes.mode & (this.#umask | specialBits)) !== 0) fchmodSync(fd, attributes.mode);
    if (attributes.xattrs.size > 0) this.#setXattrs(path, attributes.xattrs);
    setFileTimes(fd, attributes.mtimeNs);
  }

  /** Symlinks, devices, fifos and directories, by path; nobody else may be writing there. */
  setOnPath(path: DiskPath, attributes: Attributes, isSymlink: boolean): void {
    this.setOwner(path, attributes);
    if (!isSymlink) chmodSync(path, attributes.mode);
    if (attributes.xattrs.size > 0) this.#setXattrs(path, attributes.xattrs);
    setPathTimes(path, attributes.mtimeNs);
  }

  /** `id`: as recorded in the archive. */
  setOwner(path: DiskPath, id: { readonly uid: number; readonly gid: number }): void {
    const owner = this.#ownerToSet(id);
    if (owner) withOwnerErrors(owner, path, () => lchownSync(path, owner.uid, owner.gid));
  }

  /** The owner on disk of what the archive says; undefined: whoever this process is. */
  ownerOnDisk({ uid, gid }: { readonly uid: number; readonly gid: number }): { uid: number; gid: number } | undefined {
    switch (this.#owners.mode) {
      case "ignore":
        return undefined;
      case "keep":
        return { uid, gid };
      case "one":
        return { uid: this.#owners.uid, gid: this.#owners.gid };
      case "map":
        return { uid: mapId(uid, this.#owners.uids, "uid"), gid: mapId(gid, this.#owners.gids, "gid") };
    }
  }

  #ownerToSet(id: { readonly uid: number; readonly gid: number }): { uid: number; gid: number } | undefined {
    const owner = this.ownerOnDisk(id);
    return owner && owner.uid === this.#ownId?.uid && owner.gid === this.#ownId.gid ? undefined : owner;
  }

  #setXattrs(path: DiskPath, xattrs: ReadonlyMap<string, Uint8Array>): void {
    for (const [name, value] of xattrs) {
      if (isOverlayXattr(name)) continue;
      try {
        lSetXattr(path, name, value);
      } catch (error) {
        if (!this.#mayFail(name, errnoOf(error))) throw error;
      }
    }
  }

  /** What the file system or this process's rights cannot hold is left out, but a lost capability of root's files is an error. */
  #mayFail(name: string, errno: string | undefined): boolean {
    if (errno === "ENOTSUP" || errno === "EOPNOTSUPP") return true;
    return errno === "EPERM" && (this.#owners.mode === "ignore" || name !== "security.capability");
  }
}

/** Overlay's own marks: from an archive they could point outside of its layer. */
export function isOverlayXattr(name: string): boolean {
  return name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.");
}

/** `direction` inside: from the archive to the disk; outside: back. Fails with UNMAPPED_ID (failed_precondition). */
export function mapId(id: number, ranges: readonly IdRange[], kind: "uid" | "gid", direction: "inside" | "outside" = "inside"): number {
  const other = direction === "inside" ? "outside" : "inside";
  const range = ranges.find((candidate) => id >= candidate[direction] && id < candidate[direction] + candidate.count);
  if (range) return range[other] + (id - range[direction]);
  throw new SlipwayError("failed_precondition", "UNMAPPED_ID", `${kind} ${id} is in no range of the user namespace: check /etc/sub${kind}`, { id, kind });
}

function withOwnerErrors(owner: { uid: number; gid: number }, path: DiskPath, chown: () => void): void {
  try {
    chown();
  } catch (error) {
    const errno = errnoOf(error);
    // EINVAL is the kernel's word for an id that the namespace does not map; Node's own for one beyond 32 bits is a range error.
    if (errno !== "EINVAL" && errno !== "ERR_OUT_OF_RANGE") throw error;
    const ids = `${owner.uid}:${owner.gid}`;
    const message = `potentially insufficient UIDs or GIDs available in user namespace (requested ${ids} for ${String(path)}): check /etc/subuid and /etc/subgid`;
    throw new SlipwayError("failed_precondition", "UNMAPPED_ID", message, { ...owner }, error);
  }
}

/** Whole seconds survive node:fs's floating point; anything else needs the exact call. */
function wholeSeconds(timeNs: bigint): number | undefined {
  return timeNs >= 0n && timeNs < 4_000_000_000_000_000_000n && timeNs % 1_000_000_000n === 0n ? Number(timeNs / 1_000_000_000n) : undefined;
}

function setFileTimes(fd: number, timeNs: bigint): void {
  const seconds = wholeSeconds(timeNs);
  if (seconds === undefined) futimesNs(fd, timeNs, timeNs);
  else futimesSync(fd, seconds, seconds);
}

export function setPathTimes(path: DiskPath, timeNs: bigint): void {
  const seconds = wholeSeconds(timeNs);
  if (seconds === undefined) lutimesNs(path, timeNs, timeNs);
  else lutimesSync(path, seconds, seconds);
}
