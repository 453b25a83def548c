/** A selection put into a layer's draft, by the rules of Docker's COPY and ADD. */
import { SlipwayError } from "../base/errors.ts";
import type { CopyAction } from "../graph/op.ts";
import { joinPath, parentOf, type FileNode, rootNode } from "../store/index.ts";
import type { FileDigests } from "./file-digests.ts";
import type { ModeChange } from "../graph/file-mode.ts";
import { imageXattrs } from "./image-xattrs.ts";
import type { Content, LayerDraft } from "./layer-draft.ts";
import { resolveAsKernel, resolveInTree } from "./resolve-path.ts";
import { wholeSeconds } from "./whole-seconds.ts";
import { keepsXattrs, type SelectedFile, type SelectedSource, type SourceTree } from "./selection.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface Placement {
  /** undefined: the source's own owner */
  readonly owner: Owner | undefined;
  readonly mode: ModeChange | undefined;
  /** of directories that are made on the way: 0755, or the octal number of `--chmod` (symbolic modes leave them alone) */
  readonly directoryMode: number;
  /** time of directories that are made on the way */
  readonly createdNs: bigint;
}

/** A directory that nothing says more about: 0755 root. */
export const directoryNode: FileNode = rootNode;

/** Makes `path` (no symlinks in it) and its parents; what is there already stays, and comes into the layer as a parent. */
export function makeDirectories(draft: LayerDraft, path: string, placement: Placement): void {
  if (path === "") return;
  const node = draft.lookup(path);
  if (node?.type === "directory") {
    makeDirectories(draft, parentOf(path), placement);
    draft.copyUp(path);
    return;
  }
  if (node !== undefined) throw new SlipwayError("invalid_argument", "NOT_A_DIRECTORY", `mkdir /${path}: not a directory`, { path: `/${path}` });
  const parent = draft.lookup(parentOf(path));
  if (parent !== undefined && parent.type !== "directory") {
    throw new SlipwayError("invalid_argument", "NOT_A_DIRECTORY", `lstat /${path}: not a directory`, { path: `/${path}` });
  }
  makeDirectories(draft, parentOf(path), placement);
  draft.put(path, { ...directoryNode, mode: placement.directoryMode, mtimeNs: placement.createdNs, ...placement.owner });
}

/** Resolves the destination's symlinks inside the tree; a dangling one gets its target made. */
export function resolveDestination(draft: LayerDraft, destination: string, placement: Placement): string {
  const directory = destination.endsWith("/") ? destination : parentOf(destination.slice(1));
  makeDirectories(draft, resolveAsKernel(draft, directory), placement);
  return resolveAsKernel(draft, destination);
}

export function applyCopy(draft: LayerDraft, action: CopyAction, sources: readonly SelectedSource[], tree: SourceTree, placement: Placement): void {
  for (const source of sources) {
    const root = source.files[0];
    if (root === undefined) continue;
    const destination = resolveDestination(draft, action.destination, placement);
    const target = action.parents ? parentsTarget(draft, source, destination, placement) : targetOf(draft, source, destination, root.node);
    makeDirectories(draft, parentOf(target), placement);
    const links = new Map<string, string>();
    if (root.node.type === "directory" && !action.parents && draft.lookup(target) === undefined) makeDirectories(draft, target, placement);
    for (const file of source.files) placeFile(draft, file, target === "" ? file.relative : joinRelative(target, file.relative), tree, placement, links);
    // A copy that brings nothing changes nothing.
    const isChanged = source.files.length > 1 || !draft.isInBase(target);
    if (root.node.type === "directory" && !action.parents && isChanged) draft.setTime(target, wholeSeconds(root.node.mtimeNs));
  }
}

/** A file into an existing directory keeps its name; a directory's contents go into the destination itself. */
function targetOf(draft: LayerDraft, source: SelectedSource, destination: string, root: FileNode): string {
  const existing = draft.lookup(destination);
  if (root.type === "directory" || existing?.type !== "directory") return destination;
  return resolveParent(draft, joinPath(destination, baseName(source.match.path)));
}

function resolveParent(draft: LayerDraft, path: string): string {
  return draft.lookup(path)?.type === "directory" ? resolveInTree(draft, path) : path;
}

/** `--parents`: the source's own path is made below the destination. */
function parentsTarget(draft: LayerDraft, source: SelectedSource, destination: string, placement: Placement): string {
  const target = source.match.kept === "" ? destination : joinPath(destination, source.match.kept);
  makeDirectories(draft, parentOf(target), placement);
  return target;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function joinRelative(target: string, relative: string): string {
  return relative === "" ? target : joinPath(target, relative);
}

function placeFile(draft: LayerDraft, file: SelectedFile, path: string, tree: SourceTree, placement: Placement, links: Map<string, string>): void {
  const { node } = file;
  const existing = path === "" ? draft.lookup("") : draft.lookup(path);
  const owner = placement.owner ?? { uid: node.uid, gid: node.gid };
  if (node.type === "directory") {
    placeDirectory(draft, file, path, existing, owner, tree, placement);
    return;
  }
  if (existing?.type === "directory")
    throw new SlipwayError("invalid_argument", "CANNOT_REPLACE", `cannot replace to directory /${path} with file`, { path: `/${path}` });
  makeDirectories(draft, parentOf(path), placement);
  const mode = node.type === "symlink" ? 0o777 : (placement.mode?.(node.mode, false) ?? node.mode);
  const linkTo = node.inode === "" ? undefined : links.get(node.inode);
  if (node.inode !== "" && linkTo === undefined) links.set(node.inode, path);
  draft.put(
    path,
    { ...node, ...owner, mode, type: copiedType(node), inode: "", mtimeNs: wholeSeconds(node.mtimeNs) },
    {
      ...(linkTo === undefined ? {} : { linkTo }),
      ...(node.type === "file" && linkTo === undefined ? { content: contentOf(node, tree.digests) } : {}),
      ...(keepsXattrs(tree) ? { xattrs: imageXattrs(tree.view.xattrs(file.path)) } : {}),
    },
  );
}

/** BuildKit's copy makes a device with the number of the source's, always one of characters. */
function copiedType({ type }: FileNode): FileNode["type"] {
  return type === "block" ? "char" : type;
}

function placeDirectory(
  draft: LayerDraft,
  file: SelectedFile,
  path: string,
  existing: FileNode | undefined,
  owner: Owner,
  tree: SourceTree,
  placement: Placement,
): void {
  if (path === "") return;
  if (existing !== undefined && existing.type !== "directory") {
    throw new SlipwayError("invalid_argument", "CANNOT_REPLACE", `cannot copy to non-directory: /${path}`, { path: `/${path}` });
  }
  // The destination itself keeps what it has; directories below it take the source's attributes.
  if (existing !== undefined && file.relative === "") {
    makeDirectories(draft, path, placement);
    return;
  }
  makeDirectories(draft, parentOf(path), placement);
  const mode = placement.mode?.(file.node.mode, true) ?? file.node.mode;
  draft.put(
    path,
    { ...file.node, ...owner, mode, inode: "", mtimeNs: wholeSeconds(file.node.mtimeNs), diskPath: undefined },
    keepsXattrs(tree) ? { xattrs: imageXattrs(tree.view.xattrs(file.path)) } : {},
  );
}

function contentOf(node: FileNode, digests: FileDigests): Content {
  return { kind: "disk", path: node.diskPath ?? "", known: digests.get(node) };
}
