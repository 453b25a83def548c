/** `cat`: one file's bytes. */
import { SlipwayError } from "../../base/errors.ts";
import { findPath } from "./find-path.ts";
import type { ImageFiles } from "./image-files.ts";

/** Fails with FILE_NOT_FOUND (not_found), NOT_A_FILE (invalid_argument). */
export async function* readFile(files: ImageFiles, image: string, asked: string): AsyncGenerator<Uint8Array> {
  const { path, node } = await files.ask((view) => findPath(view, image, asked, true));
  if (node.type !== "file") {
    const what = node.type === "directory" ? "Is a directory" : `is a ${node.type}, not a file`;
    throw new SlipwayError("invalid_argument", "NOT_A_FILE", `${asked}: ${what}`, { path: asked, type: node.type, bare: true });
  }
  for await (const { bytes } of files.contents(new Map([[path, node]]))) yield* bytes;
}
