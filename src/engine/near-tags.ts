/** Of a repository's tags those that may have been meant. */
import { SlipwayError } from "../base/errors.ts";
import { editDistance } from "../dockerfile/suggest.ts";
import type { Reference } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/index.ts";

const nearTagCount = 5;
const tagListMs = 5_000;
const maxTagLength = 128;

/** At most `count`, the nearest first: tags of which one begins as the other does, then those that differ in few letters. */
export function nearTags(wanted: string, tags: readonly string[], count: number): readonly string[] {
  const bound = Math.max(1, Math.min(4, Math.floor(wanted.length / 2)));
  const near = tags.flatMap((tag) => {
    if (tag.length > maxTagLength) return [];
    const prefix = tag.startsWith(wanted) || wanted.startsWith(tag);
    if (!prefix && Math.abs(tag.length - wanted.length) > bound) return [];
    const distance = editDistance(wanted, tag);
    return prefix || distance <= bound ? [{ tag, rank: distance - (prefix ? 0.5 : 0) }] : [];
  });
  return near
    .toSorted((a, b) => a.rank - b.rank || (a.tag < b.tag ? 1 : -1))
    .slice(0, count)
    .map(({ tag }) => tag);
}

interface Asking {
  readonly client: RegistryClient;
  readonly signal: AbortSignal | undefined;
}

/** The failure with tags that may have been meant, from one page of the registry's list; without one it stays as it is. */
export async function withNearTags({ client, signal }: Asking, { domain, path, tag, digest }: Reference, error: SlipwayError): Promise<SlipwayError> {
  if (tag === undefined || digest !== undefined || error.details["remedy"] !== undefined) return error;
  try {
    const deadline = AbortSignal.timeout(tagListMs);
    const tags = await client.listTags({ domain, path }, { signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]), maxPages: 1 });
    const near = nearTags(tag, tags, nearTagCount);
    if (near.length === 0) return error;
    return new SlipwayError(error.kind, error.code, error.message, { ...error.details, remedy: `tags that are near: ${near.join(", ")}` }, error.cause);
  } catch {
    return error;
  }
}
