/**
 * The pure values of images: digests, references, platforms, descriptors, manifests, indexes and configurations,
 * with the parsers that check foreign bytes. Nothing here does I/O.
 *
 * @example
 * import { familiarName, parseReference, withDefaultTag } from "slipway/oci";
 * familiarName(withDefaultTag(parseReference("docker.io/library/busybox"))); // "busybox:latest"
 */
export { algorithmOf, digestFromHex, digestOf, hexOf, isDigest, parseDigest, shortId } from "./digest.ts";
export type { Digest } from "./digest.ts";
export type { ContainerConfig, Healthcheck, HistoryEntry, ImageConfig } from "./image-config.ts";
export { mediaTypes } from "./manifest.ts";
export type { Descriptor, Index, Manifest } from "./manifest.ts";
export { parseImageConfig } from "./parse-image-config.ts";
export { isIndexMediaType, isManifestMediaType, maxDocumentBytes, parseIndex, parseManifest, parseManifestOrIndex } from "./parse-manifest.ts";
export type { ManifestOrIndex } from "./parse-manifest.ts";
export { formatPlatform, hostPlatform, normalizePlatform, parsePlatform, platformDistance, platformFrom } from "./platform.ts";
export type { Platform } from "./platform.ts";
export { familiarName, familiarRepository, formatReference, parseReference, repositoryName, withDefaultTag, withDigest, withTag } from "./reference.ts";
export type { Reference } from "./reference.ts";
