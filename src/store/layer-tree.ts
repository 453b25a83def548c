/** The two ways to look into one layer: its overlay-ready directory, or the index of an archive that was not unpacked. */
import { readdirSync } from "node:fs";
import { errnoOf } from "../base/errors.ts";
import type { TarEntry } from "../tar/entry.ts";
import { parseWhiteout } from "../tar/whiteout.ts";
import { nodeAt, readXattrs } from "./directory-view.ts";
import { nodeFromEntry } from "./entry-node.ts";
import { impliedDirectory, parentOf, rootNode, type FileNode } from "./file-view.ts";
import type { LayerTree } from "./merged-view.ts";
import { lGetXattr } from "./syscalls.ts";

export class DirectoryLayer implements LayerTree {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  #disk(path: string): string {
    return path === "" ? this.#root : `${this.#root}/${path}`;
  }

  /** MergedView asks for a path only after its parents turned out to be directories here, so no symlink is crossed. */
  get(path: string): FileNode | "whiteout" | undefined {
    const node = nodeAt(this.#disk(path));
    if (node?.type === "char" && node.devmajor === 0 && node.devminor === 0) return "whiteout";
    return node;
  }

  isOpaque(path: string): boolean {
    return ["trusted.overlay.opaque", "user.overlay.opaque"].some((name) => lGetXattr(this.#disk(path), name)?.toString() === "y");
  }

  names(path: string): readonly string[] {
    try {
      return readdirSync(this.#disk(path));
    } catch (error) {
      if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return [];
      throw error;
    }
  }

  xattrs(path: string): ReadonlyMap<string, Uint8Array> {
    return readXattrs(this.#disk(path));
  }
}

interface IndexedDirectory {
  opaque: boolean;
  readonly names: Set<string>;
}

export class IndexLayer implements LayerTree {
  readonly #nodes = new Map<string, { readonly node: FileNode | "whiteout"; readonly xattrs: ReadonlyMap<string, Uint8Array> }>();
  readonly #directories = new Map<string, IndexedDirectory>([["", { opaque: false, names: new Set() }]]);

  /** `entries` in the archive's order, paths clean; later ones replace earlier ones. */
  constructor(entries: Iterable<TarEntry>) {
    for (const entry of entries) this.#add(entry);
  }

  #directory(path: string): IndexedDirectory {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const made: IndexedDirectory = { opaque: false, names: new Set() };
    this.#directories.set(path, made);
    const parent = parentOf(path);
    this.#directory(parent).names.add(path.slice(parent === "" ? 0 : parent.length + 1));
    const former = this.#nodes.get(path)?.node;
    if (former === "whiteout") made.opaque = true;
    if (former === undefined || former === "whiteout") this.#nodes.set(path, { node: former === undefined ? impliedDirectory : rootNode, xattrs: noXattrs });
    return made;
  }

  /** A whiteout hides what lower layers have, never what this one brings: of a directory of this layer it makes an opaque one. */
  #hide(path: string): void {
    const own = this.#nodes.get(path)?.node;
    if (own === undefined) this.#nodes.set(path, { node: "whiteout", xattrs: noXattrs });
    else if (own !== "whiteout" && own.type === "directory") this.#directory(path).opaque = true;
  }

  /** What is no directory any more has nothing below it. */
  #dropBelow(path: string): void {
    for (const name of this.#directories.get(path)?.names ?? []) {
      this.#dropBelow(`${path}/${name}`);
      this.#nodes.delete(`${path}/${name}`);
    }
    this.#directories.delete(path);
  }

  #add(entry: TarEntry): void {
    const whiteout = parseWhiteout(entry.path);
    if (whiteout.kind === "metadata") return;
    if (whiteout.kind === "opaque") {
      this.#directory(whiteout.directory).opaque = true;
      return;
    }
    const path = whiteout.kind === "whiteout" ? whiteout.path : entry.path;
    if (path === "") return;
    const parent = parentOf(path);
    this.#directory(parent).names.add(path.slice(parent === "" ? 0 : parent.length + 1));
    if (whiteout.kind === "whiteout") return this.#hide(path);
    if (entry.type === "directory") this.#directory(path);
    else this.#dropBelow(path);
    this.#nodes.set(path, { node: this.#nodeFromEntry(entry), xattrs: entry.xattrs });
  }

  #nodeFromEntry(entry: TarEntry): FileNode {
    if (entry.type === "hardlink") {
      const target = this.#nodes.get(entry.linkname)?.node;
      if (target !== undefined && target !== "whiteout") return target;
    }
    return nodeFromEntry(entry);
  }

  get(path: string): FileNode | "whiteout" | undefined {
    return this.#nodes.get(path)?.node;
  }

  isOpaque(path: string): boolean {
    return this.#directories.get(path)?.opaque ?? false;
  }

  names(path: string): readonly string[] {
    return [...(this.#directories.get(path)?.names ?? [])];
  }

  xattrs(path: string): ReadonlyMap<string, Uint8Array> {
    return this.#nodes.get(path)?.xattrs ?? noXattrs;
  }
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();
