/** GET, HEAD and DELETE of blobs. @see distribution-spec, "Pulling blobs" */
import type { Digest } from "../oci/digest.ts";
import { empty, refuse, type Answer, type DistributionRequest } from "./answer.ts";
import { parseRange } from "./byte-range.ts";
import type { DistributionStorage } from "./storage.ts";

export const blobUnknown = (digest: string): Answer => refuse(404, "BLOB_UNKNOWN", "blob unknown to registry", { digest });

/** True when the client has these bytes already. */
export function isUnchanged(request: DistributionRequest, digest: Digest): boolean {
  const tags = (request.headers["if-none-match"] ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(`"${digest}"`) || tags.includes("*");
}

export async function getBlob(storage: DistributionStorage, request: DistributionRequest, repository: string, digest: Digest): Promise<Answer> {
  const size = await storage.blobSize(repository, digest);
  if (size === undefined) return blobUnknown(digest);
  const headers = {
    "docker-content-digest": digest,
    etag: `"${digest}"`,
    "accept-ranges": "bytes",
    "cache-control": "max-age=31536000",
    "content-type": "application/octet-stream",
  };
  if (isUnchanged(request, digest)) return { status: 304, headers: { etag: headers.etag, "docker-content-digest": digest } };
  const range = request.method === "HEAD" ? undefined : parseRange(request.headers["range"], size);
  if (range === "unsatisfiable") return refuse(416, "RANGE_INVALID", "invalid content range", undefined, { "content-range": `bytes */${size}` });
  if (range === undefined) {
    const whole = { status: 200, headers: { ...headers, "content-length": String(size) } };
    return request.method === "HEAD" ? whole : { ...whole, body: storage.readBlob(repository, digest) };
  }
  const length = range.end - range.start + 1;
  return {
    status: 206,
    headers: { ...headers, "content-length": String(length), "content-range": `bytes ${range.start}-${range.end}/${size}` },
    body: storage.readBlob(repository, digest, range),
  };
}

export async function deleteBlob(storage: DistributionStorage, repository: string, digest: Digest): Promise<Answer> {
  return (await storage.deleteBlob(repository, digest)) ? empty(202, { "docker-content-digest": digest }) : blobUnknown(digest);
}
