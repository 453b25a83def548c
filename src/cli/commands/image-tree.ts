/** `images --tree`: each image with its names and layers, base first, and which layers other images use too. */
import type { ImageSummary } from "../../engine/api.ts";
import { printable } from "../../base/printable.ts";
import { hexOf } from "../../oci/digest.ts";
import { alignColumns } from "../table.ts";
import { formatAgo, formatSize } from "../units.ts";
import { shownId } from "./image-rows.ts";

function layerLines(image: ImageSummary): readonly string[] {
  return image.layers.map((layer, index) => {
    const branch = index === image.layers.length - 1 ? "└─" : "├─";
    return `${branch} ${hexOf(layer.diffId).slice(0, 12)}\t\t${formatSize(layer.sizeBytes, 3)}\t${layer.shared ? "shared" : ""}`;
  });
}

export function renderImageTree(images: readonly ImageSummary[], nowMs: number): string {
  const lines = images.flatMap((image) => {
    const [name = "<untagged>", ...others] = image.repoTags;
    const unique = image.layers.filter((layer) => !layer.shared).reduce((sum, layer) => sum + layer.sizeBytes, 0);
    const used = image.containers > 0 ? `, used by ${image.containers} container${image.containers === 1 ? "" : "s"}` : "";
    return [
      `${printable(name)}\t${shownId(image.id, false)}\t${formatSize(image.sizeBytes, 3)}\t${formatSize(unique, 3)} its own, ${image.platform}, ${formatAgo(image.createdSeconds * 1000, nowMs)}${used}`,
      ...others.map((other) => `${printable(other)}\t\t\t`),
      ...layerLines(image),
    ];
  });
  return alignColumns(["IMAGE\tID\tSIZE\tABOUT", ...lines].map((line) => `${line}\n`).join(""));
}
