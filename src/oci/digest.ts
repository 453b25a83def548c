/**
 * Content digests, `sha256:<64 hex>` (also sha512 when read from elsewhere).
 * @see image-spec descriptor.md#digests
 */
import { createHash } from "node:crypto";
import type { Brand } from "../base/brand.ts";
import { SlipwayError } from "../base/errors.ts";

export type Digest = Brand<string, "Digest">;

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** Fails with INVALID_DIGEST (invalid_argument). */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new SlipwayError("invalid_argument", "INVALID_DIGEST", `invalid digest ${JSON.stringify(text.slice(0, 200))}: want sha256:<64 hex digits>`, {
    got: text.slice(0, 200),
  });
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
}

/** The digest whose sha256 is already known as 64 hex digits. */
export function digestFromHex(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

export function algorithmOf(digest: Digest): "sha256" | "sha512" {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** What Docker shows of an id: the first 12 hex digits. */
export function shortId(digest: Digest): string {
  return hexOf(digest).slice(0, 12);
}
