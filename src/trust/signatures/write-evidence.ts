/** Puts signatures and attestations beside an image: as a manifest that refers to it, and as a layer under cosign's tag. Both only add. */
import { SlipwayError, isSlipwayError } from "../../base/errors.ts";
import { canonicalJson } from "../../base/canonical-json.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor, type Manifest } from "../../oci/manifest.ts";
import { parseManifest } from "../../oci/parse-manifest.ts";
import type { Reference } from "../../oci/reference.ts";
import { attachReferrer, type RegistryClient } from "../../registry/index.ts";
import { sleep } from "../../registry/retry.ts";
import { bundleMediaType } from "./bundle.ts";
import { contentAnnotation, cosignTag, predicateAnnotation } from "./layout.ts";

export interface EvidenceTarget {
  readonly client: Pick<RegistryClient, "resolve" | "pushBlob" | "pushManifest">;
  readonly repository: Reference;
  readonly signal?: AbortSignal | undefined;
}

const maxWrites = 8;
/** two writers of one tag see each other's work after about so long */
const settleMs = 50;
const createdAnnotation = "org.opencontainers.image.created";

export async function pushBytes({ client, repository, signal }: EvidenceTarget, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await client.pushBlob(repository, descriptor, {
    open: async function* (offset) {
      yield bytes.subarray(offset);
    },
    signal,
  });
  return descriptor;
}

/** Answers the digest of the manifest that holds the bundle. */
export async function attachBundle(target: EvidenceTarget, subject: Descriptor, bundle: Uint8Array, predicateType: string, now: Date): Promise<Digest> {
  const layer = await pushBytes(target, bundleMediaType, bundle);
  return await attachManifest(target, {
    artifactType: bundleMediaType,
    config: await pushBytes(target, mediaTypes.ociEmpty, Buffer.from("{}")),
    layers: [layer],
    subject,
    annotations: { [contentAnnotation]: "dsse-envelope", [predicateAnnotation]: predicateType, [createdAnnotation]: rfc3339(now) },
  });
}

export async function attachManifest({ client, repository, signal }: EvidenceTarget, content: Omit<Manifest, "schemaVersion" | "mediaType">): Promise<Digest> {
  const { subject, ...others } = content;
  const mediaType = mediaTypes.ociManifest;
  const manifest: Manifest = { schemaVersion: 2, mediaType, ...others, ...(subject === undefined ? {} : { subject: bareDescriptor(subject) }) };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return (await attachReferrer(client, repository, { mediaType, bytes }, { signal })).digest;
}

/** Without what belongs to the place that it was found in, such as a platform. */
function bareDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

export function rfc3339(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** Adds a layer to the manifest under cosign's tag, and again if another writer's manifest took its place. Answers the manifest's digest. */
export async function appendToTag(target: EvidenceTarget, subject: Digest, suffix: "sig" | "att", layer: Descriptor): Promise<Digest> {
  const tagged: Reference = { ...target.repository, tag: cosignTag(subject, suffix) };
  for (let attempt = 0; attempt < maxWrites; attempt++) {
    const before = await taggedManifest(target, tagged);
    if (before !== undefined && attempt > 0 && before.manifest.layers.some((one) => isSame(one, layer))) return before.digest;
    await pushTagged(target, tagged, [...(before?.manifest.layers ?? []), layer], before?.manifest);
    // another writer may have read before we wrote and write after us
    await sleep(settleMs, target.signal);
  }
  throw new SlipwayError("unavailable", "REFERRERS_CONTENDED", `${tagged.path}:${tagged.tag}: others write this list all the time`, { subject });
}

function isSame(one: Descriptor, other: Descriptor): boolean {
  const content = ({ digest, annotations = {} }: Descriptor): string => canonicalJson({ digest, annotations });
  return content(one) === content(other);
}

async function taggedManifest({ client, signal }: EvidenceTarget, tagged: Reference): Promise<{ digest: Digest; manifest: Manifest } | undefined> {
  try {
    const { bytes, descriptor } = await client.resolve(tagged, { signal });
    return { digest: descriptor.digest, manifest: parseManifest(bytes, descriptor.mediaType) };
  } catch (error) {
    if (isSlipwayError(error) && error.kind === "not_found") return undefined;
    throw error;
  }
}

/** As cosign writes it: an image whose layers are the signatures, with a config that names them. */
async function pushTagged(target: EvidenceTarget, tagged: Reference, layers: readonly Descriptor[], before: Manifest | undefined): Promise<void> {
  const never = "0001-01-01T00:00:00Z";
  const config = {
    architecture: "",
    created: never,
    history: layers.map(() => ({ created: never })),
    os: "",
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
    config: {},
  };
  const mediaType = before?.mediaType ?? mediaTypes.ociManifest;
  const configType = mediaType === mediaTypes.dockerManifest ? mediaTypes.dockerConfig : mediaTypes.ociConfig;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType,
    config: await pushBytes(target, configType, Buffer.from(JSON.stringify(config))),
    layers,
    ...(before?.annotations === undefined ? {} : { annotations: before.annotations }),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await target.client.pushManifest(tagged, { mediaType, bytes }, { signal: target.signal });
}
