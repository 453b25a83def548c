/** The repository that a local context lies in: commit, origin, and where in it context and Dockerfile are. As buildx tells it. */
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { relative } from "node:path";
import { withoutCredentials } from "./materials.ts";

const timeoutMs = 5000;
const maxOutputBytes = 1 << 20;

export interface VcsOptions {
  readonly context: string;
  readonly dockerfile: string;
  /** a work tree with changes gives "…-dirty": asking costs a look at every file */
  readonly checkDirty: boolean;
}

/** Sorted by name; empty where there is no repository, no commit, or no git. */
export async function readVcs({ context, dockerfile, checkDirty }: VcsOptions): Promise<Readonly<Record<string, string>>> {
  const [root, revision] = await Promise.all([git(context, "rev-parse", "--show-toplevel"), git(context, "rev-parse", "HEAD")]);
  if (root === undefined || revision === undefined) return {};
  const [status, source] = await Promise.all([checkDirty ? git(context, "status", "--porcelain", "--ignored=no") : undefined, remoteUrl(context)]);
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
  const tracked = await git(directory, "rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}");
  for (const remote of [tracked?.split("/")[0], "origin", "upstream"]) {
    const url = remote === undefined || remote === "" ? undefined : await git(directory, "remote", "get-url", remote);
    if (url !== undefined && url !== "") return url;
  }
  return undefined;
}

/** undefined: it failed, whyever. */
async function git(directory: string, ...args: readonly string[]): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const env = { ...process.env, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
    const child = spawn("git", ["-C", directory, ...args], { stdio: ["ignore", "pipe", "ignore"], env, timeout: timeoutMs });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      if (text.length < maxOutputBytes) text += chunk;
    });
    child.on("error", () => resolve(undefined)).on("close", (code) => resolve(code === 0 ? text.trim() : undefined));
  });
}
