/** A client's directory as a build sees it: what `.dockerignore` leaves, owned by root. */
import { SlipwayError } from "../../base/errors.ts";
import type { IgnoreMatcher } from "../../dockerfile/ignore.ts";
import type { SettledTimes } from "../../solver/selection.ts";
import { DirectoryView, joinPath, type FileNode, type FileView } from "../../store/index.ts";
import { nodeAt } from "../../store/directory-view.ts";

/** What Node reads where bytes are no UTF-8. */
const unreadable = "\ufffd";
const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

/** Files that are said to be from a time, with the modes that git tells apart. */
export interface SettledFiles {
  /** since 1970; undefined: it stays as it lies there */
  readonly secondsOf: (path: string, node: FileNode) => number | undefined;
  /** a layer that has them at other times is another one */
  readonly inKeys: boolean;
}

/** Everything but what lies in `.git`. */
export function allSettled(seconds: number, inKeys: boolean): SettledFiles {
  return { inKeys, secondsOf: (path) => (path === ".git" || path.startsWith(".git/") ? undefined : seconds) };
}

/** What two checkouts of one commit have in common. */
function settled(node: FileNode, seconds: number): FileNode {
  const isExecutable = node.type === "directory" || (node.mode & 0o100) !== 0;
  const mode = node.type === "symlink" ? node.mode : isExecutable ? 0o755 : 0o644;
  return { ...node, uid: 0, gid: 0, mode, mtimeNs: BigInt(seconds) * 1_000_000_000n, inode: "" };
}

export class ContextView implements FileView {
  readonly root: string;
  readonly #files: DirectoryView;
  readonly #ignore: IgnoreMatcher | undefined;
  readonly #settled: SettledFiles | undefined;
  readonly #settledAt = new Map<string, number>();
  readonly #included = new Map<string, boolean>();

  constructor(root: string, ignore: IgnoreMatcher | undefined, files?: SettledFiles) {
    this.root = root;
    this.#settled = files;
    this.#ignore = ignore;
    this.#files = new DirectoryView(root, ignore === undefined ? undefined : (path, node) => this.#excluded(path, node));
  }

  /** A directory that is ignored is still there when something below it is not. */
  #excluded(path: string, node: FileNode): boolean {
    if (this.#ignore?.matches(path) !== true) return false;
    if (node.type !== "directory" || this.#ignore.canSkipDirectory(path)) return true;
    let included = this.#included.get(path);
    if (included === undefined) this.#included.set(path, (included = this.#hasIncluded(path)));
    return !included;
  }

  #hasIncluded(directory: string): boolean {
    const names = new DirectoryView(this.root).list(directory);
    return names.some((name) => {
      const path = joinPath(directory, name);
      const node = nodeAt(`${this.root}/${path}`, "empty files");
      return node !== undefined && !this.#excluded(path, node);
    });
  }

  lookup(path: string): FileNode | undefined {
    const node = this.#files.lookup(path);
    if (node === undefined && path.includes(unreadable)) this.#refuse(path);
    const seconds = node === undefined ? undefined : this.#settled?.secondsOf(path, node);
    if (node !== undefined && seconds !== undefined) {
      this.#settledAt.set(path, seconds);
      return settled(node, seconds);
    }
    return node === undefined || (node.uid === 0 && node.gid === 0) ? node : { ...node, uid: 0, gid: 0 };
  }

  /** What counts in keys, of a path that was looked up. */
  get keyed(): SettledTimes | undefined {
    return this.#settled?.inKeys === true ? this.#settledAt : undefined;
  }

  /** A name that is no UTF-8 was listed with marks in it, and is not found again under them. */
  #refuse(path: string): void {
    if (this.#ignore?.matches(path) === true) return;
    throw new SlipwayError("invalid_argument", "INVALID_FILE_NAME", `file name is not valid UTF-8: ${JSON.stringify(path)}`, { path });
  }

  list(path: string): readonly string[] {
    return this.#files.list(path);
  }

  /** Attributes of the client's files stay with the client. */
  xattrs(): ReadonlyMap<string, Uint8Array> {
    return noXattrs;
  }
}
