/** The words in which a step is described to be named: its digest, its inputs and how they count. */
import type { Digest } from "../../oci/digest.ts";

/** What a step takes of an input: everything below a path, or what patterns select there. */
export interface ContentSelector {
  /** absolute */
  readonly path: string;
  readonly followLinks: boolean;
  readonly wildcard: boolean;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface CacheMapInput {
  /** an input of the vertex, or a step that only BuildKit's graph has */
  readonly source: { readonly kind: "input"; readonly index: number } | { readonly kind: "map"; readonly map: CacheMap };
  /** "" or a digest */
  readonly selector: string;
  /** undefined: content does not count */
  readonly content: readonly ContentSelector[] | undefined;
}

export interface CacheMap {
  readonly digest: Digest;
  /** another digest for the same: an image is known by its layers, and by its manifest */
  readonly alias?: Digest;
  readonly inputs: readonly CacheMapInput[];
}

/** Go's `omitempty`. */
export function nonZero(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isZero(value)));
}

function isZero(value: unknown): boolean {
  return value === undefined || value === "" || value === 0 || value === false || (Array.isArray(value) && value.length === 0);
}

/** Paths below another one add nothing. */
export function withoutNested(paths: readonly string[]): readonly string[] {
  const distinct = [...new Set(paths)];
  if (distinct.length <= 1) return distinct;
  return distinct.filter((path) => !distinct.some((other) => other !== path && path.startsWith(other.endsWith("/") ? other : `${other}/`))).sort();
}
