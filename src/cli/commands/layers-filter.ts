/** `layers --filter`: which files of which layers. */
import { posix } from "node:path";
import type { LayerChange, LayerReport, LayersReport } from "../../engine/api.ts";
import { cliError } from "../failure.ts";
import { parseByteSize } from "../units.ts";

const kinds: readonly string[] = ["added", "changed", "removed"];

export interface LayerFilter {
  readonly layers: ReadonlySet<number>;
  readonly kinds: ReadonlySet<string>;
  readonly patterns: readonly string[];
  readonly atLeastBytes: number;
}

/** Fails with USAGE. Layers count from 1. */
export function parseLayerFilter(words: readonly string[]): LayerFilter {
  const layers = new Set<number>();
  const wanted = new Set<string>();
  const patterns: string[] = [];
  let atLeastBytes = 0;
  for (const word of words) {
    const equals = word.indexOf("=");
    const [key, value] = equals < 0 ? [word, ""] : [word.slice(0, equals), word.slice(equals + 1)];
    if (key === "layer" && /^[1-9]\d{0,3}$/.test(value)) layers.add(Number(value) - 1);
    else if (key === "kind" && kinds.includes(value)) wanted.add(value);
    else if (key === "path" && value !== "") patterns.push(value.startsWith("/") ? value : `/${value}`);
    else if (key === "size" && value !== "") atLeastBytes = parseByteSize(value);
    else throw cliError(`invalid filter ${JSON.stringify(word)}: want layer=N, kind=${kinds.join("|")}, path=PATTERN or size=BYTES`);
  }
  return { layers, kinds: wanted, patterns, atLeastBytes };
}

function matchesPath({ patterns }: LayerFilter, path: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => posix.matchesGlob(path, pattern) || path.startsWith(`${pattern.replace(/\/$/, "")}/`));
}

function matchesChange(filter: LayerFilter, change: LayerChange): boolean {
  const bytes = Math.max(change.sizeBytes, change.beforeBytes);
  return (filter.kinds.size === 0 || filter.kinds.has(change.kind)) && bytes >= filter.atLeastBytes && matchesPath(filter, change.path);
}

/** The same report with the files that are asked for; sums stay those of the image. */
export function filterReport(report: LayersReport, filter: LayerFilter): LayersReport {
  const isWanted = (layer: number): boolean => filter.layers.size === 0 || filter.layers.has(layer);
  return {
    ...report,
    layers: report.layers.flatMap((layer): readonly LayerReport[] =>
      isWanted(layer.index) ? [{ ...layer, changes: layer.changes.filter((change) => matchesChange(filter, change)) }] : [],
    ),
    wasted: report.wasted.filter(
      ({ path, wastedBytes, copies }) => matchesPath(filter, path) && wastedBytes >= filter.atLeastBytes && copies.some(({ layer }) => isWanted(layer)),
    ),
    wastedBetween: report.wastedBetween.filter(({ layer }) => isWanted(layer)),
  };
}
