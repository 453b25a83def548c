/** What is said of an image as a manifest in its index, in the shape of BuildKit's. */
import { goJson } from "../../base/canonical-json.ts";
import { algorithmOf, digestOf, hexOf } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import type { ImageDocument } from "../archive/archive-plan.ts";

export interface AttestedPredicate {
  readonly predicateType: string;
  readonly predicate: unknown;
  /** undefined: the image */
  readonly subjects?: readonly object[] | undefined;
}

export interface AttestationDocument extends ImageDocument {
  /** of the index that has it */
  readonly entry: Descriptor;
  /** config and statements */
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Buffer }[];
  /** for referrers: it stands beside the index */
  readonly isLoose: boolean;
}

export const attestationArtifactType = "application/vnd.docker.attestation.manifest.v1+json";
const statementMediaType = "application/vnd.in-toto+json";
const emptyConfig = Buffer.from("{}");

export interface Attested {
  /** of the image's manifest */
  readonly subject: Descriptor;
  /** package URLs of the names that the image gets */
  readonly names: readonly string[];
  readonly predicates: readonly AttestedPredicate[];
}

/** `as`: BuildKit's older form, an OCI artifact in the index, or the artifact alone, which refers to the image. */
export function attestationManifest(attested: Attested, as: "image" | "artifact" | "referrer"): AttestationDocument {
  const { subject, predicates } = attested;
  const statements = predicates.map(({ predicateType, predicate, subjects }) => {
    const bytes = subjects === undefined ? statementBytes(attested, predicateType, predicate) : statementAbout(subjects, predicateType, predicate);
    return { predicateType, bytes };
  });
  const layers = statements.map(({ predicateType, bytes }) => ({
    ...descriptorOf(statementMediaType, bytes),
    annotations: { "in-toto.io/predicate-type": predicateType },
  }));
  const isArtifact = as !== "image";
  const configBytes = isArtifact ? emptyConfig : Buffer.from(configText(layers));
  const config = descriptorOf(isArtifact ? mediaTypes.ociEmpty : mediaTypes.ociConfig, configBytes);
  const bytes = Buffer.from(
    goJson({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: isArtifact ? attestationArtifactType : undefined,
      config: isArtifact ? { ...config, data: configBytes.toString("base64") } : config,
      layers,
      subject: isArtifact ? { mediaType: subject.mediaType, digest: subject.digest, size: subject.size } : undefined,
    }),
  );
  const entry: Descriptor = {
    ...descriptorOf(mediaTypes.ociManifest, bytes),
    annotations: { "vnd.docker.reference.digest": subject.digest, "vnd.docker.reference.type": "attestation-manifest" },
    platform: { architecture: "unknown", os: "unknown" },
  };
  const blobs = [{ descriptor: config, bytes: configBytes }, ...statements.map((one, at) => ({ descriptor: layers[at] as Descriptor, bytes: one.bytes }))];
  return { mediaType: mediaTypes.ociManifest, bytes, entry, blobs, isLoose: as === "referrer" };
}

export function statementBytes({ subject, names }: Pick<Attested, "subject" | "names">, predicateType: string, predicate: unknown): Buffer {
  const digest = { [algorithmOf(subject.digest)]: hexOf(subject.digest) };
  return statementAbout(
    names.map((name) => ({ name, digest })),
    predicateType,
    predicate,
  );
}

export function statementAbout(subject: readonly object[], predicateType: string, predicate: unknown): Buffer {
  return Buffer.from(goJson({ _type: "https://in-toto.io/Statement/v0.1", predicateType, subject, predicate }));
}

function descriptorOf(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function configText(layers: readonly Descriptor[]): string {
  return goJson({ architecture: "unknown", os: "unknown", config: {}, rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) } });
}
