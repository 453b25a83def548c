/** `--push`, `type=registry`, `type=image,push=true`: what was built goes to the registries of its names. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { familiarName, parseReference } from "../../oci/reference.ts";
import { attachReferrer } from "../../registry/index.ts";
import { pushArchived, type PushedImage, type PushProgress } from "../push/push-image.ts";
import { mountSources, rememberPushed } from "../push/push-task.ts";
import { attestedManifest } from "../../oci/attestation.ts";
import type { AttestedImage } from "../api.ts";
import type { AttestationDocument } from "../attestations/attestation-manifest.ts";
import { describe } from "../archive/archive-plan.ts";
import { insecureClient } from "../manifests/insecure-client.ts";
import { archivedResult } from "./export-archive.ts";
import type { Exportable } from "./exportable.ts";
import type { ImageOutput } from "./image-output.ts";
import type { Step } from "./progress-steps.ts";

export interface PushedResult {
  readonly manifest: Descriptor;
  /** of the first image; eStargz makes another than the store's */
  readonly config?: Digest;
  readonly attested: readonly AttestedImage[];
}

/** Answers what the names stand for now. Fails with the registry client's codes, "failed to push NAME: " in front. */
export async function pushBuilt(input: Exportable, id: Digest | undefined, names: readonly string[], asked: ImageOutput, step: Step): Promise<PushedResult> {
  let pushed: PushedImage | undefined;
  for (const name of names) {
    try {
      pushed = await pushName(input, id, name, asked, step);
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      throw new SlipwayError(error.kind, error.code, `failed to push ${familiarName(parseReference(name))}: ${error.message}`, error.details, error);
    }
  }
  if (pushed === undefined) throw new SlipwayError("invalid_argument", "NAME_MISSING", "tag is needed when pushing to registry");
  const [document] = pushed.manifests;
  const parsed = document === undefined ? undefined : parseManifestOrIndex(document.bytes, document.mediaType);
  const manifest = pushed.index === undefined ? describe(pushed.descriptor, input.images[0]?.platform, {}) : pushed.descriptor;
  const attested = (pushed.attestations ?? []).flatMap(predicatesIn);
  return { manifest, attested, ...(pushed.index === undefined && parsed?.kind === "manifest" ? { config: parsed.manifest.config.digest } : {}) };
}

function predicatesIn({ entry, blobs }: AttestationDocument): readonly AttestedImage[] {
  const subject = attestedManifest(entry);
  return blobs.flatMap(({ descriptor, bytes }) => {
    const predicateType = descriptor.annotations?.["in-toto.io/predicate-type"];
    if (subject === undefined || predicateType === undefined) return [];
    return [{ subject, predicateType, predicate: (JSON.parse(bytes.toString()) as { readonly predicate: object }).predicate }];
  });
}

/** `id`: of the image in the store, where it is kept. */
async function pushName(input: Exportable, id: Digest | undefined, name: string, asked: ImageOutput, step: Step): Promise<PushedImage> {
  const { store, signal } = input;
  const { compression, byDigest, insecure, ociTypes } = asked;
  const named = parseReference(name);
  const reference = byDigest ? { domain: named.domain, path: named.path } : named;
  await input.gate?.pushed([reference], { id }, signal);
  step.status("pushing layers", 0);
  await using own = insecure ? await insecureClient([named.domain]) : undefined;
  const client = own ?? (await input.client());
  const pushed = await pushArchived(
    {
      store,
      client,
      attach: async (document) => await attachReferrer(client, reference, document, { signal }),
      reference,
      compression,
      dockerTypes: ociTypes === false && input.attest === undefined,
      mountFrom: mountSources(store, reference),
      onProgress: layerStatus(step),
      signal,
    },
    archivedResult(input, []),
  );
  step.status("pushing layers", 0, undefined, true);
  step.status(`pushing manifest for ${name}@${pushed.descriptor.digest}`, 0, undefined, true);
  if (id !== undefined && !compression.force && compression.type !== "estargz") rememberPushed(store, id, reference, pushed);
  return pushed;
}

function layerStatus(step: Step): (progress: PushProgress) => void {
  return ({ layer, phase, current, total }) => {
    if (phase === "pushing") step.status(`pushing ${layer}`, current, total, current === total);
  };
}
