/** A container's file system as a tar: its writable directory seen over its image's layers. */
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { MergedView } from "../../store/index.ts";
import { DirectoryLayer } from "../../store/layer-tree.ts";
import { tarOfView } from "../build/export-tree.ts";

export async function* exportContainer(record: ContainerRecord): AsyncGenerator<Uint8Array> {
  const layers = [...record.paths.lowers.toReversed(), record.paths.upper].map((directory) => new DirectoryLayer(directory));
  yield* tarOfView(new MergedView(layers));
}
