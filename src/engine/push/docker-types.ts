/** `oci-mediatypes=false`: manifests and indexes with the media types that Docker had before OCI's, for registries and clients of that age. */
import { mediaTypes } from "../../oci/manifest.ts";
import { goJson } from "../../base/canonical-json.ts";
import type { ImageDocument } from "../archive/archive-plan.ts";

const dockerNames: Readonly<Record<string, string>> = {
  [mediaTypes.ociManifest]: mediaTypes.dockerManifest,
  [mediaTypes.ociIndex]: mediaTypes.dockerIndex,
  [mediaTypes.ociConfig]: mediaTypes.dockerConfig,
  [mediaTypes.ociLayer]: mediaTypes.dockerLayer,
  [mediaTypes.ociLayerGzip]: mediaTypes.dockerLayerGzip,
  [mediaTypes.ociLayerZstd]: `${mediaTypes.dockerLayer}.zstd`,
};

/** What Docker called it; what it had no name for keeps its own. */
export function dockerType(mediaType: string): string {
  return dockerNames[mediaType] ?? mediaType;
}

interface Typed {
  readonly mediaType: string;
}

function renamed<T extends Typed>(value: T): T {
  return { ...value, mediaType: dockerType(value.mediaType) };
}

/** The same document under Docker's names; its digest is another. */
export function withDockerTypes({ bytes }: ImageDocument): ImageDocument {
  const fields = JSON.parse(Buffer.from(bytes).toString()) as Typed & {
    readonly config?: Typed;
    readonly layers?: readonly Typed[];
    readonly manifests?: readonly Typed[];
  };
  const { config, layers, manifests } = fields;
  const document = renamed({
    ...fields,
    ...(config === undefined ? {} : { config: renamed(config) }),
    ...(layers === undefined ? {} : { layers: layers.map(renamed) }),
    ...(manifests === undefined ? {} : { manifests: manifests.map(renamed) }),
  });
  return { mediaType: document.mediaType, bytes: Buffer.from(goJson(document)) };
}
