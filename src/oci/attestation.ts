/** What BuildKit puts beside an image in its index: manifests with provenance and SBOMs, under a platform that no machine has. */
import { isDigest, type Digest } from "./digest.ts";
import type { Descriptor } from "./manifest.ts";

const typeKey = "vnd.docker.reference.type";
const subjectKey = "vnd.docker.reference.digest";

/** Also of other builders: whatever says that it refers to an image, or has no platform on purpose. */
export function isAttestation({ platform, annotations }: Descriptor): boolean {
  return annotations?.[typeKey] !== undefined || (platform?.os === "unknown" && platform.architecture === "unknown");
}

/** The manifest that it speaks of. */
export function attestedManifest({ annotations }: Descriptor): Digest | undefined {
  const digest = annotations?.[subjectKey] ?? "";
  return isDigest(digest) ? digest : undefined;
}
