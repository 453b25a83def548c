/** Types of attestations: the short words that cosign's users know, and the URIs that are signed. */
import { SlipwayError } from "../../base/errors.ts";
import { signaturePredicateType } from "./statement.ts";

export const predicateTypes: Readonly<Record<string, string>> = {
  spdx: "https://spdx.dev/Document",
  spdxjson: "https://spdx.dev/Document",
  cyclonedx: "https://cyclonedx.org/bom",
  slsaprovenance1: "https://slsa.dev/provenance/v1",
  slsaprovenance02: "https://slsa.dev/provenance/v0.2",
  slsaprovenance: "https://slsa.dev/provenance/v0.2",
  openvex: "https://openvex.dev/ns",
  vuln: "https://cosign.sigstore.dev/attestation/vuln/v1",
  link: "https://in-toto.io/Link/v1",
  custom: "https://cosign.sigstore.dev/attestation/v1",
};

/** A word of the table, or a URI as it is. Fails with INVALID_PREDICATE_TYPE (invalid_argument). */
export function predicateTypeFrom(word: string): string {
  const known = Object.hasOwn(predicateTypes, word) ? predicateTypes[word] : undefined;
  if (known !== undefined) return known;
  if (/^[a-z][a-z0-9+.-]*:\S+$/i.test(word) && URL.canParse(word) && word !== signaturePredicateType) return word;
  throw new SlipwayError(
    "invalid_argument",
    "INVALID_PREDICATE_TYPE",
    `unknown type of attestation ${JSON.stringify(word)}: want ${Object.keys(predicateTypes).join(", ")} or a URI`,
    {
      got: word,
      bare: true,
    },
  );
}
