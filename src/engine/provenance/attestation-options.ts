/** What `--attest`, `--provenance` and `--sbom` ask for, with BuildKit's defaults and refusals. */
import { SlipwayError } from "../../base/errors.ts";
import { booleanFromText, goQuote } from "../../base/go-text.ts";
import { formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts";
import type { BuildAttestation } from "../api.ts";

export type SlsaVersion = "v0.2" | "v1";

export interface ProvenanceRequest {
  /** min: without values of build args and labels, secrets' names, and the graph */
  readonly mode: "min" | "max";
  readonly version: SlsaVersion;
  readonly builderId: string;
  /** the caller vouches that the same input gives the same bytes */
  readonly reproducible: boolean;
  /** beside the index instead of in it */
  readonly asReferrer: boolean;
  /** nobody asked: only where an image is pushed, and nothing that differs from run to run is said */
  readonly byDefault: boolean;
}

export interface SbomRequest {
  readonly asReferrer: boolean;
  /** an image that scans as BuildKit's protocol has it; undefined: what `sbom` lists */
  readonly scanner: { readonly image: string; readonly parameters: Readonly<Record<string, string>> } | undefined;
}

/** In full, with its tag. */
export function scannerName(image: string): string {
  return formatReference(withDefaultTag(parseReference(image)));
}

export interface AttestationRequests {
  readonly provenance: ProvenanceRequest | undefined;
  readonly sbom: SbomRequest | undefined;
}

const byDefault: ProvenanceRequest = { mode: "min", version: "v0.2", builderId: "", reproducible: false, asReferrer: false, byDefault: true };

/** Of several of a type the last one counts that is not disabled. Fails with INVALID_ATTESTATION (invalid_argument). */
export function parseAttestations(given: readonly BuildAttestation[], noDefault: boolean): AttestationRequests {
  const asked = new Map<string, Readonly<Record<string, string>>>();
  const disabled = new Set<string>();
  for (const { type, attributes } of given) {
    if (type !== "provenance" && type !== "sbom") throw invalid(`unknown attestation type ${goQuote(type)}`, { type });
    const isDisabled = attributes["disabled"];
    if (isDisabled !== undefined && parseFlag("disabled", isDisabled)) {
      disabled.add(type);
      continue;
    }
    asked.set(type, attributes);
  }
  const [provenance, sbom] = [asked.get("provenance"), asked.get("sbom")];
  const unasked = noDefault || disabled.has("provenance") ? undefined : byDefault;
  return { provenance: provenance === undefined ? unasked : parseProvenance(provenance), sbom: sbom === undefined ? undefined : parseSbom(sbom) };
}

function invalid(message: string, details: Readonly<Record<string, unknown>>): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_ATTESTATION", message, details);
}

function parseFlag(name: string, text: string): boolean {
  const value = booleanFromText(text);
  if (value !== undefined) return value;
  throw invalid(`failed to parse ${name} flag ${goQuote(text)}: strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`, { name, value: text });
}

/** Fields that nobody knows are passed over, as BuildKit has it. Without a mode it is max. */
function parseProvenance(attributes: Readonly<Record<string, string>>): ProvenanceRequest {
  const { mode = "max", version = "v0.2", "builder-id": builderId = "", reproducible = "false" } = attributes;
  if (mode !== "min" && mode !== "max") throw invalid(`invalid mode ${goQuote(mode)}`, { mode });
  if (version !== "v0.2" && version !== "v1") throw invalid(`invalid provenance SLSA version: ${version}`, { version });
  const isInline = parseFlag("inline-only", attributes["inline-only"] ?? "false");
  const asked = { mode, version, builderId, reproducible: parseFlag("reproducible", reproducible), asReferrer: parsePlace(attributes) } as const;
  return { ...asked, byDefault: isInline };
}

/** Fields that nobody knows are handed to the scanner, the type too, as BuildKit has it. */
function parseSbom(attributes: Readonly<Record<string, string>>): SbomRequest {
  const { generator = "", as: _, ...parameters } = attributes;
  const scanner = generator === "" ? undefined : { image: generator, parameters: { type: "sbom", ...parameters } };
  return { asReferrer: parsePlace(attributes), scanner };
}

function parsePlace({ as: place = "index" }: Readonly<Record<string, string>>): boolean {
  if (place !== "index" && place !== "referrer") throw invalid(`an attestation goes as "index" or as "referrer", not as ${goQuote(place)}`, { as: place });
  return place === "referrer";
}
