/** Words about layers that the tables and the browser share. */
import { printable } from "../../base/printable.ts";
import type { LayerReport, LayersReport } from "../../engine/api.ts";
import { ellipsis } from "../table.ts";
import { formatSize } from "../units.ts";

const digits = 3;

export function layerSize(bytes: number): string {
  return formatSize(bytes, digits);
}

/** "Dockerfile:3 RUN apt-get update", "base: ADD rootfs.tar /" */
export function layerTitle({ place, instruction, fromBase, diffId }: LayerReport, width: number): string {
  const where = place === undefined ? (fromBase === true ? "base: " : "") : `${place.dockerfile}:${place.start} `;
  return ellipsis(printable(`${where}${instruction === "" ? diffId.slice(0, 19) : instruction}`.replace(/\s+/g, " ")), width);
}

export function percent(part: number): string {
  return `${(Math.floor(part * 1000) / 10).toFixed(1)}%`;
}

export function summaryLine({ sizeBytes, wastedBytes, efficiency }: LayersReport): string {
  return `Total ${layerSize(sizeBytes)}, wasted ${layerSize(wastedBytes)}, efficiency ${percent(efficiency)}\n`;
}
