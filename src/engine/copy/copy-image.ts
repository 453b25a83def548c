/** One image, or an index with all its images, from one place to another: bytes and digests as they are, and only what the target lacks. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { formatPlatform, type Platform } from "../../oci/platform.ts";
import type { CopyEvent } from "../transfer-api.ts";
import { chooseManifest } from "../files/choose-manifest.ts";
import { placeAttestations, type AttestationPlace } from "./loose-attestations.ts";
import type { Document, ImageSource } from "../transports/image-source.ts";
import type { ImageTarget } from "../transports/image-target.ts";

export interface CopyRequest {
  readonly source: ImageSource;
  readonly target: ImageTarget;
  /** undefined: all that the name means */
  readonly platform: Platform | undefined;
  /** what becomes of an index's attestations; as it is when absent */
  readonly attestations?: AttestationPlace;
  readonly signal?: AbortSignal;
  readonly emit: (event: CopyEvent) => void;
}

const maxDocuments = 2000;
const maxIndexDepth = 4;

/** In the order in which they are put: what a document names comes before it, the root last. */
export interface CopyPlan {
  readonly documents: readonly Document[];
  readonly blobs: readonly Descriptor[];
}

/** Reads all documents before a blob moves. Fails with NO_MATCHING_PLATFORM, IMAGE_NOT_IN_PLACE (not_found), INVALID_DOCUMENT. */
export async function planCopy({ source, platform, signal }: Pick<CopyRequest, "source" | "platform" | "signal">): Promise<CopyPlan> {
  const root = platform === undefined ? await source.root(signal) : (await chooseManifest(source, platform, signal)).document;
  return await planDocument(source, root, signal);
}

export async function planDocument(source: ImageSource, root: Document, signal?: AbortSignal): Promise<CopyPlan> {
  const documents = new Map<Digest, Document>();
  const blobs = new Map<Digest, Descriptor>();
  const visit = async (document: Document, depth: number): Promise<void> => {
    const { digest, mediaType } = document.descriptor;
    if (documents.has(digest)) return;
    if (depth > maxIndexDepth || documents.size >= maxDocuments) throw tooMuch(source);
    const parsed = parseManifestOrIndex(document.bytes, mediaType);
    if (parsed.kind === "manifest") for (const blob of [parsed.manifest.config, ...parsed.manifest.layers]) addBlob(blobs, blob);
    else for (const entry of parsed.index.manifests) await visit(await member(source, entry, signal), depth + 1);
    documents.set(digest, document);
  };
  await visit(root, 0);
  return { documents: [...documents.values()], blobs: [...blobs.values()] };
}

/** Layers that their publisher allows nobody to pass on lie elsewhere: they are named, not copied. */
function addBlob(blobs: Map<Digest, Descriptor>, blob: Descriptor): void {
  if ((blob.urls ?? []).length > 0 && /foreign|nondistributable/.test(blob.mediaType)) return;
  if (!blobs.has(blob.digest)) blobs.set(blob.digest, blob);
}

async function member(source: ImageSource, entry: Descriptor, signal: AbortSignal | undefined): Promise<Document> {
  if (source.has(entry) !== false) {
    const document = await source.document(entry.digest, signal);
    return { ...document, descriptor: { ...document.descriptor, mediaType: entry.mediaType } };
  }
  const which = entry.platform === undefined ? "" : ` for ${formatPlatform(entry.platform)}`;
  throw new SlipwayError("not_found", "IMAGE_NOT_IN_PLACE", `${source.name}: the index lists ${entry.digest}${which}, which is not here`, {
    digest: entry.digest,
    remedy: "name the platform that is wanted: --platform",
    bare: true,
  });
}

function tooMuch(source: ImageSource): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `index of ${source.name}: it is nested too deeply or lists too many manifests`, {
    name: source.name,
  });
}

/** Answers the root's descriptor. What was copied before a failure stays where the target can keep it, and is not sent again. */
export async function copyImage(request: CopyRequest): Promise<{ readonly root: Descriptor; readonly digests: readonly Digest[] }> {
  const { target, signal, attestations = "index" } = request;
  const { documents, blobs, referrers } = placeAttestations(await planCopy(request), attestations);
  await target.prepare?.({ documents, blobs, open: (descriptor) => request.source.blob(descriptor, signal) }, signal);
  await copyBlobs(request, blobs);
  for (const document of documents.slice(0, -1)) await target.putDocument(document, signal);
  const root = documents.at(-1) as Document;
  await target.putRoot(root, signal);
  for (const each of referrers) {
    await target.putReferrer?.(each, signal);
    request.emit({ kind: "referrer", digest: each.descriptor.digest, status: "written", currentBytes: each.bytes.length, sizeBytes: each.bytes.length });
  }
  request.emit({ kind: "manifest", digest: root.descriptor.digest, status: "written", currentBytes: root.bytes.length, sizeBytes: root.bytes.length });
  return { root: root.descriptor, digests: documents.map(({ descriptor }) => descriptor.digest) };
}

/** As many at once as the target takes; the first failure ends them all. */
export async function copyBlobs(request: Omit<CopyRequest, "platform">, blobs: readonly Descriptor[]): Promise<void> {
  const queue = blobs.values();
  const stop = new AbortController();
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
  const worker = async (): Promise<void> => {
    for (const blob of queue) {
      signal.throwIfAborted();
      await copyBlob({ ...request, signal }, blob);
    }
  };
  const workers = Array.from({ length: request.target.parallel }, worker);
  const results = await Promise.allSettled(
    workers.map(async (running) => {
      await running.catch((error: unknown) => {
        stop.abort(error);
        throw error;
      });
    }),
  );
  if (stop.signal.aborted) throw stop.signal.reason;
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function copyBlob({ source, target, emit, signal }: Omit<CopyRequest, "platform">, descriptor: Descriptor): Promise<void> {
  const { digest, size } = descriptor;
  const report = (status: CopyEvent["status"], currentBytes: number): void => emit({ kind: "blob", digest, status, currentBytes, sizeBytes: size });
  async function* open(offset = 0): AsyncGenerator<Uint8Array> {
    let current = offset;
    for await (const chunk of bytesFrom(source, descriptor, offset, signal)) {
      yield chunk;
      report("copying", (current += chunk.length));
    }
  }
  report(await target.putBlob({ descriptor, open, from: source.reference }, signal), size);
}

async function* bytesFrom(source: ImageSource, descriptor: Descriptor, offset: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (offset > 0 && source.blobFrom !== undefined) {
    yield* source.blobFrom(descriptor, offset, signal);
    return;
  }
  let left = offset;
  for await (const chunk of source.blob(descriptor, signal)) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
