/** Manifests and indexes: fetched whole, at most 4 MiB, checked against their digest. @see distribution-spec, "Pulling manifests" */
import { createHash } from "node:crypto";
import { SlipwayError } from "../base/errors.ts";
import { algorithmOf, digestOf, hexOf, isDigest } from "../oci/digest.ts";
import type { Digest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { maxDocumentBytes, parseManifestOrIndex } from "../oci/parse-manifest.ts";
import { formatReference } from "../oci/reference.ts";
import type { Reference } from "../oci/reference.ts";
import type { FetchedManifest } from "./client.ts";
import type { Endpoint } from "./endpoint.ts";
import { readBody } from "./read-body.ts";
import type { Sender } from "./sender.ts";
import type { TransportResponse } from "./transport.ts";

const accept = [mediaTypes.ociIndex, mediaTypes.dockerIndex, mediaTypes.ociManifest, mediaTypes.dockerManifest].join(", ");

function mismatch(reference: Reference, host: string, want: Digest, bytes: Uint8Array): SlipwayError {
  const got = `${algorithmOf(want)}:${createHash(algorithmOf(want)).update(bytes).digest("hex")}`;
  return new SlipwayError(
    "data_loss",
    "DIGEST_MISMATCH",
    `manifest for ${formatReference(reference)} from ${host}: got ${got} after ${bytes.length} bytes, want ${want}`,
    {
      expected: want,
      actual: got,
      size: bytes.length,
      host,
    },
  );
}

function assertDigest(reference: Reference, host: string, want: Digest, bytes: Uint8Array): void {
  if (createHash(algorithmOf(want)).update(bytes).digest("hex") !== hexOf(want)) throw mismatch(reference, host, want, bytes);
}

/** What the registry says of the digest, where it says one that can be checked. */
function declaredDigest(response: TransportResponse): Digest | undefined {
  const text = response.headers["docker-content-digest"];
  return text !== undefined && isDigest(text) ? text : undefined;
}

function mediaTypeOf(response: TransportResponse): string {
  return (response.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

function manifestRequest(endpoint: Endpoint, reference: Reference, signal: AbortSignal | undefined) {
  const path = `manifests/${reference.digest ?? reference.tag ?? "latest"}`;
  return {
    endpoint,
    reference,
    actions: "pull",
    subject: "manifest",
    path,
    headers: { accept },
    contentAddressed: reference.digest !== undefined,
    signal,
  } as const;
}

/**
 * Fetches and checks what the reference names: by its digest where it has one. The bytes parse as a manifest or index.
 * Fails with DIGEST_MISMATCH (data_loss), RESPONSE_TOO_LARGE (resource_exhausted), and the codes of parseManifestOrIndex.
 */
export async function fetchManifestAt(sender: Sender, endpoint: Endpoint, reference: Reference, signal?: AbortSignal): Promise<FetchedManifest> {
  const response = await sender.send({ ...manifestRequest(endpoint, reference, signal), method: "GET" });
  const bytes = await readBody(response, maxDocumentBytes, `manifest for ${formatReference(reference)}`);
  const declared = declaredDigest(response);
  if (reference.digest !== undefined) assertDigest(reference, endpoint.host, reference.digest, bytes);
  else if (declared !== undefined) assertDigest(reference, endpoint.host, declared, bytes);
  const { mediaType } = parseManifestOrIndex(bytes, mediaTypeOf(response));
  const digest = reference.digest ?? declared ?? digestOf(bytes);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes, host: endpoint.host };
}

/** What a HEAD request tells; undefined where digest, size or type are missing. */
export async function headManifestAt(sender: Sender, endpoint: Endpoint, reference: Reference, signal?: AbortSignal): Promise<Descriptor | undefined> {
  const response = await sender.send({ ...manifestRequest(endpoint, reference, signal), method: "HEAD" });
  response.discard();
  const digest = declaredDigest(response);
  const size = Number(response.headers["content-length"] ?? NaN);
  const mediaType = mediaTypeOf(response);
  if (digest === undefined || !Number.isSafeInteger(size) || size <= 0 || mediaType === "") return undefined;
  if (reference.digest !== undefined && reference.digest !== digest) return undefined;
  return { mediaType, digest, size };
}
