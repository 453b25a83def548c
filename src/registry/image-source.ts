/** From a reference to the one image that this machine can run: through indexes, down to manifest and config. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { isAttestation } from "../oci/attestation.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageConfig } from "../oci/image-config.ts";
import { mediaTypes } from "../oci/manifest.ts";
import type { Descriptor, Index, Manifest } from "../oci/manifest.ts";
import { parseImageConfig } from "../oci/parse-image-config.ts";
import { maxDocumentBytes, parseManifestOrIndex } from "../oci/parse-manifest.ts";
import { formatPlatform, platformDistance } from "../oci/platform.ts";
import type { Platform } from "../oci/platform.ts";
import { formatReference } from "../oci/reference.ts";
import type { Reference } from "../oci/reference.ts";
import type { CallOptions, FetchedManifest, RegistryClient } from "./client.ts";

/** worse than any distance: an entry that does not say its platform is taken when nothing else fits */
const unsaid = 1000;
const maxIndexDepth = 4;

function distance(descriptor: Descriptor, platform: Platform): number | undefined {
  return descriptor.platform === undefined ? unsaid : platformDistance(platform, descriptor.platform);
}

/** The platforms that an index offers, as `os/arch[/variant]`. */
export function platformsOf(index: Index): readonly string[] {
  const named = index.manifests.filter((descriptor) => descriptor.platform !== undefined && !isAttestation(descriptor));
  return [...new Set(named.map((descriptor) => printable(formatPlatform(descriptor.platform as Platform)).slice(0, 100)))];
}

/**
 * The entry that serves the platform best; of equal ones the first. Attestations are never chosen.
 * Fails with NO_MATCHING_PLATFORM (not_found), which names the platforms that there are.
 */
export function selectManifest(index: Index, platform: Platform): Descriptor {
  let best: { descriptor: Descriptor; distance: number } | undefined;
  for (const descriptor of index.manifests) {
    const d = isAttestation(descriptor) ? undefined : distance(descriptor, platform);
    if (d !== undefined && d < (best?.distance ?? Infinity)) best = { descriptor, distance: d };
  }
  if (best !== undefined) return best.descriptor;
  const available = platformsOf(index);
  throw new SlipwayError(
    "not_found",
    "NO_MATCHING_PLATFORM",
    `no match for platform in manifest: want ${formatPlatform(platform)}, the image has ${available.slice(0, 30).join(", ") || "none"}`,
    { platform: formatPlatform(platform), available, resolveMessage: "no match for platform in manifest: not found" },
  );
}

export interface SourceImage {
  /** what the reference itself names: an index or the manifest */
  readonly root: FetchedManifest;
  /** the indexes that were passed, the root first; empty where the root is the manifest */
  readonly indexes: readonly FetchedManifest[];
  readonly manifest: Manifest;
  readonly manifestDescriptor: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
}

async function readConfig(client: RegistryClient, reference: Reference, descriptor: Descriptor, call: CallOptions): Promise<Uint8Array> {
  if (descriptor.size > maxDocumentBytes) {
    throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `image config is ${descriptor.size} bytes: at most ${maxDocumentBytes} are read`, {
      size: descriptor.size,
      limit: maxDocumentBytes,
    });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.openBlob(reference, descriptor, call)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function badIndex(reference: Reference, why: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `index of ${formatReference(reference)}: ${why}`, { reference: formatReference(reference) });
}

const artifacts: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\.cncf\.helm\./, "a Helm chart"],
  [/\.wasm\./, "a WebAssembly module"],
  [/\.cncf\.flux\./, "a Flux artifact"],
  [/cosign|sigstore|notary/, "a signature"],
  [/in-toto|spdx|cyclonedx|sbom/, "an attestation"],
  [/docker\.plugin/, "a plugin"],
];

/** A registry keeps other things than images, and their configs are something else: that is told, by name where it is known. */
function readImageConfig(reference: Reference, manifest: Manifest, bytes: Uint8Array): ImageConfig {
  try {
    return parseImageConfig(bytes);
  } catch (cause) {
    const type = printable(manifest.artifactType ?? manifest.config.mediaType).slice(0, 200);
    if (manifest.artifactType === undefined && (type === mediaTypes.ociConfig || type === mediaTypes.dockerConfig)) throw cause;
    const name = artifacts.find(([pattern]) => pattern.test(type))?.[1] ?? "an artifact";
    throw new SlipwayError(
      "unsupported",
      "NOT_AN_IMAGE",
      `${formatReference(reference)} is no image but ${name} (${type})`,
      { reference: formatReference(reference), mediaType: type, remedy: "the tool that it was made for fetches it; slipway copy moves it as it is" },
      cause,
    );
  }
}

export interface ResolveOptions extends CallOptions {
  /** what the reference names, where that is known already */
  readonly root?: FetchedManifest;
  /** the entry of the root's index that is meant, whatever its platform */
  readonly entry?: Digest;
}

/**
 * Resolves the reference and follows indexes (at most four, none twice) to the image for the platform. The layers are
 * not fetched. Fails with NO_MATCHING_PLATFORM (not_found), INVALID_DOCUMENT (invalid_argument), NOT_AN_IMAGE
 * (unsupported) and the client's codes.
 */
export async function resolveImage(client: RegistryClient, reference: Reference, platform: Platform, call: ResolveOptions = {}): Promise<SourceImage> {
  const root = call.root ?? (await client.resolve(reference, call));
  const indexes: FetchedManifest[] = [];
  const seen = new Set<Digest>();
  for (let fetched = root; ;) {
    const parsed = parseManifestOrIndex(fetched.bytes, fetched.descriptor.mediaType);
    if (parsed.kind === "manifest") {
      const configBytes = await readConfig(client, reference, parsed.manifest.config, call);
      const { manifest } = parsed;
      const config = readImageConfig(reference, manifest, configBytes);
      return {
        root,
        indexes,
        manifest,
        manifestDescriptor: fetched.descriptor,
        manifestBytes: fetched.bytes,
        config,
        configBytes,
      };
    }
    if (indexes.length === maxIndexDepth) throw badIndex(reference, `indexes are nested deeper than ${maxIndexDepth}`);
    seen.add(fetched.descriptor.digest);
    indexes.push(fetched);
    const named = indexes.length === 1 ? parsed.index.manifests.find(({ digest }) => digest === call.entry) : undefined;
    const next = named ?? selectManifest(parsed.index, platform);
    if (seen.has(next.digest)) throw badIndex(reference, "it leads back to itself");
    fetched = await client.fetchManifest(reference, next.digest, call);
    if (fetched.descriptor.size !== next.size) throw badIndex(reference, `${next.digest} has ${fetched.descriptor.size} bytes, the index says ${next.size}`);
  }
}
