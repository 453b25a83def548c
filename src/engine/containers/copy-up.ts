/** What an image has at a volume's mount point becomes the new volume's content. */
import { chmodSync, chownSync, constants, copyFileSync, lchownSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { resolveInTree } from "../../solver/resolve-path.ts";
import { joinPath, type FileNode, type FileView } from "../../store/index.ts";
import { lutimesNs } from "../../store/syscalls.ts";

/** Content, owner, mode and times of the image's directory; a volume that is not empty stays as it is. */
export function copyUp(view: FileView, destination: string, directory: string): void {
  if (readdirSync(directory).length > 0) return;
  const path = resolveInTree(view, destination);
  const node = view.lookup(path);
  if (node?.type !== "directory") return;
  const copyDirectory = (from: string, to: string, own: FileNode): void => {
    mkdirSync(to, { recursive: true });
    for (const name of view.list(from)) {
      const child = joinPath(from, name);
      const childNode = view.lookup(child);
      if (childNode?.type === "directory") copyDirectory(child, join(to, name), childNode);
      else if (childNode?.diskPath !== undefined) copyFile(childNode, join(to, name));
    }
    chownSync(to, own.uid, own.gid);
    chmodSync(to, own.mode);
    lutimesNs(to, own.mtimeNs, own.mtimeNs);
  };
  copyDirectory(path, directory, node);
}

function copyFile(node: FileNode, target: string): void {
  if (node.type === "symlink") symlinkSync(node.linkname, target);
  else if (node.type === "file") copyFileSync(node.diskPath ?? "", target, constants.COPYFILE_FICLONE);
  else return;
  lchownSync(target, node.uid, node.gid);
  if (node.type === "file") chmodSync(target, node.mode);
  lutimesNs(target, node.mtimeNs, node.mtimeNs);
}
