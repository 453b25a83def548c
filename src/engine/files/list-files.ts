/** `ls`: what is in a directory of an image. */
import { joinPath, type FileNode, type FileView } from "../../store/index.ts";
import type { FileEntry } from "../transfer-api.ts";
import { findPath, nodesBelow } from "./find-path.ts";
import type { ImageFiles } from "./image-files.ts";

export function fileEntry(path: string, node: FileNode): FileEntry {
  return {
    path: `/${path}`,
    type: node.type,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    sizeBytes: node.size,
    modifiedSeconds: Math.floor(Number(node.mtimeNs) / 1e9),
    linkname: node.linkname,
    device: { major: node.devmajor, minor: node.devminor },
  };
}

/** A directory's entries, with `recursive` all below it; of anything else itself. Fails with FILE_NOT_FOUND (not_found). */
export async function listFiles(files: ImageFiles, image: string, asked: string, recursive: boolean): Promise<readonly FileEntry[]> {
  return await files.ask((view: FileView) => {
    const top = findPath(view, image, asked, true);
    if (top.node.type !== "directory") return [fileEntry(top.path, top.node)];
    if (recursive) return [...nodesBelow(view, top)].slice(1).map(({ path, node }) => fileEntry(path, node));
    return view.list(top.path).flatMap((name) => {
      const path = joinPath(top.path, name);
      const node = view.lookup(path);
      return node === undefined ? [] : [fileEntry(path, node)];
    });
  });
}
