/**
 * The names by which a layer deletes what lower layers have.
 * @see image-spec layer.md#whiteouts
 */
import { SlipwayError } from "../base/errors.ts";

export const whiteoutPrefix = ".wh.";
/** In a directory: nothing of the lower layers' directory shows through. */
export const opaqueName = ".wh..wh..opq";
/** AUFS's own bookkeeping, of no meaning elsewhere. */
const metadataPrefix = ".wh..wh.";

export type Whiteout =
  | { readonly kind: "none" }
  /** `path` of the lower layers is gone */
  | { readonly kind: "whiteout"; readonly path: string }
  /** `directory` ("" is the root) starts empty */
  | { readonly kind: "opaque"; readonly directory: string }
  /** to be skipped */
  | { readonly kind: "metadata" };

const none: Whiteout = { kind: "none" };

/** What a clean path of a layer says. Fails with INVALID_WHITEOUT (invalid_argument) for one that names no file. */
export function parseWhiteout(path: string): Whiteout {
  if (!path.includes(whiteoutPrefix)) return none;
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  if (!name.startsWith(whiteoutPrefix)) return none;
  if (name === opaqueName) return { kind: "opaque", directory: path.slice(0, Math.max(slash, 0)) };
  if (name.startsWith(metadataPrefix)) return { kind: "metadata" };
  const hidden = name.slice(whiteoutPrefix.length);
  if (hidden === "" || hidden === "." || hidden === "..") {
    throw new SlipwayError("invalid_argument", "INVALID_WHITEOUT", `invalid whiteout name: ${JSON.stringify(path)}`, { path });
  }
  return { kind: "whiteout", path: path.slice(0, slash + 1) + hidden };
}

/** The entry name that hides `path`. */
export function whiteoutPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return path.slice(0, slash + 1) + whiteoutPrefix + path.slice(slash + 1);
}

/** The entry name that makes `directory` ("" is the root) opaque. */
export function opaquePath(directory: string): string {
  return directory === "" ? opaqueName : `${directory}/${opaqueName}`;
}
