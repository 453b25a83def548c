/**
 * The document that BuildKit describes a cache with: layers that stand on each other, and records of steps that name their
 * inputs by the place of another record. Foreign input: checked here once, with bounds; links that make circles do no harm,
 * because whoever reads follows its own graph. @see https://github.com/moby/buildkit/blob/master/cache/remotecache/v1/doc.go
 */
import { SlipwayError } from "../../base/errors.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";

export const cacheConfigType = "application/vnd.buildkit.cacheconfig.v0";

export interface CacheLayer {
  readonly blob: Digest;
  /** index of the layer below; -1: none */
  readonly parent: number;
}

export interface CacheResult {
  /** indexes of layers, bottom first */
  readonly layers: readonly number[];
  readonly createdMs: number;
}

export interface CacheInput {
  readonly selector: string;
  /** index of a record */
  readonly link: number;
}

export interface CacheConfigRecord {
  readonly digest: Digest;
  readonly results: readonly CacheResult[];
  readonly inputs: readonly (readonly CacheInput[])[];
}

export interface CacheConfig {
  readonly layers: readonly CacheLayer[];
  readonly records: readonly CacheConfigRecord[];
}

/** What a document may hold: far above what builds make. */
const maxRecords = 50_000;
const maxLayers = 20_000;
const maxLinks = 500_000;
export const maxConfigBytes = 64 << 20;

function invalid(what: string): SlipwayError {
  return new SlipwayError("data_loss", "INVALID_CACHE", `invalid cache config: ${what}`, {});
}

/** Fails with INVALID_CACHE. */
export function parseCacheConfig(bytes: Uint8Array): CacheConfig {
  const document = parseJson(bytes);
  if (!isRecord(document)) throw invalid("it is no object");
  const layers = listOf(document["layers"], "layers", maxLayers).map(parseLayer);
  return { layers, records: parseRecords(document["records"], layers) };
}

/** The records alone, as an image's config holds them; its layers stand on each other in their order. Fails with INVALID_CACHE. */
export function parseInlineRecords(bytes: Uint8Array, blobs: readonly Digest[]): CacheConfig {
  const layers = blobs.map((blob, index) => ({ blob, parent: index - 1 }));
  return { layers, records: parseRecords(parseJson(bytes), layers) };
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > maxConfigBytes) throw invalid(`it has ${bytes.length} bytes`);
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw invalid("it is no JSON");
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown, what: string, most: number): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${what} are no list`);
  if (value.length > most) throw invalid(`${value.length} ${what}, more than ${most}`);
  return value;
}

function digestFrom(value: unknown, what: string): Digest {
  if (typeof value !== "string" || !isDigest(value)) throw invalid(`${what} is no digest`);
  return value;
}

function indexFrom(value: unknown, count: number, what: string): number {
  const index = value ?? 0;
  if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count) throw invalid(`${what} out of range`);
  return index;
}

/** Go leaves out a zero: without a word the parent is the first. */
function parseLayer(value: unknown, _index: number, all: readonly unknown[]): CacheLayer {
  if (!isRecord(value)) throw invalid("a layer is no object");
  const parent = value["parent"] === -1 ? -1 : indexFrom(value["parent"], all.length, "a layer's parent");
  return { blob: digestFrom(value["blob"], "a layer's blob"), parent };
}

function parseRecords(value: unknown, layers: readonly CacheLayer[]): readonly CacheConfigRecord[] {
  const records = listOf(value, "records", maxRecords);
  let links = 0;
  return records.map((record): CacheConfigRecord => {
    if (!isRecord(record)) throw invalid("a record is no object");
    const inputs = listOf(record["inputs"], "inputs", maxLinks).map((input) => listOf(input, "links", maxLinks).map((link) => parseLink(link, records.length)));
    links += inputs.reduce((sum, input) => sum + input.length, 0);
    if (links > maxLinks) throw invalid(`more than ${maxLinks} links`);
    return { digest: digestFrom(record["digest"], "a record's digest"), results: parseResults(record, layers), inputs };
  });
}

function parseLink(value: unknown, count: number): CacheInput {
  if (!isRecord(value)) throw invalid("a link is no object");
  const { selector = "" } = value;
  if (typeof selector !== "string") throw invalid("a selector is no text");
  return { selector, link: indexFrom(value["link"], count, "a link") };
}

function parseResults(record: Readonly<Record<string, unknown>>, layers: readonly CacheLayer[]): readonly CacheResult[] {
  const tops = listOf(record["layers"], "results", maxLayers).map((result): CacheResult => {
    if (!isRecord(result)) throw invalid("a result is no object");
    return { layers: layersBelow(layers, indexFrom(result["layer"], layers.length, "a result's layer")), createdMs: timeOf(result["createdAt"]) };
  });
  const chains = listOf(record["chains"], "results", maxLayers).map((result): CacheResult => {
    if (!isRecord(result)) throw invalid("a result is no object");
    const indexes = listOf(result["layers"], "layers", maxLayers).map((index) => indexFrom(index, layers.length, "a result's layer"));
    return { layers: indexes, createdMs: timeOf(result["createdAt"]) };
  });
  return [...tops, ...chains];
}

/** Bottom first. Fails with INVALID_CACHE where layers stand on themselves. */
function layersBelow(layers: readonly CacheLayer[], top: number): readonly number[] {
  const chain: number[] = [];
  for (let at = top; at >= 0; at = layers[at]?.parent ?? -1) {
    if (chain.length >= layers.length) throw invalid("layers stand on each other in a circle");
    chain.push(at);
  }
  return chain.toReversed();
}

function timeOf(value: unknown): number {
  const time = typeof value === "string" ? Date.parse(value) : 0;
  return Number.isFinite(time) ? Math.max(0, time) : 0;
}
