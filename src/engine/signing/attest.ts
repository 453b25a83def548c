/** `attest`: a signed statement about an image of a registry. */
import { SlipwayError } from "../../base/errors.ts";
import { attestImage, predicateFrom, predicateTypeFrom } from "../../trust/signatures/index.ts";
import type { AttestOptions, SignResult } from "../trust-api.ts";
import { openKey, signEach, signKeyless, type SigningSurroundings } from "./sign.ts";

export async function attest(surroundings: SigningSurroundings, name: string, options: AttestOptions): Promise<SignResult> {
  const predicateType = predicateTypeFrom(options.type);
  const predicate = predicateFrom(options.type, options.predicate, options.predicateName ?? "predicate");
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
