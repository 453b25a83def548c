/** `--annotation [type:]key=value`. */
import { SlipwayError } from "../../base/errors.ts";

export interface Annotations {
  readonly manifest: Readonly<Record<string, string>>;
  readonly index: Readonly<Record<string, string>>;
  readonly manifestDescriptor: Readonly<Record<string, string>>;
  readonly indexDescriptor: Readonly<Record<string, string>>;
}

export const noAnnotations: Annotations = { manifest: {}, index: {}, manifestDescriptor: {}, indexDescriptor: {} };

const levels: Readonly<Record<string, keyof Annotations>> = {
  manifest: "manifest",
  index: "index",
  "manifest-descriptor": "manifestDescriptor",
  "index-descriptor": "indexDescriptor",
};

/** Without a type an annotation belongs to the manifest. Fails with INVALID_ANNOTATION. */
export function parseAnnotations(texts: readonly string[]): Annotations {
  const annotations = { manifest: {}, index: {}, manifestDescriptor: {}, indexDescriptor: {} } as Record<keyof Annotations, Record<string, string>>;
  for (const text of texts) {
    const equals = text.indexOf("=");
    if (equals <= 0)
      throw new SlipwayError("invalid_argument", "INVALID_ANNOTATION", `invalid annotation ${JSON.stringify(text)}, expected key=value`, { got: text });
    const name = text.slice(0, equals);
    const typed = /^((?:manifest|index)(?:-descriptor)?(?:\[[^\]]*\])?(?:,(?:manifest|index)(?:-descriptor)?(?:\[[^\]]*\])?)*):(.+)$/.exec(name);
    const types = typed === null ? ["manifest"] : (typed[1] ?? "").split(",").map((type) => type.replace(/\[.*$/, ""));
    for (const type of types) annotations[levels[type] ?? "manifest"][typed?.[2] ?? name] = text.slice(equals + 1);
  }
  return annotations;
}
