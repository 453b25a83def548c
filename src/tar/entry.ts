/** One member of a tar archive, decoded. Names and pax values are bytes on the wire; see `name`. */
export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "char" | "block" | "fifo";

export interface TarEntry {
  readonly type: EntryType;
  /**
   * Path as in the archive, without a trailing slash. Bytes as a latin1 string when they are not valid UTF-8
   * (`rawName` set), else ordinary text.
   */
  readonly path: string;
  readonly rawName: boolean;
  /** target of a symlink or hardlink, same rule for bytes */
  readonly linkname: string;
  readonly rawLinkname: boolean;
  /** permission bits with setuid, setgid, sticky: 0o7777 */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  /** bytes of content that follow; 0 for everything but files */
  readonly size: number;
  /** nanoseconds since the epoch, may be negative */
  readonly mtimeNs: bigint;
  readonly devmajor: number;
  readonly devminor: number;
  /** full names ("security.capability") → bytes, from SCHILY.xattr.* */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}
