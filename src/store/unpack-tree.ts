/**
 * What lies in the directory that an archive is unpacked into, as far as it matters: paths are resolved here and not by the kernel,
 * so that no symlink ever leads out of the root, and nothing is asked of the disk that this pass created itself.
 */
import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, unlinkSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { bytePath, diskPath, textOfBytePath, type BytePath } from "./entry-path.ts";
import type { Attributes, DiskPath } from "./unpack-attributes.ts";

/**
 * What lower layers have at a path that the archive uses as a parent without an entry for it. A symlink is not followed into the lower
 * layers: as with Docker, a directory takes its place.
 */
export type LowerParent = ({ readonly type: "directory" } & Attributes) | { readonly type: "symlink"; readonly target: string };

export interface DirectoryNode {
  readonly kind: "directory";
  readonly path: BytePath;
  /** undefined: the root */
  readonly parent: DirectoryNode | undefined;
  readonly children: Map<string, TreeNode>;
  /** Made by this pass: what is not in `children` is not there. */
  readonly isNew: boolean;
  /** Named by the archive, and not only what was there before. */
  fromArchive: boolean;
  /** Nothing of the lower layers shows through, here and below. */
  isOpaque: boolean;
  /** The archive has no entry for it: its attributes are those of the lower layers. */
  isImplied: boolean;
  /** To be set at the end, when nothing is created in it any more. */
  attributes: Attributes | undefined;
}

export type TreeNode =
  | DirectoryNode
  | { readonly kind: "symlink"; readonly target: string; readonly fromArchive: boolean }
  /** char 0:0 that stands for a deletion */
  | { readonly kind: "whiteout"; readonly fromArchive: true }
  | { readonly kind: "file"; readonly fromArchive: boolean };

export interface Place {
  readonly parent: DirectoryNode;
  /** "" with the root as parent: the root itself */
  readonly name: string;
  readonly path: BytePath;
}

/** As Linux does; Docker allows 255. */
const maxSymlinks = 255;

function newNode(path: BytePath, parent: DirectoryNode | undefined, isNew: boolean, attributes: Attributes | undefined): DirectoryNode {
  return { kind: "directory", path, parent, children: new Map(), isNew, fromArchive: isNew, isOpaque: false, isImplied: false, attributes };
}

const missingAttributes: Attributes = { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() };

export interface TreeOptions {
  readonly directory: string;
  /** Nothing is in it yet. */
  readonly isNew: boolean;
  readonly missingParent: ((path: string) => LowerParent | undefined) | undefined;
  /** A directory takes the place of a whiteout: what lower layers have under its name must stay hidden. */
  readonly onReplacedWhiteout: (directory: DirectoryNode) => void;
}

