/** Names that are paths: an archive or a layout that is written as a file is, without the word for its kind. */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { splitPath, type Location } from "./location.ts";

/** No image is called so. */
const pathPattern = /^(?:\.{0,2}\/|\.{1,2}$)/;
/** An image might be called so, and nobody calls it so. */
const archivePattern = /^[^:@]+\.(?:tar|tgz|tar\.(?:gz|zst|xz|bz2))$/i;

/** What lies at the path decides: a directory is a layout, skopeo's own kind of directory or one of other files, a file is an archive. undefined where the text is an image's name. */
export function pathLocation(cwd: string, text: string): Extract<Location, { kind: "layout" | "flat" | "archive" | "files" }> | undefined {
  if (!pathPattern.test(text) && !(archivePattern.test(text) && isThere(resolve(cwd, text)))) return undefined;
  const { path, name } = splitPath(text, text);
  const place = resolve(cwd, path);
  if (!isThere(place, "directory")) return { kind: "archive", text, format: "docker", file: path, name };
  const has = (file: string): boolean => isThere(join(place, file));
  if (!["oci-layout", "index.json", "manifest.json"].some(has)) return { kind: "files", text, directory: path };
  const isFlat = !has("oci-layout") && has("manifest.json");
  return isFlat ? { kind: "flat", text, directory: path } : { kind: "layout", text, directory: path, name };
}

function isThere(path: string, kind: "file" | "directory" = "file"): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return kind === "directory" ? found?.isDirectory() === true : found?.isFile() === true;
}
