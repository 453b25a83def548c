/** What an archive of `docker save` holds: its config's text, and the files that its layers make, merged. */
import { createHash } from "node:crypto";
import { readTarMembers, decompressDetected, parseWhiteout, type TarEntry } from "../../src/tar/index.ts";

import { afterAllInputs, anyTime, isBuildTime, withAnyTime } from "./build-time.ts";

export interface TreeNode {
  readonly entry: TarEntry;
  /** of files: hexadecimal sha256 */
  readonly sha256: string;
}

/** Path without a leading slash → node; hard links share one node. The root's path is "". */
export type Tree = ReadonlyMap<string, TreeNode>;

export interface SavedImage {
  readonly config: string;
  readonly layers: number;
  readonly tree: Tree;
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Of an archive with one image. */
export async function readSavedImage(archive: Uint8Array): Promise<SavedImage> {
  const files = new Map<string, Buffer>();
  const links = new Map<string, string>();
  for await (const { entry, content } of readTarMembers(once(archive))) {
    if (entry.type === "symlink") links.set(entry.path, entry.linkname);
    if (entry.type === "file") files.set(entry.path, await bytesOf(content));
  }
  const [image] = JSON.parse(files.get("manifest.json")?.toString() ?? "[]") as readonly {
    readonly Config: string;
    readonly Layers: readonly string[] | null;
  }[];
  if (image === undefined) throw new Error("the archive holds no image");
  const layers = (image.Layers ?? []).map((name) => files.get(name) ?? Buffer.alloc(0));
  return { config: files.get(image.Config)?.toString() ?? "", layers: layers.length, tree: await mergeLayers(layers) };
}

async function bytesOf(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // slices are valid until the next one
  for await (const chunk of content) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** @see image-spec layer.md, "Applying changesets" */
export async function mergeLayers(layers: readonly Uint8Array[]): Promise<Tree> {
  const tree = new Map<string, TreeNode>();
  for (const layer of layers) await applyLayer(tree, layer);
  return tree;
}

async function applyLayer(tree: Map<string, TreeNode>, layer: Uint8Array): Promise<void> {
  const own = new Set<string>();
  const { bytes } = await decompressDetected(once(layer));
  for await (const { entry, content } of readTarMembers(bytes)) {
    const path = entry.path.replace(/^(\.?\/)+|^\.$/, "");
    const whiteout = parseWhiteout(path);
    if (whiteout.kind === "opaque") removeBelow(tree, whiteout.directory, own);
    else if (whiteout.kind === "whiteout") {
      if (own.has(whiteout.path)) continue;
      tree.delete(whiteout.path);
      removeBelow(tree, whiteout.path, own);
    } else {
      own.add(path);
      const target = entry.type === "hardlink" ? tree.get(entry.linkname.replace(/^(\.?\/)+/, "")) : undefined;
      if (entry.type !== "directory") removeBelow(tree, path, new Set());
      const sha256 =
        entry.type === "file"
          ? createHash("sha256")
              .update(await bytesOf(content))
              .digest("hex")
          : "";
      tree.set(path, target ?? { entry, sha256 });
    }
  }
}

function removeBelow(tree: Map<string, TreeNode>, directory: string, spared: ReadonlySet<string>): void {
  const prefix = directory === "" ? "" : `${directory}/`;
  for (const path of tree.keys()) if (path !== directory && path.startsWith(prefix) && !spared.has(path)) tree.delete(path);
}

const letters = { file: "f", directory: "d", symlink: "l", hardlink: "h", char: "c", block: "b", fifo: "p" } as const;

/**
 * One line for each path that differs from the base, be it in more than a time that the build itself made: type, mode, owner,
 * time, then what its type has. Later members of a hard-link group name the first.
 */
export function describeChanges(tree: Tree, image: Tree, since = afterAllInputs): Readonly<Record<string, string>> {
  // An image that has hardly anything of the base was not built on it.
  const base: Tree = [...image.keys()].filter((path) => tree.has(path)).length < image.size / 2 ? new Map() : image;
  const groups = new Map<TreeNode, string>();
  const lines: Record<string, string> = {};
  for (const path of [...tree.keys()].toSorted()) {
    const node = tree.get(path);
    if (node === undefined || path === "") continue;
    const first = groups.get(node);
    if (first === undefined) groups.set(node, path);
    const link = first === undefined ? "" : ` = ${first}`;
    const line = `${describeNode(node, since)}${link}`;
    const former = base.get(path);
    const formerLine = former === undefined ? "" : describeNode(former, since);
    const isTouched = isBuildTime(secondsOf(node), since) && withAnyTime(formerLine) === line;
    if (formerLine === line || isTouched) continue;
    lines[printablePath(path)] = line;
  }
  for (const path of base.keys()) if (!tree.has(path)) lines[printablePath(path)] = "gone";
  return lines;
}

function secondsOf({ entry }: TreeNode): number {
  return Number(entry.mtimeNs / 1_000_000_000n);
}

function describeNode(node: TreeNode, since: number): string {
  const { entry, sha256 } = node;
  const seconds = secondsOf(node);
  const words = [letters[entry.type], entry.mode.toString(8), `${entry.uid}:${entry.gid}`, isBuildTime(seconds, since) ? anyTime : `@${seconds}`];
  if (entry.type === "file") words.push(String(entry.size), sha256.slice(0, 12));
  if (entry.type === "symlink") words.push("->", entry.linkname);
  if (entry.type === "char" || entry.type === "block") words.push(`${entry.devmajor},${entry.devminor}`);
  for (const [name, value] of entry.xattrs) words.push(`${name}=${Buffer.from(value).toString("base64")}`);
  return words.join(" ");
}

function printablePath(path: string): string {
  return JSON.stringify(path).slice(1, -1);
}
