/**
 * Uploads: one POST, POST and PUT, or chunks by PATCH; blobs mounted from other repositories. What was received stays when
 * the connection breaks, GET tells how much that is. @see distribution-spec, "Pushing blobs"
 */
import { isDigest } from "../oci/digest.ts";
import type { Digest } from "../oci/digest.ts";
import { empty, refuse, type Answer, type DistributionRequest, type Headers } from "./answer.ts";
import { parseContentRange } from "./byte-range.ts";
import { isRepositoryName } from "./route.ts";
import type { DistributionStorage } from "./storage.ts";

export interface UploadLimits {
  readonly maxBlobBytes: number;
  /** sent as OCI-Chunk-Min-Length; 0 sends none */
  readonly chunkMinBytes: number;
}

class TooLarge extends Error {}

const uploadUnknown = (): Answer => refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
const badDigest = (): Answer => refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
const tooLarge = (limit: number): Answer => refuse(413, "SIZE_INVALID", `a blob may have at most ${limit} bytes`, { limit });

export function createUploads(storage: DistributionStorage, limits: UploadLimits) {
  /** Requests on one upload follow each other: a broken one may not have ended when its client comes again. */
  const turns = new Map<string, Promise<unknown>>();

  async function inTurn(id: string, work: () => Promise<Answer>): Promise<Answer> {
    const before = turns.get(id);
    const mine = (async () => {
      await before?.catch(() => undefined);
      return work();
    })();
    turns.set(id, mine);
    try {
      return await mine;
    } finally {
      if (turns.get(id) === mine) turns.delete(id);
    }
  }

  function progress(repository: string, id: string, size: number): Headers {
    return { location: `/v2/${repository}/blobs/uploads/${id}`, range: `0-${Math.max(0, size - 1)}`, "docker-upload-uuid": id };
  }

  function created(repository: string, digest: Digest): Answer {
    return empty(201, { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest });
  }

  async function* bounded(body: AsyncIterable<Uint8Array>, received: number, exactly: number | undefined): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (received + size > limits.maxBlobBytes || (exactly !== undefined && size > exactly)) throw new TooLarge();
      yield chunk;
    }
  }

  /** Appends the body; an answer when it is refused. */
  async function append(request: DistributionRequest, repository: string, id: string): Promise<Answer | undefined> {
    const size = await storage.uploadSize(repository, id);
    if (size === undefined) return uploadUnknown();
    const header = request.headers["content-range"];
    const range = header === undefined ? undefined : parseContentRange(header);
    const outOfOrder = (): Answer => refuse(416, "BLOB_UPLOAD_INVALID", "blob upload invalid", { received: size }, progress(repository, id, size));
    if (header !== undefined && (range === undefined || range.start !== size)) return outOfOrder();
    const wanted = range === undefined ? undefined : range.end - range.start + 1;
    const announced = request.headers["content-length"];
    if (wanted !== undefined && announced !== undefined && Number(announced) !== wanted) {
      return refuse(400, "SIZE_INVALID", "provided length did not match content length", { range: wanted, length: Number(announced) });
    }
    if (announced !== undefined && size + Number(announced) > limits.maxBlobBytes) return tooLarge(limits.maxBlobBytes);
    try {
      await storage.appendUpload(repository, id, bounded(request.body, size, wanted));
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      await storage.cancelUpload(repository, id);
      return tooLarge(limits.maxBlobBytes);
    }
    return undefined;
  }

  async function finish(request: DistributionRequest, repository: string, id: string): Promise<Answer> {
    const digest = request.query.get("digest") ?? "";
    if (!isDigest(digest)) return badDigest();
    const refused = await append(request, repository, id);
    if (refused !== undefined) return refused;
    return (await storage.commitUpload(repository, id, digest)) ? created(repository, digest) : badDigest();
  }

  async function begin(request: DistributionRequest, repository: string, mayMount: boolean): Promise<Answer> {
    const mount = request.query.get("mount") ?? "";
    const from = request.query.get("from") ?? "";
    if (mayMount && isDigest(mount) && isRepositoryName(from) && (await storage.mountBlob(from, repository, mount))) return created(repository, mount);
    const digest = request.query.get("digest");
    if (digest !== null && !isDigest(digest)) return badDigest();
    const id = await storage.createUpload(repository);
    if (digest !== null) {
      const answer = await inTurn(id, () => finish(request, repository, id));
      if (answer.status !== 201) await storage.cancelUpload(repository, id);
      return answer;
    }
    const minimum: Headers = limits.chunkMinBytes === 0 ? {} : { "oci-chunk-min-length": String(limits.chunkMinBytes) };
    return empty(202, { ...progress(repository, id, 0), ...minimum });
  }

  async function status(repository: string, id: string): Promise<Answer> {
    const size = await storage.uploadSize(repository, id);
    return size === undefined ? uploadUnknown() : empty(204, progress(repository, id, size));
  }

  async function patch(request: DistributionRequest, repository: string, id: string): Promise<Answer> {
    const refused = await append(request, repository, id);
    if (refused !== undefined) return refused;
    return empty(202, progress(repository, id, (await storage.uploadSize(repository, id)) ?? 0));
  }

  return {
    begin,
    status,
    patch: (request: DistributionRequest, repository: string, id: string) => inTurn(id, () => patch(request, repository, id)),
    finish: (request: DistributionRequest, repository: string, id: string) => inTurn(id, () => finish(request, repository, id)),
    cancel: async (repository: string, id: string): Promise<Answer> => ((await storage.cancelUpload(repository, id)) ? empty(204) : uploadUnknown()),
  };
}