export class UnpackTree {
  readonly root: DirectoryNode;
  readonly #options: TreeOptions;
  readonly #prefix: string;
  /** The directory that was resolved last, by its unresolved path: archives name files of one directory in a row. */
  #lastPath: string | undefined;
  #lastParent: DirectoryNode;

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#prefix = `${bytePath(options.directory, false)}/`;
    this.root = newNode("" as BytePath, undefined, options.isNew, undefined);
    this.#lastParent = this.root;
  }

  diskPath(path: BytePath): DiskPath {
    return diskPath(this.#prefix + path);
  }

  /** Where an entry goes: its parents are resolved inside the root, and created where they are missing. */
  place(path: BytePath): Place {
    const slash = path.lastIndexOf("/");
    const parentPath = slash < 0 ? "" : path.slice(0, slash);
    if (parentPath !== this.#lastPath) {
      this.#lastParent = this.#walk(parentPath, true) ?? this.root;
      this.#lastPath = parentPath;
    }
    return this.#inside(this.#lastParent, path.slice(slash + 1));
  }

  /** Where a path leads without following its last part; nothing is created. undefined: a parent is missing. */
  find(path: BytePath): { readonly place: Place; readonly node: TreeNode | undefined } | undefined {
    const slash = path.lastIndexOf("/");
    const parent = this.#walk(slash < 0 ? "" : path.slice(0, slash), false);
    if (parent === undefined) return undefined;
    const place = this.#inside(parent, path.slice(slash + 1));
    return { place, node: this.nodeAt(place) };
  }

  nodeAt(place: Place): TreeNode | undefined {
    const { parent, name } = place;
    if (name === "") return this.root;
    const known = parent.children.get(name);
    if (known !== undefined || parent.isNew) return known;
    const found = this.#nodeOnDisk(place);
    if (found) parent.children.set(name, found);
    return found;
  }

  set({ parent, name }: Place, node: TreeNode): void {
    parent.children.set(name, node);
    if (node.kind === "symlink") this.#lastPath = undefined;
  }

  /** Deletes what is at a place, whatever it is. */
  remove({ parent, name, path }: Place, node: TreeNode): void {
    if (node.kind === "directory") rmSync(this.diskPath(path), { recursive: true, force: true });
    else unlinkSync(this.diskPath(path));
    parent.children.delete(name);
    this.#lastPath = undefined;
  }

  /** Deletes below a directory what the archive did not bring. */
  removeFormer(directory: DirectoryNode): void {
    if (directory.isNew) return;
    for (const bytes of readdirSync(this.diskPath(directory.path), { encoding: "buffer" })) {
      const place = this.#inside(directory, bytes.toString("latin1"));
      const node = this.nodeAt(place);
      if (node === undefined) continue;
      if (!node.fromArchive) this.remove(place, node);
      else if (node.kind === "directory") this.removeFormer(node);
    }
  }

  /** Whether the directory or one above it is opaque. */
  isHidden(directory: DirectoryNode): boolean {
    for (let at: DirectoryNode | undefined = directory; at !== undefined; at = at.parent) if (at.isOpaque) return true;
    return false;
  }

  /** In an opaque directory whiteouts have nothing to hide, and the kernel would list their names. */
  removeWhiteouts(directory: DirectoryNode): void {
    for (const [name, node] of directory.children) {
      if (node.kind === "whiteout") this.remove(this.#inside(directory, name), node);
      else if (node.kind === "directory") this.removeWhiteouts(node);
    }
  }

  /** The directory at a place: the one that is there, or a new one instead of whatever else is. Its attributes come at the end. */
  makeDirectory(place: Place, attributes: Attributes): DirectoryNode {
    const former = this.nodeAt(place);
    if (former?.kind === "directory") {
      former.attributes = attributes;
      former.isImplied = false;
      return former;
    }
    if (former) this.remove(place, former);
    mkdirSync(this.diskPath(place.path), 0o700);
    const directory: DirectoryNode = newNode(place.path, place.parent, true, attributes);
    this.set(place, directory);
    if (former?.kind === "whiteout") this.#options.onReplacedWhiteout(directory);
    return directory;
  }

  /** Every directory whose attributes are still to be set, children before their parents. */
  *pendingDirectories(directory: DirectoryNode = this.root): Generator<DirectoryNode> {
    const stack: { node: DirectoryNode; visited: boolean }[] = [{ node: directory, visited: false }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.visited) {
        stack.pop();
        if (top.node.attributes) yield top.node;
        continue;
      }
      top.visited = true;
      for (const child of top.node.children.values()) if (child.kind === "directory") stack.push({ node: child, visited: false });
    }
  }

  #inside(parent: DirectoryNode, name: string): Place {
    return { parent, name, path: (parent.path === "" ? name : `${parent.path}/${name}`) as BytePath };
  }

  /** The directory that a path means, symlinks followed inside the root. */
  #walk(path: string, create: boolean): DirectoryNode | undefined {
    const rest = path === "" ? [] : path.split("/").reverse();
    const trail: DirectoryNode[] = [this.root];
    let symlinks = 0;
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const next = this.#step(trail.at(-1) ?? this.root, name, create);
      if (next === undefined) return undefined;
      if (typeof next !== "string") {
        trail.push(next);
        continue;
      }
      if (++symlinks > maxSymlinks)
        throw new SlipwayError("invalid_argument", "TAR_SYMLINK_LOOP", `too many symbolic links in ${JSON.stringify(textOfBytePath(path).text)}`);
      if (next.startsWith("/")) trail.length = 1;
      rest.push(...next.split("/").reverse());
    }
    return trail.at(-1);
  }

  /** One part of a path: the directory, or a symlink's target, or undefined when it is missing and shall not be created. */
  #step(parent: DirectoryNode, name: string, create: boolean): DirectoryNode | string | undefined {
    const place = this.#inside(parent, name);
    const node = this.nodeAt(place);
    if (node?.kind === "directory") {
      // What the archive puts into a directory counts as the archive's: a whiteout of the directory must not delete it.
      if (create) node.fromArchive = true;
      return node;
    }
    // What is no directory and from lower layers gives way, as it would under an overlay.
    if (create && node !== undefined && !node.fromArchive) return this.makeDirectory(place, missingAttributes);
    if (node?.kind === "symlink") return node.target;
    if (node?.kind === "file") {
      if (!create) return undefined;
      const path = textOfBytePath(place.path).text;
      throw new SlipwayError("invalid_argument", "TAR_PARENT_NOT_DIRECTORY", `mkdir ${path}: not a directory`, { path });
    }
    return this.#missing(place, node, create);
  }

  #missing(place: Place, node: TreeNode | undefined, create: boolean): DirectoryNode | undefined {
    if (!create) return undefined;
    // Under a whiteout nothing of the lower layers counts.
    const showsLower = node === undefined && !this.isHidden(place.parent);
    const lower = showsLower ? this.#options.missingParent?.(textOfBytePath(place.path).text) : undefined;
    const directory = this.makeDirectory(place, lower?.type === "directory" ? lower : missingAttributes);
    directory.isImplied = lower?.type === "directory";
    return directory;
  }

  /** What was taken from lower layers below a directory that turns out to hide them. */
  forgetLower(directory: DirectoryNode): void {
    for (const child of directory.children.values()) {
      if (child.kind !== "directory") continue;
      if (child.isImplied) child.attributes = missingAttributes;
      child.isImplied = false;
      this.forgetLower(child);
    }
  }

  #nodeOnDisk({ parent, path }: Place): TreeNode | undefined {
    const onDisk = this.diskPath(path);
    const stat = lstatSync(onDisk, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (stat.isDirectory()) return newNode(path, parent, false, undefined);
    if (stat.isSymbolicLink()) return { kind: "symlink", target: readlinkSync(onDisk, { encoding: "buffer" }).toString("latin1"), fromArchive: false };
    return { kind: "file", fromArchive: false };
  }
}
