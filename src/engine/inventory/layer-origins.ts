/** What made each layer: the line of the Dockerfile where the build of it is known, else the words of the image's history. */
import type { Digest } from "../../oci/digest.ts";
import type { HistoryEntry, ImageConfig } from "../../oci/image-config.ts";
import type { BuildOrigin } from "../../store/index.ts";
import type { LayerOrigin } from "../../trust/packages/index.ts";

/** `/bin/sh -c apt-get update` → `RUN apt-get update`; `/bin/sh -c #(nop) ADD file:… in /` → `ADD file:… in /`. */
export function instructionOf(createdBy: string): string {
  const plain = createdBy
    .replace(/\s+# buildkit$/, "")
    .replace(/\s+/g, " ")
    .trim();
  const [, nop] = /^\/bin\/sh -c #\(nop\) (.*)$/.exec(plain) ?? [];
  if (nop !== undefined) return nop.trim();
  const shell = /^(?:RUN )?(?:\|\d+ .*?)?\/bin\/sh -c (.*)$/.exec(plain)?.[1];
  return shell === undefined ? plain : `RUN ${shell}`;
}

/**
 * Of each layer. What was built without layers between (buildah's own way, squashed images) has the steps before as entries of no layer: they are in
 * the next one. BuildKit's entries of no layer changed nothing.
 */
function layerWords(history: readonly HistoryEntry[]): readonly string[] {
  const words: string[] = [];
  let before: string[] = [];
  for (const { created_by: createdBy = "", empty_layer: isEmpty, comment = "" } of history) {
    const word = instructionOf(createdBy);
    if (isEmpty === true) {
      if (/^(?:RUN|COPY|ADD) /.test(word) && !comment.startsWith("buildkit")) before.push(word);
      continue;
    }
    words.push([...before, word].filter((one) => one !== "").join("; "));
    before = [];
  }
  return words;
}

export function layerOrigins(
  config: ImageConfig,
  diffIds: readonly Digest[],
  origin: BuildOrigin | undefined,
  base: BuildOrigin["base"] = origin?.base,
): readonly LayerOrigin[] {
  const made = layerWords(config.history ?? []);
  // lines and layers that differ in number cannot be told apart
  const known = made.length === diffIds.length;
  return diffIds.map((diffId, layer) => {
    const line = origin?.lines[layer];
    const instruction = line?.instruction ?? (known ? (made[layer] ?? "") : "");
    return {
      diffId,
      ...(instruction === "" ? {} : { instruction }),
      ...(line === undefined || origin === undefined ? {} : { place: { dockerfile: origin.dockerfile, start: line.start, end: line.end } }),
      ...(origin === undefined && base === undefined ? {} : { fromBase: base !== undefined && layer < base.layers }),
    };
  });
}
