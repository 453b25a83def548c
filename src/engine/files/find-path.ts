/** A path that a user names, inside an image: links are followed as if the image's root were `/`. */
import { SlipwayError } from "../../base/errors.ts";
import { posix } from "node:path";
import { resolveInTree } from "../../solver/resolve-path.ts";
import { joinPath, type FileNode, type FileView } from "../../store/index.ts";

export interface FoundPath {
  /** without the leading slash; "" is the root */
  readonly path: string;
  readonly node: FileNode;
}

export function noSuchFile(image: string, path: string): SlipwayError {
  return new SlipwayError("not_found", "FILE_NOT_FOUND", `Could not find the file ${path} in image ${image}`, { image, path });
}

/** Fails with FILE_NOT_FOUND (not_found), TOO_MANY_LINKS. `followLast`: of a link what it leads to. */
export function findPath(view: FileView, image: string, asked: string, followLast: boolean): FoundPath {
  // as Docker: `..` takes away the part before it as written
  const path = resolveInTree(view, posix.normalize(asked), { followLast });
  const node = view.lookup(path);
  if (node === undefined) throw noSuchFile(image, asked);
  if (asked.endsWith("/") && node.type !== "directory" && node.type !== "symlink") {
    throw new SlipwayError("invalid_argument", "NOT_A_DIRECTORY", `lstat ${asked}: not a directory`, { image, path: asked });
  }
  return { path, node };
}

/** The name that a copy of the path gets; "" for the root and for what ends in `/.`, whose files are meant. */
export function baseNameOf(asked: string): string {
  return asked.endsWith("/.") ? "" : posix.basename(posix.normalize(asked));
}

/** Everything below a directory, parents before children, sorted; the node itself where it is none. `""` stands for the top. */
export function* nodesBelow(view: FileView, top: FoundPath): Generator<{ readonly inside: string; readonly path: string; readonly node: FileNode }> {
  yield { inside: "", ...top };
  if (top.node.type === "directory") yield* below(view, top.path, "");
}

function* below(view: FileView, directory: string, inside: string): Generator<{ readonly inside: string; readonly path: string; readonly node: FileNode }> {
  for (const name of view.list(directory)) {
    const path = joinPath(directory, name);
    const node = view.lookup(path);
    if (node === undefined) continue;
    const at = joinPath(inside, name);
    yield { inside: at, path, node };
    if (node.type === "directory") yield* below(view, path, at);
  }
}
