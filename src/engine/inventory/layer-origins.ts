/** What made each layer: the line of the Dockerfile where the build of it is known, else the words of the image's history. */
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
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

export function layerOrigins(
  config: ImageConfig,
  diffIds: readonly Digest[],
  origin: BuildOrigin | undefined,
  base: BuildOrigin["base"] = origin?.base,
): readonly LayerOrigin[] {
  const made = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  // lines and layers that differ in number cannot be told apart
  const known = made.length === diffIds.length;
  return diffIds.map((diffId, layer) => {
    const line = origin?.lines[layer];
    const instruction = line?.instruction ?? (known ? instructionOf(made[layer]?.created_by ?? "") : "");
    return {
      diffId,
      ...(instruction === "" ? {} : { instruction }),
      ...(line === undefined || origin === undefined ? {} : { place: { dockerfile: origin.dockerfile, start: line.start, end: line.end } }),
      ...(origin === undefined && base === undefined ? {} : { fromBase: base !== undefined && layer < base.layers }),
    };
  });
}
