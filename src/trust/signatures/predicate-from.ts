/** What is signed of the file that `attest` is given. Pure. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { invalidDocument, parseJsonObject, type JsonObject } from "../../oci/bounded-json.ts";

/** A verifier reads no more: base64 makes a third of it, and the statement some. */
export const maxPredicateBytes = 45 << 20;
const maxDepth = 190;

/**
 * A JSON object as it is; for "custom" an object with any text as `Data`, as cosign has it.
 * `what` names the file. Fails with INVALID_DOCUMENT (invalid_argument) and DOCUMENT_TOO_LARGE (resource_exhausted).
 */
export function predicateFrom(type: string, bytes: Uint8Array, what: string): JsonObject {
  return type === "custom" ? { Data: textIn(bytes, what) } : objectIn(bytes, what);
}

function objectIn(bytes: Uint8Array, what: string): JsonObject {
  try {
    return parseJsonObject(bytes, what, { maxBytes: maxPredicateBytes, maxDepth });
  } catch (error) {
    if (!isSlipwayError(error, "INVALID_DOCUMENT")) throw error;
    const remedy = "a statement is one JSON object; --type custom takes any text";
    throw new SlipwayError(error.kind, error.code, error.message, { ...error.details, remedy, bare: true }, error);
  }
}

function textIn(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw invalidDocument(what, "not UTF-8 text", error);
  }
}
