/** `--reproducible`: the time that a build takes for its own is the time of the context's commit. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { SlipwayError } from "../../base/errors.ts";
import type { BuildOptions } from "../api.ts";
import type { OpenedContext } from "./open-context.ts";

const timeoutMs = 30_000;

/** Fails with NO_COMMIT_TIME where the context is no checkout and nobody says a time. */
export async function withCommitTime(options: BuildOptions, context: OpenedContext, signal: AbortSignal): Promise<BuildOptions> {
  const given = options.buildArgs?.["SOURCE_DATE_EPOCH"] ?? "";
  if (given !== "") return options;
  const seconds = context.commitTime ?? (options.context.kind === "directory" ? await commitTime(context.directory, signal) : undefined);
  if (seconds !== undefined) return { ...options, buildArgs: { ...options.buildArgs, SOURCE_DATE_EPOCH: seconds } };
  throw new SlipwayError(
    "failed_precondition",
    "NO_COMMIT_TIME",
    "--reproducible: the context is no checkout of a git repository with a commit, so nothing says which time to take",
    { remedy: "set SOURCE_DATE_EPOCH, in seconds since 1970" },
  );
}

/** Seconds, as git writes them. Another user's repository is read too: no hook, pager or helper of it runs. */
async function commitTime(directory: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const words = ["-c", "safe.directory=*", "-C", directory, "rev-list", "--max-count=1", "--timestamp", "HEAD"];
    const env = { ...process.env, GIT_CONFIG_NOSYSTEM: "1", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" };
    const { stdout } = await promisify(execFile)("git", words, { signal, env, timeout: timeoutMs });
    return /^(\d+) [0-9a-f]+$/m.exec(stdout)?.[1];
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
