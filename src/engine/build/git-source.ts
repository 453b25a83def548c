/** Git repositories through the system's git: fetched shallowly at one ref, without hooks, prompts or the user's settings. */
import { goQuote } from "../../base/go-text.ts";
import { spawn } from "node:child_process";
import { existsSync, lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";

export interface GitRequest {
  readonly url: string;
  readonly ref: string;
  readonly subdirectory: string;
  readonly keepGitDir: boolean;
  /** commit that must be found, or "" */
  readonly checksum: string;
  /** empty; receives the work tree */
  readonly directory: string;
  readonly signal: AbortSignal;
}

const timeoutMs = 10 * 60_000;

/** Answers the directory that counts (the subdirectory, where one was asked for), the commit and its time in seconds. Fails with GIT_FAILED, GIT_REF_NOT_FOUND. */
export async function cloneRepository(request: GitRequest): Promise<{ readonly path: string; readonly commit: string; readonly timestamp: string }> {
  const { directory, url, ref, checksum } = request;
  const git = (...args: string[]): Promise<string> => runGit(["-C", directory, ...args], request);
  if (!/^[0-9a-fA-F]*$/.test(checksum)) {
    const message = `invalid checksum ${checksum} for Git URL, expected hex commit hash`;
    throw new SlipwayError("invalid_argument", "GIT_CHECKSUM_MALFORMED", message, { got: checksum.slice(0, 200) });
  }
  await git("init", "--quiet", "--initial-branch=main");
  await git("remote", "add", "--", "origin", url);
  await fetchRef(git, ref, request.signal);
  await git("checkout", "--quiet", "--detach", fetched);
  const [timestamp = "", commit = ""] = (await git("rev-list", "--max-count=1", "--timestamp", "HEAD")).trim().split(" ");
  if (checksum !== "" && !commit.startsWith(checksum)) {
    throw new SlipwayError("failed_precondition", "GIT_CHECKSUM_MISMATCH", `expected checksum to match ${checksum}, got ${commit}`, {
      expected: checksum,
      actual: commit,
    });
  }
  if (existsSync(join(directory, ".gitmodules"))) await git("submodule", "update", "--quiet", "--init", "--recursive", "--depth=1");
  if (request.keepGitDir) await git("update-ref", "-d", fetched);
  else rmSync(join(directory, ".git"), { recursive: true, force: true });
  return { path: subdirectoryOf(request), commit, timestamp };
}

/** Of our own: newer versions of git let nobody write FETCH_HEAD. */
const fetched = "refs/slipway/fetched";

/** `fetched` becomes what the ref names: one commit where the server gives single ones, else everything that leads to it. */
async function fetchRef(git: (...args: string[]) => Promise<string>, ref: string, signal: AbortSignal): Promise<void> {
  const wanted = ref === "" ? "HEAD" : ref;
  const attempts = [
    () => git("fetch", "--quiet", "--depth=1", "--no-tags", "origin", "--", `+${wanted}:${fetched}`),
    // Servers of plain files have no shallow history.
    () => git("fetch", "--quiet", "--no-tags", "origin", "--", `+${wanted}:${fetched}`),
    // A commit's id, perhaps a short one: take everything and look.
    async () => {
      await git("fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*");
      await git("update-ref", fetched, `${wanted}^{commit}`);
    },
  ];
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      await attempt();
      return;
    } catch (error) {
      signal.throwIfAborted();
      failure ??= error;
    }
  }
  throw asFetchFailure(failure, ref);
}

/** A repository that answers, but has no such ref, or no branch that its HEAD names, is another case than one that is not there. */
function asFetchFailure(failure: unknown, ref: string): unknown {
  if (!(failure instanceof SlipwayError) || failure.code !== "GIT_FAILED") return failure;
  const url = String(failure.details["url"]);
  const isAnswered = failure.message.includes("couldn't find remote ref");
  if (isAnswered && ref === "") {
    return new SlipwayError("not_found", "GIT_REF_NOT_FOUND", `could not find default branch for repository: ${url}`, { ref: "HEAD" }, failure);
  }
  if (isAnswered) return new SlipwayError("not_found", "GIT_REF_NOT_FOUND", `repository does not contain ref ${ref}, output: ""`, { ref }, failure);
  if (ref !== "") return failure;
  const message = failure.message.replace(/^failed to fetch remote /, "error fetching default branch for repository ");
  return new SlipwayError(failure.kind, failure.code, message, failure.details, failure);
}

/** Every part must be a directory itself: no symlink, so that nothing leads out of the work tree. */
function subdirectoryOf({ directory, subdirectory }: GitRequest): string {
  const parts = subdirectory.split("/").filter((part) => part !== "" && part !== ".");
  const shown = `/${parts.join("/")}`;
  let at = "";
  for (const part of parts) {
    at = join(at, part);
    const stat = lstatSync(join(directory, at), { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) continue;
    const reason =
      stat === undefined
        ? `failed to lstat ${goQuote(at)}: statat ${at}: no such file or directory`
        : `git subpath ${goQuote(shown)} contains non-directory ${goQuote(at)}`;
    throw new SlipwayError("not_found", "GIT_SUBDIR_NOT_FOUND", `invalid subdir ${shown}: ${reason}`, { subdirectory });
  }
  return join(directory, at);
}

function runGit(args: readonly string[], request: GitRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", ["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]),
      env: { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout = (stdout + chunk.toString()).slice(-65536)));
    child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-65536)));
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (request.signal.aborted) reject(request.signal.reason as Error);
      else if (error.code === "ENOENT")
        reject(
          new SlipwayError(
            "failed_precondition",
            "GIT_MISSING",
            "git is not installed: it is needed for git contexts and ADD of repositories",
            { remedy: "apt-get install git" },
            error,
          ),
        );
      else reject(error);
    });
    child.on("close", (code) => {
      if (code === 0) resolve(stdout);
      else
        reject(
          new SlipwayError(
            "unavailable",
            "GIT_FAILED",
            `failed to fetch remote ${withoutPassword(request.url)}: git stderr:\n${printable(stderr.trim())}\n: exit status ${code}`,
            {
              url: withoutPassword(request.url),
              exitCode: code,
            },
          ),
        );
    });
  });
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}
