/** The image's config from the lowered draft and what solving gave: field order and forms as BuildKit writes them. Pure. */
import { goJson } from "../../base/canonical-json.ts";
import type { Digest } from "../../oci/digest.ts";
import type { HistoryEntry } from "../../oci/image-config.ts";
import type { DraftHistory, DraftImage } from "../../graph/lowering.ts";
import { setFields } from "../images/config-fields.ts";

export interface AssembleOptions {
  readonly image: DraftImage;
  readonly chain: readonly Digest[];
  /** when the layer of a history line was made, milliseconds since the epoch; undefined for lines without a layer */
  readonly layerTime: (history: DraftHistory) => number | undefined;
  /** SOURCE_DATE_EPOCH in seconds */
  readonly epoch: number | undefined;
  /** for images that have no time of their own, milliseconds */
  readonly nowMs: number;
  /** how many layers the last one of the chain was made of; 0: nothing was squashed */
  readonly squashed: number;
  /** the build's cache for whoever pulls the image; undefined: it carries none */
  readonly inlineCache?: string | undefined;
}

export function assembleConfig(options: AssembleOptions): string {
  const { image, chain, epoch } = options;
  const history = clampHistory(fillTimes(options), image.baseHistory.length, epoch);
  const created = history.findLast((entry) => entry.created !== undefined)?.created ?? timeWithoutHistory(options);
  return goJson({
    architecture: image.platform.architecture,
    author: image.author,
    config: setFields(image.config),
    created,
    history: history.length === 0 ? null : history,
    "moby.buildkit.cache.v0": options.inlineCache,
    os: image.platform.os,
    rootfs: { type: "layers", diff_ids: chain.length === 0 ? null : chain },
    variant: image.platform.variant,
  });
}

/** Nothing was made for an image without layers: only SOURCE_DATE_EPOCH gives it a time. */
function timeWithoutHistory({ chain, epoch, nowMs }: AssembleOptions): string | null {
  if (epoch !== undefined) return formatTime(epoch * 1000);
  return chain.length === 0 ? null : formatTime(nowMs);
}

export function formatTime(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace(/\.000Z$/, "Z")
    .replace(/(\.\d*?)0+Z$/, "$1Z");
}

/** Lines without a layer get the time of the first new layer or of the layer before them, where there is none the epoch. */
function fillTimes(options: AssembleOptions): readonly HistoryEntry[] {
  const { image, layerTime, squashed, epoch } = options;
  const timed = image.history.map((line): HistoryEntry => {
    const time = layerTime(line);
    const entry = squashed > 0 && line.vertex !== undefined ? { ...line.entry, empty_layer: true } : line.entry;
    return time === undefined ? entry : { ...entry, created: formatTime(time) };
  });
  const all = [...image.baseHistory, ...timed, ...squashLine(options)];
  let created = firstNewTime(all) ?? (epoch === undefined ? undefined : formatTime(epoch * 1000));
  let missing = false;
  return all.map((entry) => {
    if (entry.created !== undefined) {
      if (missing) created = entry.created;
      return order(entry);
    }
    missing = true;
    return order(created === undefined ? entry : { ...entry, created });
  });
}

/** The squashed layer has a line of its own, as in Docker's history: lines and layers agree in number. It is as old as its youngest part. */
function squashLine({ image, chain, layerTime, squashed }: AssembleOptions): readonly HistoryEntry[] {
  if (squashed === 0) return [];
  const base = chain.at(-2);
  const comment = base === undefined ? `create new from ${squashed} layers` : `merge ${squashed} layers to ${base}`;
  const times = image.history.flatMap((line) => layerTime(line) ?? []);
  return [times.length === 0 ? { comment } : { created: formatTime(Math.max(...times)), comment }];
}

function firstNewTime(history: readonly HistoryEntry[]): string | undefined {
  let created: string | undefined;
  let missing = false;
  for (const entry of history) {
    if (entry.created === undefined) missing = true;
    else {
      created = entry.created;
      if (missing) break;
    }
  }
  return created;
}

function order({ created, created_by, author, comment, empty_layer }: HistoryEntry): HistoryEntry {
  return {
    ...(created === undefined ? {} : { created }),
    ...(created_by === undefined || created_by === "" ? {} : { created_by }),
    ...(author === undefined || author === "" ? {} : { author }),
    ...(comment === undefined || comment === "" ? {} : { comment }),
    ...(empty_layer === true ? { empty_layer } : {}),
  };
}

/** Nothing of this build is younger than SOURCE_DATE_EPOCH; the base's lines stay as they are. */
function clampHistory(history: readonly HistoryEntry[], baseLength: number, epoch: number | undefined): readonly HistoryEntry[] {
  if (epoch === undefined) return history;
  const limit = epoch * 1000;
  return history.map((entry, index) =>
    index >= baseLength && entry.created !== undefined && Date.parse(entry.created) > limit ? { ...entry, created: formatTime(limit) } : entry,
  );
}
