/** Places of an image that a scan leaves out on purpose. */
import { SlipwayError } from "../../base/errors.ts";
import { compilePathPattern } from "../../dockerfile/path-pattern.ts";
import type { ImageInventory } from "../../trust/packages/image-inventory.ts";
import type { SkippedPaths } from "../scan-api.ts";

/** Answers for paths with or without the first slash. Fails with USAGE (invalid_argument). */
export function skipperOf({ directories = [], files = [] }: SkippedPaths): (path: string) => boolean {
  const [ofDirectories, ofFiles] = [directories.map(compile), files.map(compile)];
  const known = new Map<string, boolean>();
  const isBelow = (directory: string): boolean => {
    if (directory === "") return false;
    const before = known.get(directory);
    if (before !== undefined) return before;
    const answer = ofDirectories.some((matches) => matches(directory)) || isBelow(parentOf(directory));
    known.set(directory, answer);
    return answer;
  };
  return (path) => {
    const own = plain(path);
    return ofFiles.some((matches) => matches(own)) || isBelow(parentOf(own));
  };
}

function compile(pattern: string): (path: string) => boolean {
  try {
    const compiled = compilePathPattern(plain(pattern), { doubleStar: true });
    return (path) => compiled.matches(path);
  } catch (error) {
    throw new SlipwayError("invalid_argument", "USAGE", `invalid pattern ${JSON.stringify(pattern)} of paths to leave out`, { exitCode: 2, bare: true }, error);
  }
}

function plain(path: string): string {
  return path.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "");
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** What is not looked at lacks nothing: files there that could not be read count no more. */
export function withoutPaths(image: ImageInventory, isSkipped: (path: string) => boolean): ImageInventory {
  return {
    ...image,
    packages: image.packages.filter(({ path }) => !isSkipped(path)),
    omissions: image.omissions.filter(({ path }) => !isSkipped(path)),
  };
}
