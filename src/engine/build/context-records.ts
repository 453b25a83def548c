/** What is kept of contexts between builds: digests of their files, times of their commits. Whoever builds each time in another directory leaves one each time. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const defaultKept = 256;

/** The newest stay; a context whose record went is read again. */
export function trimContextRecords(directory: string, kept = defaultKept): void {
  const names = readdirSync(directory);
  if (names.length <= kept) return;
  const dated = names.map((name) => ({ name, ms: statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
  for (const { name } of dated.toSorted((a, b) => b.ms - a.ms).slice(kept)) rmSync(join(directory, name), { force: true });
}
