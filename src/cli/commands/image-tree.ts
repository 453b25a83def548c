/** `images --tree`: each image with its names, platforms and layers, base first, and which layers other images use too. */
import type { ImageSummary } from "../../engine/api.ts";
import { printable } from "../../base/printable.ts";
import { hexOf } from "../../oci/digest.ts";
import { alignColumns } from "../table.ts";
import { formatAgo, formatSize } from "../units.ts";
import { shownId } from "./image-rows.ts";

type Layers = ImageSummary["layers"];

function layerLines(layers: Layers, indent = ""): readonly string[] {
  return layers.map((layer, index) => {
    const branch = index === layers.length - 1 ? "└─" : "├─";
    return `${indent}${branch} ${hexOf(layer.diffId).slice(0, 12)}\t\t${formatSize(layer.sizeBytes, 3)}\t${layer.shared ? "shared" : ""}`;
  });
}

/** An index's platforms, each with its layers below it. */
function variantLines({ variants }: ImageSummary, nowMs: number): readonly string[] {
  return variants.flatMap((variant, index) => {
    const last = index === variants.length - 1;
    const about = `${formatAgo(variant.createdSeconds * 1000, nowMs)}${usedBy(variant.containers)}`;
    return [
      `${last ? "└─" : "├─"} ${printable(variant.platform)}\t${shownId(variant.id, false)}\t${formatSize(variant.sizeBytes, 3)}\t${about}`,
      ...layerLines(variant.layers, last ? "   " : "│  "),
    ];
  });
}

function usedBy(containers: number): string {
  return containers > 0 ? `, used by ${containers} container${containers === 1 ? "" : "s"}` : "";
}

export function renderImageTree(images: readonly ImageSummary[], nowMs: number): string {
  const lines = images.flatMap((image) => {
    const [name = "<untagged>", ...others] = image.repoTags;
    const several = image.variants.length > 1;
    const unique = image.layers.filter((layer) => !layer.shared).reduce((sum, layer) => sum + layer.sizeBytes, 0);
    const platform = several ? `${image.variants.length} platforms` : image.platform;
    return [
      `${printable(name)}\t${shownId(image.id, false)}\t${formatSize(image.sizeBytes, 3)}\t${formatSize(unique, 3)} its own, ${platform}, ${formatAgo(image.createdSeconds * 1000, nowMs)}${usedBy(image.containers)}`,
      ...others.map((other) => `${printable(other)}\t\t\t`),
      ...(several ? variantLines(image, nowMs) : layerLines(image.layers)),
    ];
  });
  return alignColumns(["IMAGE\tID\tSIZE\tABOUT", ...lines].map((line) => `${line}\n`).join(""));
}
