/** `imagetools inspect`: what a registry has under a name: its document, its images' configs, and BuildKit's attestations about them. */
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import { mediaTypes, type Descriptor, type Index, type Manifest } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { formatPlatform, normalizePlatform } from "../../oci/platform.ts";
import { withDefaultTag, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { RemoteAttestation, RemoteImage, RemoteInspection } from "../transfer-api.ts";

const maxJsonBytes = 64 * 1024 * 1024;
const predicateType = "in-toto.io/predicate-type";
const about = "vnd.docker.reference.digest";
const referenceType = "vnd.docker.reference.type";

interface Asked {
  readonly client: RegistryClient;
  readonly reference: Reference;
  readonly signal: AbortSignal | undefined;
}

function call(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** `details`: also the configs and attestations of all its images. Fails with the registry client's codes. */
export async function inspectRemote(client: RegistryClient, named: Reference, details: boolean, signal?: AbortSignal): Promise<RemoteInspection> {
  const reference = withDefaultTag(named);
  const asked: Asked = { client, reference, signal };
  const { descriptor, bytes } = await client.resolve(reference, call(signal));
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  const root = { reference, descriptor, bytes };
  if (parsed.kind === "manifest")
    return { ...root, index: undefined, images: details && isImage(parsed.manifest) ? [await readImage(asked, "", parsed.manifest)] : [], attestations: [] };
  if (!details) return { ...root, index: parsed.index, images: [], attestations: [] };
  return { ...root, index: parsed.index, ...(await readMembers(asked, parsed.index)) };
}

async function readMembers(asked: Asked, { manifests }: Index): Promise<Pick<RemoteInspection, "images" | "attestations">> {
  const images: RemoteImage[] = [];
  const attestations: RemoteAttestation[] = [];
  const platforms = new Map(
    manifests.flatMap(({ digest, platform }) => (platform === undefined ? [] : [[digest as string, formatPlatform(normalizePlatform(platform))]])),
  );
  for (const entry of manifests) {
    const { bytes } = await asked.client.fetchManifest(asked.reference, entry.digest, call(asked.signal));
    const parsed = parseManifestOrIndex(bytes, entry.mediaType);
    if (parsed.kind !== "manifest") continue;
    const subject = entry.annotations?.[about];
    if (entry.annotations?.[referenceType] !== "attestation-manifest" && isImage(parsed.manifest))
      images.push(await readImage(asked, platforms.get(entry.digest) ?? "", parsed.manifest));
    else if (subject !== undefined) attestations.push(...(await readAttestations(asked, platforms.get(subject) ?? "", parsed.manifest)));
  }
  return { images, attestations };
}

/** Artifacts have other configs, or none. */
function isImage({ config }: Manifest): boolean {
  return config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig;
}

async function readImage(asked: Asked, platform: string, { config }: Manifest): Promise<RemoteImage> {
  return { platform, config: JSON.parse((await readBlob(asked, config)).toString()) as Record<string, unknown> };
}

async function readAttestations(asked: Asked, platform: string, { layers }: Manifest): Promise<readonly RemoteAttestation[]> {
  const found: RemoteAttestation[] = [];
  for (const layer of layers) {
    const type = layer.annotations?.[predicateType] ?? "";
    if (type === "" || layer.size > maxJsonBytes) continue;
    const bytes = await readBlob(asked, layer);
    const statement = new Fields(parseJsonObject(bytes, "attestation", { maxBytes: maxJsonBytes, maxDepth: 256 }), "attestation");
    found.push({ platform, predicateType: type, predicate: statement.get("predicate") });
  }
  return found;
}

async function readBlob({ client, reference, signal }: Asked, descriptor: Descriptor): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.openBlob(reference, descriptor, call(signal))) chunks.push(chunk);
  return Buffer.concat(chunks);
}
