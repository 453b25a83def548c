/** What an image's layers do, as a report. */
import { formatPlatform, platformFrom } from "../../oci/platform.ts";
import { layerOrigins } from "../inventory/layer-origins.ts";
import type { LayerReport, LayersReport, WastedBetween, WastedFile } from "../layers-api.ts";
import type { ImageLayers } from "./image-layers.ts";
import { LayerStack, type HiddenFile } from "./layer-stack.ts";

export function reportLayers(image: string, { id, config, diffIds, origin, trees }: ImageLayers): LayersReport {
  const origins = layerOrigins(config, diffIds, origin);
  const stack = new LayerStack();
  const stacked = trees.map((tree) => stack.push(tree));
  const { hidden } = stack;
  const layers = stacked.map(({ changes, sizeBytes }, index): LayerReport => {
    const count = (kind: string): number => changes.filter((change) => change.kind === kind).length;
    const made = origins[index];
    return {
      index,
      diffId: diffIds[index]!,
      instruction: made?.instruction ?? "",
      place: made?.place,
      fromBase: made?.fromBase,
      sizeBytes,
      added: count("added"),
      changed: count("changed"),
      removed: count("removed"),
      wastedBytes: sumOf(hidden.filter((file) => file.layer === index)),
      hiddenBytes: sumOf(hidden.filter((file) => file.hiddenBy === index)),
      changes,
    };
  });
  const sizeBytes = layers.reduce((sum, layer) => sum + layer.sizeBytes, 0);
  const wastedBytes = sumOf(hidden);
  return {
    image,
    id,
    platform: formatPlatform(platformFrom(config)),
    layers,
    sizeBytes,
    wastedBytes,
    efficiency: sizeBytes === 0 ? 1 : (sizeBytes - wastedBytes) / sizeBytes,
    wasted: wastedFiles(hidden),
    wastedBetween: wastedBetween(hidden),
  };
}

function sumOf(files: readonly HiddenFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

const byWaste = (a: { readonly wastedBytes: number }, b: { readonly wastedBytes: number }): number => b.wastedBytes - a.wastedBytes;

function wastedFiles(hidden: readonly HiddenFile[]): readonly WastedFile[] {
  const groups = Map.groupBy(hidden, ({ path }) => path);
  return [...groups]
    .map(([path, files]): WastedFile => ({
      path: `/${path}`,
      wastedBytes: sumOf(files),
      copies: files.map(({ layer, sizeBytes, hiddenBy, how }) => ({ layer, sizeBytes, hiddenBy, how })),
    }))
    .sort((a, b) => byWaste(a, b) || (a.path < b.path ? -1 : 1));
}

function wastedBetween(hidden: readonly HiddenFile[]): readonly WastedBetween[] {
  const groups = Map.groupBy(hidden, ({ layer, hiddenBy }) => `${layer} ${hiddenBy}`);
  return [...groups.values()]
    .flatMap((files) => {
      const [first] = files;
      return first === undefined ? [] : [{ layer: first.layer, hiddenBy: first.hiddenBy, files: files.length, wastedBytes: sumOf(files) }];
    })
    .sort((a, b) => byWaste(a, b) || a.layer - b.layer || a.hiddenBy - b.hiddenBy);
}
