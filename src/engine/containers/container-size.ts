/** How much a container wrote, and how much it sees. */
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { treeSize } from "../../store/index.ts";

export interface ContainerSize {
  readonly writtenBytes: number;
  /** what it wrote and its image's layers together */
  readonly rootBytes: number;
}

/** Walks the directories; containers share layers, so `layerSizes` remembers them from one to the next. */
export function sizeOfContainer({ paths }: ContainerRecord, layerSizes = new Map<string, number>()): ContainerSize {
  const writtenBytes = treeSize(paths.upper);
  let rootBytes = writtenBytes;
  for (const layer of paths.lowers) {
    const bytes = layerSizes.get(layer) ?? treeSize(layer);
    layerSizes.set(layer, bytes);
    rootBytes += bytes;
  }
  return { writtenBytes, rootBytes };
}
