/** Paths inside a tree that is not mounted: symlinks are followed as if the tree's root were `/`. */
import { posix } from "node:path";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { joinPath, parentOf, type FileNode, type FileView } from "../store/index.ts";

const maxLinks = 255;

interface Walk {
  readonly followLast: boolean;
  /** sees everything that is there on the way, with the name that is looked for in it; may throw */
  readonly pass?: (node: FileNode, at: string, next: string | undefined) => void;
}

/**
 * The clean path that `path` leads to inside the tree. Missing parts are kept as they are, so the result may not exist;
 * `..` and absolute links never leave the root, and `..` in a link's target takes away the part before it as written, as
 * containerd reads it. Fails with TOO_MANY_LINKS (invalid_argument).
 */
export function resolveInTree(view: FileView, path: string, { followLast, pass }: Walk = { followLast: true }): string {
  let links = 0;
  let resolved = "";
  let pending = path.split("/").toReversed();
  while (pending.length > 0) {
    const part = pending.pop() as string;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      resolved = parentOf(resolved);
      continue;
    }
    const next = joinPath(resolved, part);
    const following = pending.findLast((rest) => rest !== "" && rest !== ".");
    const node = view.lookup(next);
    if (node !== undefined) pass?.(node, next, following);
    if (node?.type !== "symlink" || (following === undefined && !followLast)) {
      resolved = next;
      continue;
    }
    if (++links > maxLinks) throw new SlipwayError("invalid_argument", "TOO_MANY_LINKS", "too many links", { path });
    pending = [...pending, ...linkTarget(resolved, node.linkname).split("/").toReversed()];
    resolved = "";
  }
  return resolved;
}

function linkTarget(directory: string, linkname: string): string {
  return posix.normalize(linkname.startsWith("/") ? linkname : `/${directory}/${linkname}`);
}

/**
 * As resolveInTree, for what Docker looks at while it copies. Fails with TOO_MANY_LINKS, or NOT_A_DIRECTORY when it leads through
 * a file, both in the words that the kernel's lstat has for the first part that it cannot look at.
 */
export function resolveAsKernel(view: FileView, path: string): string {
  let firstLinked: string | undefined;
  const pass = (node: FileNode, at: string, next: string | undefined): void => {
    if (next === undefined) return;
    if (node.type === "symlink" && !node.linkname.startsWith("/")) firstLinked ??= posix.join(linkTarget(parentOf(at), node.linkname), next);
    if (node.type === "directory" || node.type === "symlink") return;
    throw new SlipwayError("invalid_argument", "NOT_A_DIRECTORY", `lstat /${joinPath(at, next)}: not a directory`, { path: `/${at}` });
  };
  try {
    return resolveInTree(view, path, { followLast: true, pass });
  } catch (error) {
    if (!isSlipwayError(error, "TOO_MANY_LINKS") || firstLinked === undefined) throw error;
    throw new SlipwayError(error.kind, error.code, `lstat ${firstLinked}: too many levels of symbolic links`, error.details, error);
  }
}
