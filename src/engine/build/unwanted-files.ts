/** What a context has and an image should not: the checks ask for it where something copies it. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { IgnoreMatcher } from "../../dockerfile/ignore.ts";
import type { LintContext } from "./lint.ts";
import type { OpenedContext } from "./open-context.ts";

/** A repository that was fetched has its `.git` only where that was asked for. */
export function unwantedFiles({ directory, foreign }: OpenedContext, ignore: IgnoreMatcher | undefined): Pick<LintContext, "nestedNodeModules" | "repository"> {
  const hasRepository = (): boolean => !foreign && ignore?.matches(".git") !== true && existsSync(join(directory, ".git"));
  return {
    nestedNodeModules: () => findNestedNodeModules(directory, ignore),
    repository: () => (hasRepository() ? ".git" : undefined),
  };
}

const name = "node_modules";
const maximumDirectories = 2000;
const maximumDepth = 6;

/**
 * Where a `.dockerignore` leaves out node_modules at the root and forgets those of packages further down: the first directory that the build would get; looks
 * at so many directories and no more.
 */
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
