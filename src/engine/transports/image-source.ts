/**
 * Where images come from, whatever the place: a registry, an OCI layout, an archive, the store. What a name means, documents by
 * digest, blobs by descriptor; bytes are checked against their digest before they are believed.
 */
import { createHash } from "node:crypto";
import { SlipwayError } from "../../base/errors.ts";
import { algorithmOf, type Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import type { Reference } from "../../oci/reference.ts";

export interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface ImageSource extends AsyncDisposable {
  /** as the user wrote it, for messages */
  readonly name: string;
  /** the repository, where it is a registry's: its blobs may be mounted into another one of that registry */
  readonly reference?: Reference;
  /** What the name means: a manifest or an index. Fails with IMAGE_NOT_IN_PLACE or MANIFEST_NOT_FOUND (not_found). */
  root(signal?: AbortSignal): Promise<Document>;
  document(digest: Digest, signal?: AbortSignal): Promise<Document>;
  /** undefined where it is not here: an index may list more platforms than an archive has */
  has(descriptor: Descriptor): boolean | undefined;
  /** The end is reached only if size and digest agree. */
  blob(descriptor: Descriptor, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** From an offset on, where that costs less than all of it; only the size is checked then. */
  blobFrom?(descriptor: Descriptor, offset: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

export function notInPlace(place: string, what: string): SlipwayError {
  return new SlipwayError("not_found", "IMAGE_NOT_IN_PLACE", `${place}: ${what}`, { place, bare: true });
}

/** Passes the bytes on. Fails with SIZE_MISMATCH or DIGEST_MISMATCH (data_loss), and never yields more than was declared. */
export async function* checked(source: AsyncIterable<Uint8Array>, { digest, size }: Pick<Descriptor, "digest" | "size">): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithmOf(digest));
  let got = 0;
  for await (const chunk of source) {
    got += chunk.length;
    if (got > size) break;
    hash.update(chunk);
    yield chunk;
  }
  if (got !== size) {
    throw new SlipwayError("data_loss", "SIZE_MISMATCH", `blob ${digest}: got ${got > size ? "more than" : got} bytes, want ${size}`, {
      expected: size,
      actual: got,
    });
  }
  const actual = `${algorithmOf(digest)}:${hash.digest("hex")}`;
  if (actual !== digest)
    throw new SlipwayError("data_loss", "DIGEST_MISMATCH", `blob ${digest}: got ${actual} after ${size} bytes`, { expected: digest, actual, size });
}

/** Fails with DIGEST_MISMATCH (data_loss). */
export function checkedDocument(bytes: Uint8Array, digest: Digest): Uint8Array {
  const actual = `${algorithmOf(digest)}:${createHash(algorithmOf(digest)).update(bytes).digest("hex")}`;
  if (actual === digest) return bytes;
  throw new SlipwayError("data_loss", "DIGEST_MISMATCH", `manifest ${digest}: got ${actual} after ${bytes.length} bytes`, {
    expected: digest,
    actual,
    size: bytes.length,
  });
}
