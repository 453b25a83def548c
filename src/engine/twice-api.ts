/** The library's call that builds again and tells what came out differently. */
import type { Digest } from "../oci/digest.ts";
import type { BuildOptions, Lines } from "./api.ts";

export interface TwiceOptions extends Omit<BuildOptions, "tags" | "outputs" | "noCache" | "noCacheFilter" | "cacheTo"> {
  /** differences that are told of one layer; default 20 */
  readonly limit?: number;
}

export interface FieldDifference {
  /** "type", "mode", "owner", "mtime", "size", "link", "device", "xattr NAME", "content"; of a file that one image lacks "presence" */
  readonly field: string;
  readonly first: string;
  readonly second: string;
}

export interface FileDifference {
  /** absolute; whiteouts are called as they are in layers */
  readonly path: string;
  readonly fields: readonly FieldDifference[];
}

export interface LayerDifference {
  /** in the image, from 0 */
  readonly layer: number;
  readonly first: Digest | undefined;
  readonly second: Digest | undefined;
  /** of the Dockerfile, where one of its instructions made the layer */
  readonly lines: Lines | undefined;
  readonly instruction: string | undefined;
  readonly files: readonly FileDifference[];
  /** differing files that are not listed */
  readonly more: number;
}

export interface TwiceResult {
  readonly first: Digest;
  readonly second: Digest;
  readonly isSame: boolean;
  readonly layers: readonly LayerDifference[];
  /** "config.Env[1]", "history[3].created" */
  readonly config: readonly FieldDifference[];
}
