/** An archive with manifest.json beside index.json holds the same images for whoever reads the one or the other. */
import type { Digest } from "../../oci/digest.ts";
import { invalidArchive } from "./archive-members.ts";

/** Of manifest.json. */
export interface ListedImage {
  readonly config: Digest;
  /** full names */
  readonly names: readonly string[];
}

/** Of index.json: an image, or an index with several. */
export interface IndexedImages {
  readonly configs: ReadonlySet<Digest>;
  /** full names, as far as it has some */
  readonly names: readonly string[];
}

/** Fails with ARCHIVE_INVALID (invalid_argument) where a program that reads manifest.json would find another image than index.json has. */
export function assertSameImages(listed: readonly ListedImage[], indexed: readonly IndexedImages[]): void {
  for (const { config, names } of listed) {
    const same = indexed.filter(({ configs }) => configs.has(config));
    if (same.length === 0) throw invalidArchive(`manifest.json names an image that index.json does not have: ${config}`, { config });
    const other = names.find((name) => indexed.some((one) => one.names.includes(name)) && !same.some((one) => one.names.includes(name)));
    if (other !== undefined) throw invalidArchive(`manifest.json and index.json name different images ${other}`, { name: other });
  }
}
