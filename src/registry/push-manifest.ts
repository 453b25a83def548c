/** Manifests and indexes on their way to a registry. @see distribution-spec, "Pushing manifests", "Deleting manifests" */
import { SlipwayError } from "../base/errors.ts";
import { digestOf, isDigest, type Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { Reference } from "../oci/reference.ts";
import type { Document } from "./client.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Sender } from "./sender.ts";

export interface PushedManifest {
  readonly descriptor: Descriptor;
  /** the subject that the registry keeps it with as a referrer; undefined where it has no referrers of its own */
  readonly subject: Digest | undefined;
}

/**
 * Under the reference's tag, or under its digest where it has no tag. Fails with DIGEST_MISMATCH (data_loss) where the registry says
 * that it keeps other bytes.
 */
export async function pushManifestAt(
  sender: Sender,
  endpoint: Endpoint,
  reference: Reference,
  document: Document,
  signal?: AbortSignal,
): Promise<PushedManifest> {
  const { mediaType, bytes } = document;
  const digest = digestOf(bytes);
  const response = await sender.send({
    endpoint,
    reference,
    actions: "pull,push",
    subject: "push",
    method: "PUT",
    path: `manifests/${reference.tag ?? digest}`,
    statuses: [201, 200, 202],
    headers: { "content-type": mediaType, "content-length": String(bytes.length) },
    body: bytes,
    contentAddressed: false,
    signal,
  });
  response.discard();
  const said = response.headers["docker-content-digest"];
  if (said !== undefined && isDigest(said) && said.startsWith("sha256:") && said !== digest)
    throw new SlipwayError("data_loss", "DIGEST_MISMATCH", `${endpoint.host} keeps the manifest as ${said}, it was sent as ${digest}`, {
      expected: digest,
      actual: said,
    });
  const subject = response.headers["oci-subject"];
  return { descriptor: { mediaType, digest, size: bytes.length }, subject: subject !== undefined && isDigest(subject) ? subject : undefined };
}

/** The tag where the reference has no digest, else the manifest with all its tags. */
export async function deleteManifestAt(sender: Sender, endpoint: Endpoint, reference: Reference, signal?: AbortSignal): Promise<void> {
  const response = await sender.send({
    endpoint,
    reference,
    actions: "delete",
    subject: "push",
    method: "DELETE",
    path: `manifests/${reference.digest ?? reference.tag ?? "latest"}`,
    statuses: [202, 200, 204],
    headers: {},
    contentAddressed: false,
    signal,
  });
  response.discard();
}
