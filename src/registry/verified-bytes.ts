/** Counts and hashes what passes: the end is reached only if size and digest are those of the descriptor. */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { SlipwayError } from "../base/errors.ts";
import { algorithmOf, hexOf } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";

export interface Verifier {
  /** bytes of the blob that are known to have come, counted from its start */
  readonly position: number;
  /** Fails with SIZE_MISMATCH (data_loss) as soon as there are more bytes than declared. */
  take(chunk: Uint8Array): void;
  /** Fails with SIZE_MISMATCH or DIGEST_MISMATCH (data_loss). */
  finish(): void;
}

export function sizeMismatch(descriptor: Descriptor, host: string, got: string): SlipwayError {
  return new SlipwayError("data_loss", "SIZE_MISMATCH", `blob ${descriptor.digest} from ${host}: got ${got}, want ${descriptor.size} bytes`, {
    digest: descriptor.digest,
    size: descriptor.size,
    host,
  });
}

/** Starts at `offset`; `hash` has to have read the bytes before it. Without it only the size of the rest is checked. */
export function createVerifier(descriptor: Descriptor, host: () => string, offset = 0, hash?: Hash): Verifier {
  const running = offset === 0 ? (hash ?? createHash(algorithmOf(descriptor.digest))) : hash;
  let position = offset;
  return {
    get position() {
      return position;
    },
    take(chunk) {
      if (position + chunk.length > descriptor.size) throw sizeMismatch(descriptor, host(), "more bytes");
      position += chunk.length;
      running?.update(chunk);
    },
    finish() {
      if (position !== descriptor.size) throw sizeMismatch(descriptor, host(), `${position} bytes`);
      const hex = running?.digest("hex");
      if (hex === undefined || hex === hexOf(descriptor.digest)) return;
      const actual = `${algorithmOf(descriptor.digest)}:${hex}`;
      throw new SlipwayError("data_loss", "DIGEST_MISMATCH", `blob ${descriptor.digest} from ${host()}: got ${actual} after ${position} bytes`, {
        expected: descriptor.digest,
        actual,
        size: position,
        host: host(),
      });
    },
  };
}
