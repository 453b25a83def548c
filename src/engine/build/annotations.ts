/** `--annotation [type:]key=value`, where a type is a level of an image's documents, for one platform: `manifest[linux/arm64]`. */
import { goQuote } from "../../base/go-text.ts";
import { SlipwayError } from "../../base/errors.ts";
import { formatPlatform, normalizePlatform, parsePlatform, type Platform } from "../../oci/platform.ts";

export interface Annotations {
  readonly manifest: Readonly<Record<string, string>>;
  readonly index: Readonly<Record<string, string>>;
  readonly manifestDescriptor: Readonly<Record<string, string>>;
  readonly indexDescriptor: Readonly<Record<string, string>>;
}

type Level = keyof Annotations;

export const noAnnotations: Annotations = { manifest: {}, index: {}, manifestDescriptor: {}, indexDescriptor: {} };

const levels: Readonly<Record<string, Level>> = {
  manifest: "manifest",
  index: "index",
  "manifest-descriptor": "manifestDescriptor",
  "index-descriptor": "indexDescriptor",
};

export interface ParsedAnnotation {
  readonly level: Level;
  /** undefined: every platform's */
  readonly platform: Platform | undefined;
  readonly key: string;
  readonly value: string;
}

/** Without a type an annotation belongs to the manifest. Fails with INVALID_ANNOTATION, INVALID_PLATFORM. */
export function parseAnnotations(texts: readonly string[]): readonly ParsedAnnotation[] {
  return texts.flatMap(parseAnnotation);
}

const typePattern = String.raw`(?:manifest|index)(?:-descriptor)?(?:\[[^\]]*\])?`;
const typedPattern = new RegExp(`^(${typePattern}(?:,${typePattern})*):(.+)$`);

function parseAnnotation(text: string): readonly ParsedAnnotation[] {
  const equals = text.indexOf("=");
  if (equals <= 0) throw new SlipwayError("invalid_argument", "INVALID_ANNOTATION", `invalid annotation ${goQuote(text)}, expected key=value`, { got: text });
  const name = text.slice(0, equals);
  const value = text.slice(equals + 1);
  const [, types, key = name] = typedPattern.exec(name) ?? [];
  return (types ?? "manifest").split(",").map((type) => {
    const [, level = "", platform] = /^([^[]*)(?:\[(.*)\])?$/.exec(type) ?? [];
    return { level: levels[level] ?? "manifest", platform: platform === undefined ? undefined : normalizePlatform(parsePlatform(platform)), key, value };
  });
}

/** An attribute of an output: `annotation.KEY`, `annotation-index.KEY`, `annotation-manifest[linux/arm64].KEY`; none for all others. */
export function parseOutputAnnotation(name: string, value: string): readonly ParsedAnnotation[] {
  const [, type, platform, key] = /^annotation(?:-([a-z-]+?))?(?:\[([^\]]*)\])?\.(.+)$/.exec(name) ?? [];
  if (key === undefined) return [];
  const level = levels[type ?? "manifest"];
  if (level === undefined) throw new SlipwayError("invalid_argument", "INVALID_ANNOTATION", `unrecognized annotation type ${type}`, { got: name });
  return [{ level, platform: platform === undefined ? undefined : normalizePlatform(parsePlatform(platform)), key, value }];
}

/** Something is said of the index, so there has to be one. */
export function wantsIndex(parsed: readonly ParsedAnnotation[]): boolean {
  return parsed.some(({ level }) => level === "index" || level === "indexDescriptor");
}

/** Those of one platform's image, and those of all. */
export function annotationsFor(parsed: readonly ParsedAnnotation[], platform: Platform): Annotations {
  const found: Record<Level, Record<string, string>> = { manifest: {}, index: {}, manifestDescriptor: {}, indexDescriptor: {} };
  for (const { level, platform: only, key, value } of parsed) {
    if (only === undefined || formatPlatform(only) === formatPlatform(normalizePlatform(platform))) found[level][key] = value;
  }
  return found;
}

/** Those of the index itself, which belongs to no platform. */
export function indexAnnotations(parsed: readonly ParsedAnnotation[]): Annotations {
  const { index, indexDescriptor } = annotationsFor(
    parsed.filter(({ platform }) => platform === undefined),
    { os: "", architecture: "" },
  );
  return { ...noAnnotations, index, indexDescriptor };
}
