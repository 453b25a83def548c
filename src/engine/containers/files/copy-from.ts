/** `cp CONTAINER:path …`: out of a container, as a tar archive or into a directory of this machine. */
import { closeSync, openSync, readSync } from "node:fs";
import { isSlipwayError, SlipwayError } from "../../../base/errors.ts";
import { DirectoryView } from "../../../store/directory-view.ts";
import { archivePath, selectPath, type PathCopy } from "../../files/archive-path.ts";
import { baseNameOf } from "../../files/find-path.ts";
import type { ImageFiles } from "../../files/image-files.ts";
import { destinationOf, writePath } from "../../files/write-path.ts";
import type { ContainerRoot } from "./container-root.ts";

const chunkBytes = 256 * 1024;

/** Mounts of this process are seen by synchronous calls alone. */
export function directoryFiles(directory: string): ImageFiles {
  const view = new DirectoryView(directory);
  return {
    ask: async (question) => question(view),
    whole: async () => view,
    async *contents(paths) {
      const first = new Map<string, string>();
      const names = new Map<string, string[]>();
      for (const [path, node] of paths) {
        const key = node.inode === "" ? path : (first.get(node.inode) ?? path);
        if (node.inode !== "") first.set(node.inode, key);
        names.set(key, [...(names.get(key) ?? []), path]);
      }
      for (const [path, same] of names) {
        const node = paths.get(path);
        if (node?.diskPath !== undefined) yield { paths: same, bytes: contentOf(node.diskPath, node.size) };
      }
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** As many bytes as were promised: a file that grows or shrinks under the copy must not break the archive. */
async function* contentOf(path: string, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const fd = openSync(path, "r");
  try {
    for (let left = sizeBytes; left > 0;) {
      const chunk = Buffer.alloc(Math.min(left, chunkBytes));
      const length = readSync(fd, chunk);
      yield length === 0 ? chunk : chunk.subarray(0, length);
      left -= length === 0 ? chunk.length : length;
    }
  } finally {
    closeSync(fd);
  }
}

async function select(files: ImageFiles, name: string, path: string, followLink: boolean): Promise<PathCopy> {
  try {
    return await selectPath(files, name, path, followLink);
  } catch (error) {
    if (!isSlipwayError(error, "FILE_NOT_FOUND")) throw error;
    throw noSuchContainerFile(name, path);
  }
}

export function noSuchContainerFile(name: string, path: string): SlipwayError {
  return new SlipwayError("not_found", "FILE_NOT_FOUND", `Could not find the file ${path} in container ${name}`, { container: name, path });
}

export async function* archiveFrom(root: ContainerRoot, name: string, path: string, followLink: boolean): AsyncGenerator<Uint8Array> {
  const files = directoryFiles(root.directory);
  const copy = await select(files, name, path, followLink);
  yield* archivePath(files, copy, baseNameOf(path));
}

export interface CopyOut {
  readonly path: string;
  readonly destination: string;
  readonly followLink: boolean;
  readonly keepOwners: boolean;
  readonly signal?: AbortSignal;
}

/** FILE_NOT_FOUND, COPY_DESTINATION in Docker's words. */
export async function copyOut(root: ContainerRoot, name: string, asked: CopyOut): Promise<{ readonly path: string; readonly sizeBytes: number }> {
  const files = directoryFiles(root.directory);
  const copy = await select(files, name, asked.path, asked.followLink);
  const target = destinationOf(asked.destination, baseNameOf(asked.path), copy.top.node.type === "directory");
  const options = { keepOwners: asked.keepOwners, ...(asked.signal === undefined ? {} : { signal: asked.signal }) };
  return { path: target, sizeBytes: await writePath(files, copy, target, options) };
}
