/** What is said of the images that a build makes: which attestations, in which form, once their manifests are known. */
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { describe, type ImageDocument } from "../archive/archive-plan.ts";
import { attestationManifest, type AttestationDocument, type AttestedPredicate } from "../attestations/attestation-manifest.ts";
import { familiar } from "../image-names.ts";
import type { Exportable } from "../build/exportable.ts";
import type { AttestationRequests } from "./attestation-options.ts";
import { createProvenance } from "./create-provenance.ts";
import { imagePurl } from "./materials.ts";
import { predicateTypeOf } from "./slsa.ts";

/** Of the image at that position, whose manifest this is. The same question has the same answer. */
export type AttestImage = (at: number, document: ImageDocument) => Promise<readonly AttestationDocument[]>;

export interface AttestOptions {
  readonly requests: AttestationRequests;
  readonly names: readonly string[];
  /** OCI artifacts instead of BuildKit's images */
  readonly asArtifact: boolean;
}

export function attestBuild(input: Exportable, { requests, names, asArtifact }: AttestOptions): AttestImage {
  const known = new Map<string, Promise<readonly AttestationDocument[]>>();
  const nowMs = Date.now();
  const create = async (at: number, document: ImageDocument): Promise<readonly AttestationDocument[]> => {
    const result = input.results[at];
    if (result === undefined) return [];
    const parsed = parseManifestOrIndex(document.bytes, document.mediaType);
    const layers = parsed.kind === "manifest" ? parsed.manifest.layers : [];
    const subject: Descriptor = describe({ mediaType: document.mediaType, digest: digestOf(document.bytes), size: document.bytes.length }, undefined, {});
    const [name] = names;
    const found = await predicatesOf(input, requests, { at, layers, nowMs, name: name === undefined ? "" : familiar(name), manifest: subject.digest });
    const attested = { subject, names: names.map((name) => imagePurl(name, result.platform)) };
    const form = asArtifact ? "artifact" : "image";
    const inIndex = found.filter(({ asReferrer }) => !asReferrer);
    const loose = found.filter(({ asReferrer }) => asReferrer);
    return [
      ...(inIndex.length === 0 ? [] : [attestationManifest({ ...attested, predicates: inIndex }, form)]),
      ...(loose.length === 0 ? [] : [attestationManifest({ ...attested, predicates: loose }, "referrer")]),
    ];
  };
  return async (at, document) => {
    const key = `${at} ${digestOf(document.bytes)}`;
    const work = known.get(key) ?? create(at, document);
    known.set(key, work);
    return await work;
  };
}

interface PlacedPredicate extends AttestedPredicate {
  readonly asReferrer: boolean;
  /** what the file is called where it is one: "sbom.spdx.json" */
  readonly file: string;
}

export interface PredicateSubject {
  /** which of the build's images */
  readonly at: number;
  readonly layers: readonly Descriptor[];
  readonly nowMs: number;
  readonly name: string;
  readonly manifest: Digest | undefined;
}

/** BuildKit's order: the SBOM first. */
export async function predicatesOf(
  input: Exportable,
  { provenance, sbom }: AttestationRequests,
  { at, layers, nowMs, name, manifest }: PredicateSubject,
): Promise<readonly PlacedPredicate[]> {
  const found: PlacedPredicate[] = [];
  const [result, image] = [input.results[at], input.images[at]];
  if (sbom !== undefined && image !== undefined) {
    const { billsOfBuilt } = await import("./built-sbom.ts");
    const bills = await billsOfBuilt(input, image, { name, manifest, scan: input.scans?.[at] });
    for (const { name: bill, ...rest } of bills) {
      found.push({ ...rest, predicateType: "https://spdx.dev/Document", asReferrer: sbom.asReferrer, file: `${bill}.spdx.json` });
    }
  }
  if (provenance !== undefined && result !== undefined) {
    const { options, facts } = input;
    const predicate = await createProvenance({ options, facts, result, asked: provenance, nowMs }, layers);
    found.push({ predicateType: predicateTypeOf[provenance.version], predicate, asReferrer: provenance.asReferrer, file: "provenance.json" });
  }
  return found;
}
