/** How signatures lie in repositories: tags and media types. */
import { mediaTypes } from "../../oci/manifest.ts";
import type { Manifest } from "../../oci/manifest.ts";
import type { Digest } from "../../oci/digest.ts";
import { isBundleMediaType } from "./bundle.ts";
import { simpleSigningMediaType } from "./simple-signing.ts";

export const envelopeMediaType = "application/vnd.dsse.envelope.v1+json";
export const notationArtifactType = "application/vnd.cncf.notary.signature";
export const predicateAnnotation = "dev.sigstore.bundle.predicateType";
export const contentAnnotation = "dev.sigstore.bundle.content";
export const envelopePredicateAnnotation = "predicateType";

const cosignReferrer = /^application\/vnd\.dev\.cosign\.artifact\.(?:sig|att)\.v1\+json$/;

/** cosign's tag for an image: `sha256-….sig`. */
export function cosignTag(digest: Digest, suffix: "sig" | "att"): string {
  return `${digest.replace(":", "-")}.${suffix}`;
}

export type ReferrerKind = "bundle" | "cosign" | "notation";

/** What a manifest that refers to an image is, by its own words: lists of referrers are often wrong about the type. */
export function referrerKind({ artifactType, config, layers }: Manifest): ReferrerKind | undefined {
  const type = artifactType ?? config.mediaType;
  if (isBundleMediaType(type) || layers.some(({ mediaType }) => isBundleMediaType(mediaType))) return "bundle";
  if (type === notationArtifactType || config.mediaType === notationArtifactType) return "notation";
  if (cosignReferrer.test(type) || layers.some(({ mediaType }) => mediaType === simpleSigningMediaType)) return "cosign";
  return undefined;
}

/** Whether the list's entry may be a signature: its type is one of a signature, or says nothing. */
export function mayBeSignature(artifactType: string | undefined): boolean {
  if (artifactType === undefined || artifactType === "" || artifactType === mediaTypes.ociEmpty || artifactType === mediaTypes.ociConfig) return true;
  return isBundleMediaType(artifactType) || artifactType === notationArtifactType || cosignReferrer.test(artifactType);
}
