/** `diff`: two images, or what the topmost layer of one changed. */
import type { FileChange } from "../transfer-api.ts";
import type { Surroundings } from "../transports/open-source.ts";
import { compareFiles } from "./compare-files.ts";
import { openImageFiles } from "./open-files.ts";

export async function diffImages(surroundings: Surroundings, before: string | undefined, after: string, platform?: string): Promise<readonly FileChange[]> {
  await using now = await openImageFiles(surroundings, after, { platform });
  await using old = await openImageFiles(surroundings, before ?? after, { platform, withoutTop: before === undefined });
  return compareFiles(await old.whole(), await now.whole());
}
