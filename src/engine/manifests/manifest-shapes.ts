/** Manifests and lists as `docker manifest` prints them: the fields that it knows, in its order. */
import { mediaTypes, type Descriptor, type Manifest } from "../../oci/manifest.ts";
import type { Platform } from "../../oci/platform.ts";
import type { ListedManifest } from "./local-lists.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";

function platformShape(platform: Platform | undefined): object | undefined {
  if (platform === undefined) return undefined;
  const { architecture, os, variant } = platform;
  return { architecture, os, "os.version": platform["os.version"], "os.features": platform["os.features"], variant };
}

function manifestDescriptor({ mediaType, digest, size, urls, annotations, data, platform, artifactType }: Descriptor): object {
  return { mediaType, digest, size, urls, annotations, data, platform: platformShape(platform), artifactType };
}

function listDescriptor({ mediaType, digest, size, urls, annotations, platform }: Descriptor): object {
  return { mediaType, size, digest, urls, annotations, platform: platformShape(platform) };
}

/** An OCI index if one of the manifests is OCI's, else Docker's list. */
export function listMediaType(manifests: readonly Pick<Descriptor, "mediaType">[]): string {
  return manifests.some(({ mediaType }) => mediaType === mediaTypes.ociManifest) ? mediaTypes.ociIndex : mediaTypes.dockerIndex;
}

export function listShape(manifests: readonly Descriptor[], mediaType = listMediaType(manifests)): object {
  return { schemaVersion: 2, mediaType, manifests: manifests.map(listDescriptor) };
}

export function isOciManifest(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest;
}

export function manifestShape(manifest: Manifest): object {
  const { config, layers, subject, annotations, artifactType } = manifest;
  return {
    schemaVersion: 2,
    mediaType: manifest.mediaType,
    artifactType,
    config: manifestDescriptor(config),
    layers: layers.map(manifestDescriptor),
    subject: subject && manifestDescriptor(subject),
    annotations,
  };
}

/** `inspect -v` */
export function verboseShape({ ref, descriptor, raw }: ListedManifest): object {
  const parsed = parseManifestOrIndex(Buffer.from(raw, "base64"), descriptor.mediaType);
  const shape = parsed.kind === "manifest" ? manifestShape(parsed.manifest) : undefined;
  const { mediaType, digest, size, platform } = descriptor;
  return {
    Ref: ref,
    Descriptor: { mediaType, digest, size, platform: platformShape(platform) },
    Raw: raw,
    ...(isOciManifest(mediaType) ? { OCIManifest: shape } : { SchemaV2Manifest: shape }),
  };
}
