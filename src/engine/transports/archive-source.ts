/** An image in an archive: an OCI layout where there is one in it, which newer docker-archives have too, else manifest.json. */
import { archiveFiles } from "./archive-files.ts";
import { assertSameImages } from "../archive/archive-agreement.ts";
import { dockerArchiveSource, listedImages } from "./docker-archive-source.ts";
import type { ImageSource } from "./image-source.ts";
import { indexedImages } from "./indexed-images.ts";
import { layoutSource } from "./layout-source.ts";
import { familiarName, formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts";
import { isSlipwayError } from "../../base/errors.ts";

export async function archiveSource(place: string, file: string, wanted: string | undefined, signal?: AbortSignal): Promise<ImageSource> {
  const files = await archiveFiles(file, signal);
  try {
    if (files.size("index.json") === undefined || files.size("oci-layout") === undefined) return await dockerArchiveSource(place, files, wanted);
    const listed = await listedImages(files);
    if (listed.length > 0) assertSameImages(listed, await indexedImages(files));
    return await layoutSource(place, files, wanted === undefined ? undefined : nameInLayout(wanted));
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

/** A bare word may be a tag as well as a repository; names with either mark are written in full in a layout's index. */
function nameInLayout(wanted: string): string {
  if (!/[/:]/.test(wanted)) return wanted;
  try {
    const reference = withDefaultTag(parseReference(wanted));
    return familiarName(reference) === wanted || formatReference(reference) === wanted ? formatReference(reference) : wanted;
  } catch (error) {
    if (isSlipwayError(error, "INVALID_REFERENCE")) return wanted;
    throw error;
  }
}
