/** Paths inside a tree that is not mounted: symlinks are followed as if the tree's root were `/`. */
import { SlipwayError } from "../base/errors.ts";
import { joinPath, parentOf, type FileView } from "../store/index.ts";

const maxLinks = 255;

/**
 * The clean path that `path` leads to inside the tree. Missing parts are kept as they are, so the result may not exist;
 * `..` and absolute links never leave the root. Fails with TOO_MANY_LINKS (invalid_argument).
 */
export function resolveInTree(view: FileView, path: string, options: { readonly followLast: boolean } = { followLast: true }): string {
  let links = 0;
  let resolved = "";
  const pending = path.split("/").toReversed();
  while (pending.length > 0) {
    const part = pending.pop() as string;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      resolved = parentOf(resolved);
      continue;
    }
    const next = joinPath(resolved, part);
    const last = pending.every((rest) => rest === "" || rest === ".");
    const node = view.lookup(next);
    if (node?.type !== "symlink" || (last && !options.followLast)) {
      resolved = next;
      continue;
    }
    if (++links > maxLinks) throw new SlipwayError("invalid_argument", "TOO_MANY_LINKS", `${path}: too many links`, { path });
    if (node.linkname.startsWith("/")) resolved = "";
    pending.push(...node.linkname.split("/").toReversed());
  }
  return resolved;
}
