/** What `-o type=image|registry|oci|docker,…` asks for, with BuildKit's names, defaults and refusals. Names that it does not know are passed over, as there. */
import { booleanFromText, goQuote } from "../../base/go-text.ts";
import { SlipwayError } from "../../base/errors.ts";
import type { LayerCompression } from "../registry-api.ts";
import { parseOutputAnnotation, type ParsedAnnotation } from "./annotations.ts";

type Attributes = Readonly<Record<string, string>>;

export interface ImageOutput {
  readonly push: boolean;
  /** under its digest alone, without the name's tag */
  readonly byDigest: boolean;
  /** the registry may speak plain http or have a certificate that nobody knows */
  readonly insecure: boolean;
  /** false: it is pushed and not kept */
  readonly store: boolean;
  /** the layers lie as directories afterwards, so that the first container starts at once */
  readonly unpack: boolean;
  /** undefined: the exporter's default */
  readonly ociTypes: boolean | undefined;
  readonly compression: LayerCompression;
  /** files that are newer than SOURCE_DATE_EPOCH get its time */
  readonly rewriteTimestamp: boolean;
  readonly annotations: readonly ParsedAnnotation[];
  /** attestations are OCI artifacts that refer to their images, in the index all the same */
  readonly artifacts: boolean;
}

/** Fails with INVALID_OUTPUT, INVALID_COMPRESSION, INVALID_ANNOTATION or INVALID_PLATFORM (invalid_argument). */
export function parseImageOutput(attributes: Attributes): ImageOutput {
  const flag = (name: string, fallback: boolean): boolean => parseFlag(name, attributes[name], fallback, "");
  for (const name of booleans) flag(name, false);
  const rewriteTimestamp = flag("rewrite-timestamp", false);
  const unpack = flag("unpack", false);
  if (rewriteTimestamp && unpack) throw invalid('exporter option "rewrite-timestamp" conflicts with "unpack"', { rewriteTimestamp, unpack });
  return {
    push: flag("push", false),
    byDigest: flag("push-by-digest", false),
    insecure: flag("registry.insecure", false),
    store: flag("store", true),
    unpack,
    ociTypes: attributes["oci-mediatypes"] === undefined ? undefined : flag("oci-mediatypes", true),
    compression: parseCompression(attributes),
    rewriteTimestamp,
    artifacts: flag("oci-artifact", false),
    annotations: Object.entries(attributes).flatMap(([name, value]) => parseOutputAnnotation(name, value)),
  };
}

/** Those that BuildKit checks and that have nothing to do here. */
const booleans = ["name-canonical", "dangling-name-empty-only", "prefer-nondist-layers", "attestation-inline"];

function invalid(message: string, details: Readonly<Record<string, unknown>>): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_OUTPUT", message, details);
}

/** Go's words for booleans; the name alone means true. */
function parseFlag(name: string, text: string | undefined, fallback: boolean, shown: string): boolean {
  if (text === undefined) return fallback;
  const value = text === "" || booleanFromText(text);
  if (value !== undefined) return value;
  throw invalid(`non-bool value ${shown}specified for ${name}: strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`, { name, value: text });
}

const levels = { gzip: 9, estargz: 9, zstd: 22, uncompressed: 22 } as const;

function parseCompression(attributes: Attributes): LayerCompression {
  const { compression = "gzip", "compression-level": level, "force-compression": forced } = attributes;
  const type = compression === "" ? "gzip" : compression;
  if (type !== "gzip" && type !== "zstd" && type !== "estargz" && type !== "uncompressed")
    throw new SlipwayError("invalid_argument", "INVALID_COMPRESSION", `unsupported compression type ${compression}`, { compression });
  const force = parseFlag("force-compression", forced, false, `${forced} `);
  return { type, force, ...(level === undefined ? {} : parseLevel(level, type)) };
}

/** zstd's levels end where they end; gzip refuses those that it does not have. -1 means the type's own. */
function parseLevel(text: string, type: LayerCompression["type"]): Pick<LayerCompression, "level"> {
  const refuse = (message: string): SlipwayError => new SlipwayError("invalid_argument", "INVALID_COMPRESSION", message, { level: text });
  if (!/^[-+]?\d+$/.test(text))
    throw refuse(`non-integer value ${text} specified for compression-level: strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  const level = Number(text);
  if (level === -1) return {};
  if (type === "zstd") return { level: Math.min(Math.max(level, 1), levels.zstd) };
  if (level < 0 || level > levels[type]) throw refuse(`gzip: invalid compression level: ${level}`);
  return { level };
}
