/** From what a name means to one image of it: through indexes by platform. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Manifest } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { Platform } from "../../oci/platform.ts";
import type { Document, ImageSource } from "../transports/image-source.ts";

const maxIndexDepth = 4;

export interface ChosenManifest {
  readonly document: Document;
  readonly manifest: Manifest;
}

/** Fails with NO_MATCHING_PLATFORM (not_found), INVALID_DOCUMENT. */
export async function chooseManifest(source: ImageSource, platform: Platform, signal?: AbortSignal): Promise<ChosenManifest> {
  const { selectManifest } = await import("../../registry/index.ts");
  const seen = new Set<Digest>();
  for (let document = await source.root(signal); ;) {
    const parsed = parseManifestOrIndex(document.bytes, document.descriptor.mediaType);
    if (parsed.kind === "manifest") return { document, manifest: parsed.manifest };
    if (seen.size === maxIndexDepth || seen.has(document.descriptor.digest)) {
      throw new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `index of ${source.name}: indexes are nested deeper than ${maxIndexDepth}`, {
        name: source.name,
      });
    }
    seen.add(document.descriptor.digest);
    document = await source.document(selectManifest(parsed.index, platform).digest, signal);
  }
}
