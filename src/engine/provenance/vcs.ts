/** The repository that a local context lies in: commit, origin, and where in it context and Dockerfile are. As buildx tells it. */
import { realpathSync } from "node:fs";
import { relative } from "node:path";
import { askGit } from "../build/ask-git.ts";
import { withoutCredentials } from "./materials.ts";

export interface VcsOptions {
  readonly context: string;
  readonly dockerfile: string;
  /** a work tree with changes gives "…-dirty": asking costs a look at every file */
  readonly checkDirty: boolean;
}

/** Sorted by name; empty where there is no repository, no commit, or no git. */
export async function readVcs({ context, dockerfile, checkDirty }: VcsOptions): Promise<Readonly<Record<string, string>>> {
  const [root, revision] = await Promise.all([askGit(context, ["rev-parse", "--show-toplevel"]), askGit(context, ["rev-parse", "HEAD"])]);
  if (root === undefined || revision === undefined) return {};
  const [status, source] = await Promise.all([checkDirty ? askGit(context, ["status", "--porcelain", "--ignored=no"]) : undefined, remoteUrl(context)]);
  const isDirty = status !== undefined && status !== "";
  return {
    ...within("localdir:context", root, context),
    ...within("localdir:dockerfile", root, dockerfile),
    revision: isDirty ? `${revision}-dirty` : revision,
    ...(source === undefined ? {} : { source: withoutCredentials(source) }),
  };
}

function within(name: string, root: string, directory: string): Record<string, string> {
  const path = relative(realpathSync(root), realpathSync(directory));
  return path.startsWith("..") ? {} : { [name]: path === "" ? "." : path };
}

/** What the branch follows, else origin, else upstream. */
async function remoteUrl(directory: string): Promise<string | undefined> {
  const tracked = await askGit(directory, ["rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}"]);
  for (const remote of [tracked?.split("/")[0], "origin", "upstream"]) {
    const url = remote === undefined || remote === "" ? undefined : await askGit(directory, ["remote", "get-url", remote]);
    if (url !== undefined && url !== "") return url;
  }
  return undefined;
}
