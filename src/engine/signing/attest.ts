/** `attest`: a signed statement about an image of a registry. */
import { SlipwayError } from "../../base/errors.ts";
import { parseJsonObject } from "../../oci/bounded-json.ts";
import { attestImage, predicateTypeFrom } from "../../trust/signatures/index.ts";
import type { AttestOptions, SignResult } from "../trust-api.ts";
import { openKey, signEach, signKeyless, type SigningSurroundings } from "./sign.ts";

/** A verifier reads no more: base64 makes a third of it, and the statement some. */
export const maxPredicateBytes = 45 << 20;
const maxDepth = 190;

export async function attest(surroundings: SigningSurroundings, name: string, options: AttestOptions): Promise<SignResult> {
  const predicateType = predicateTypeFrom(options.type);
  const predicate = parseJsonObject(options.predicate, "predicate", { maxBytes: maxPredicateBytes, maxDepth });
  const { formats = ["bundle", "legacy"] } = options;
  const now = new Date();
  if (options.keyless !== undefined) {
    if (options.key !== undefined || options.formats?.includes("legacy") === true)
      throw new SlipwayError("invalid_argument", "USAGE", "who attests without a key writes bundles: neither keys nor other formats");
    return await signKeyless(surroundings, name, { ...options, keyless: options.keyless, now }, { predicateType, predicate });
  }
  const key = await openKey(options.key);
  return await signEach(surroundings, name, { ...options, now }, (request) => attestImage({ ...request, key, formats, predicateType, predicate }));
}
