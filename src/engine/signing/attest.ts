/** `attest`: a signed statement about an image of a registry. */
import { parseJsonObject } from "../../oci/bounded-json.ts";
import { attestImage, predicateTypeFrom } from "../../trust/signatures/index.ts";
import type { AttestOptions, SignResult } from "../trust-api.ts";
import { openKey, signEach, type SigningSurroundings } from "./sign.ts";

/** A verifier reads no more: base64 makes a third of it, and the statement some. */
export const maxPredicateBytes = 45 << 20;
const maxDepth = 190;

export async function attest(surroundings: SigningSurroundings, name: string, options: AttestOptions): Promise<SignResult> {
  const predicateType = predicateTypeFrom(options.type);
  const predicate = parseJsonObject(options.predicate, "predicate", { maxBytes: maxPredicateBytes, maxDepth });
  const { formats = ["bundle", "legacy"] } = options;
  const key = await openKey(options.key);
  return await signEach(surroundings, name, { ...options, key, now: new Date() }, (request) => attestImage({ ...request, formats, predicateType, predicate }));
}
