/** Of a repository's tags those that may have been meant. */
import { editDistance } from "../dockerfile/suggest.ts";

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
