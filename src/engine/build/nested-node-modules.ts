/** Where a `.dockerignore` leaves out node_modules at the root and forgets those of packages further down. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { IgnoreMatcher } from "../../dockerfile/ignore.ts";

const name = "node_modules";
const maximumDirectories = 2000;
const maximumDepth = 6;

/** The first directory `…/node_modules` that the build would get; looks at so many directories and no more. */
export function findNestedNodeModules(context: string, ignore: IgnoreMatcher | undefined): string | undefined {
  if (ignore?.patterns.some(({ pattern }) => pattern === name) !== true) return undefined;
  const pending = [""];
  for (let seen = 0; seen < maximumDirectories; seen++) {
    const directory = pending.shift();
    if (directory === undefined) return undefined;
    for (const child of directoriesIn(join(context, directory))) {
      const path = directory === "" ? child : `${directory}/${child}`;
      if (ignore.matches(path)) continue;
      if (child === name) return path;
      if (child !== ".git" && path.split("/").length < maximumDepth) pending.push(path);
    }
  }
  return undefined;
}

function directoriesIn(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .toSorted();
  } catch {
    return [];
  }
}
