/** `cp IMAGE:/path -`: a path of an image as a tar archive. Directories come first, files in the order in which the layers have them. */
import type { FileNode, FileView } from "../../store/index.ts";
import { createEntry, encodeHeader, endOfArchive, paddingLength } from "../../tar/index.ts";
import { joinPath } from "../../store/index.ts";
import { wholeSeconds } from "../../solver/whole-seconds.ts";
import { findPath, nodesBelow, type FoundPath } from "./find-path.ts";
import type { ImageFiles } from "./image-files.ts";

export interface PathCopy {
  readonly top: FoundPath;
  readonly nodes: readonly PlacedNode[];
}

export interface PlacedNode {
  /** below the top; "" is the top itself */
  readonly inside: string;
  readonly path: string;
  readonly node: FileNode;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** Fails with FILE_NOT_FOUND (not_found). A link that is named itself stays one unless `followLink`. */
export async function selectPath(files: ImageFiles, image: string, asked: string, followLink: boolean): Promise<PathCopy> {
  return await files.ask((view: FileView) => {
    const top = findPath(view, image, asked, followLink || asked.endsWith("/") || asked.endsWith("/."));
    return { top, nodes: [...nodesBelow(view, top)].map((found) => ({ ...found, xattrs: view.xattrs(found.path) })) };
  });
}

export function filesOf({ nodes }: PathCopy): ReadonlyMap<string, FileNode> {
  return new Map(nodes.flatMap(({ path, node }) => (node.type === "file" ? [[path, node] as const] : [])));
}

function header(path: string, { node, xattrs }: PlacedNode, linkTo?: string): Buffer {
  const { mode, uid, gid, devmajor, devminor } = node;
  const type = linkTo === undefined ? node.type : "hardlink";
  const size = type === "file" ? node.size : 0;
  const mtimeNs = wholeSeconds(node.mtimeNs);
  return encodeHeader(createEntry({ type, path, linkname: linkTo ?? node.linkname, mode, uid, gid, size, mtimeNs, devmajor, devminor, xattrs }));
}

/** Its members lie below `name`; with "" they have the top's own names. */
export async function* archivePath(files: ImageFiles, copy: PathCopy, name: string): AsyncGenerator<Uint8Array> {
  const placed = new Map(copy.nodes.map((node) => [node.path, { ...node, target: node.inside === "" ? name : joinPath(name, node.inside) }]));
  for (const node of placed.values()) if (node.node.type !== "file" && node.target !== "") yield header(node.target, node);
  for await (const { paths, bytes } of files.contents(filesOf(copy))) {
    let first: string | undefined;
    for (const path of paths) {
      const node = placed.get(path);
      if (node === undefined) continue;
      yield header(node.target, node, first);
      if (first === undefined) {
        first = node.target;
        yield* bytes;
        yield Buffer.alloc(paddingLength(node.node.size));
      }
    }
  }
  yield endOfArchive;
}
