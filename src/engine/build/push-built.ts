/** `--push`, `type=registry`, `type=image,push=true`: what was built goes to the registries of its names. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { familiarName, parseReference } from "../../oci/reference.ts";
import type { LayerCompression } from "../registry-api.ts";
import { pushArchived, type PushedImage, type PushProgress } from "../push/push-image.ts";
import { mountSources, rememberPushed } from "../push/push-task.ts";
import { archivedResult } from "./export-archive.ts";
import type { Exportable } from "./exportable.ts";
import type { Step } from "./progress-steps.ts";

type Attributes = Readonly<Record<string, string>>;

export interface PushedResult {
  readonly manifest: Descriptor;
  /** of the first image; eStargz makes another than the store's */
  readonly config?: Digest;
}

/** Answers what the names stand for now. Fails with the registry client's codes, "failed to push NAME: " in front. */
export async function pushBuilt(input: Exportable, id: Digest, names: readonly string[], attributes: Attributes, step: Step): Promise<PushedResult> {
  const compression = compressionOf(attributes);
  const dockerTypes = attributes["oci-mediatypes"] !== undefined && !isTrue(attributes["oci-mediatypes"]);
  const byDigest = isTrue(attributes["push-by-digest"]);
  let pushed: PushedImage | undefined;
  for (const name of names) {
    try {
      pushed = await pushName(input, id, name, { compression, byDigest, dockerTypes }, step);
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      throw new SlipwayError(error.kind, error.code, `failed to push ${familiarName(parseReference(name))}: ${error.message}`, error.details, error);
    }
  }
  if (pushed === undefined) throw new SlipwayError("invalid_argument", "NAME_MISSING", "tag is needed when pushing to registry");
  const [document] = pushed.manifests;
  const parsed = document === undefined ? undefined : parseManifestOrIndex(document.bytes, document.mediaType);
  return { manifest: pushed.descriptor, ...(parsed?.kind === "manifest" ? { config: parsed.manifest.config.digest } : {}) };
}

async function pushName(
  input: Exportable,
  id: Digest,
  name: string,
  { compression, byDigest, dockerTypes }: { readonly compression: LayerCompression; readonly byDigest: boolean; readonly dockerTypes: boolean },
  step: Step,
): Promise<PushedImage> {
  const { store, signal } = input;
  const named = parseReference(name);
  const reference = byDigest ? { domain: named.domain, path: named.path } : named;
  step.status("pushing layers", 0);
  const pushed = await pushArchived(
    {
      store,
      client: await input.client(),
      reference,
      compression,
      dockerTypes,
      mountFrom: mountSources(store, reference),
      onProgress: layerStatus(step),
      signal,
    },
    archivedResult(input, []),
  );
  step.status("pushing layers", 0, undefined, true);
  step.status(`pushing manifest for ${name}@${pushed.descriptor.digest}`, 0, undefined, true);
  if (!compression.force && compression.type !== "estargz") rememberPushed(store, id, reference, pushed);
  return pushed;
}

function layerStatus(step: Step): (progress: PushProgress) => void {
  return ({ layer, phase, current, total }) => {
    if (phase === "pushing") step.status(`pushing ${layer}`, current, total, current === total);
  };
}

/** Fails with INVALID_COMPRESSION (invalid_argument). */
function compressionOf(attributes: Attributes): LayerCompression {
  const { compression = "gzip", "compression-level": level, "force-compression": force } = attributes;
  if (compression !== "gzip" && compression !== "zstd" && compression !== "estargz" && compression !== "uncompressed")
    throw new SlipwayError("invalid_argument", "INVALID_COMPRESSION", `unsupported layer compression type: ${compression}`, { compression });
  const number = level === undefined ? undefined : Number(level);
  if (number !== undefined && (!Number.isInteger(number) || number < 0 || number > (compression === "zstd" ? 22 : 9)))
    throw new SlipwayError("invalid_argument", "INVALID_COMPRESSION", `non-int or too large value ${String(level)} specified for compression-level`, { level });
  return { type: compression, force: isTrue(force), ...(number === undefined ? {} : { level: number }) };
}

/** As in Go's strconv.ParseBool; "push-by-digest" alone means true. */
function isTrue(text: string | undefined): boolean {
  return text !== undefined && ["", "1", "t", "T", "true", "TRUE", "True"].includes(text);
}
