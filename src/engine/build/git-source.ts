/** Git repositories through the system's git: fetched shallowly at one ref, without hooks, prompts or the user's settings. */
import { goQuote } from "../../base/go-text.ts";
import { spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { join, posix } from "node:path";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { gitEnvironment } from "./ask-git.ts";

export interface GitRequest {
  readonly url: string;
  /** branch, tag, commit or ref; "" is the default branch */
  readonly ref: string;
  readonly subdirectory: string;
  readonly keepGitDir?: boolean | undefined;
  readonly skipSubmodules: boolean;
  /** commit that must be found, or "" */
  readonly checksum: string;
  /** empty; receives the work tree */
  readonly directory: string;
  readonly signal: AbortSignal;
}

const timeoutMs = 10 * 60_000;

type Git = (...args: string[]) => Promise<string>;

/** Answers the directory that counts (the subdirectory, where one was asked for), the commit and its time in seconds. Fails with GIT_FAILED, GIT_REF_NOT_FOUND. */
export async function cloneRepository(request: GitRequest): Promise<{ readonly path: string; readonly commit: string; readonly timestamp: string }> {
  const { directory, url, checksum, keepGitDir = false } = request;
  const gitIn =
    (place: string): Git =>
    (...args) =>
      runGit(["-C", place, ...args], request);
  // what is kept is a repository of its own that knows one commit and nothing of this machine
  const repository = keepGitDir ? join(directory, ".git", "fetched") : directory;
  const git = gitIn(repository);
  if (!/^[0-9a-fA-F]*$/.test(checksum)) {
    const message = `invalid checksum ${checksum} for Git URL, expected hex commit hash`;
    throw new SlipwayError("invalid_argument", "GIT_CHECKSUM_MALFORMED", message, { got: checksum.slice(0, 200) });
  }
  if (keepGitDir) await gitIn(directory)("init", "--quiet", "--initial-branch=main");
  mkdirSync(repository, { recursive: true });
  await git("init", "--quiet", "--initial-branch=main", ...(keepGitDir ? ["--bare"] : []));
  await git("remote", "add", "--", "origin", url);
  const ref = await resolveRef(git, request);
  await fetchRef(git, ref, request);
  const [timestamp = "", commit = ""] = (await git("rev-list", "--max-count=1", "--timestamp", fetched)).trim().split(" ");
  if (checksum !== "" && !commit.startsWith(checksum)) {
    throw new SlipwayError("failed_precondition", "GIT_CHECKSUM_MISMATCH", `expected checksum to match ${checksum}, got ${commit}`, {
      expected: checksum,
      actual: commit,
    });
  }
  if (keepGitDir) await checkOutFrom(repository, ref, { git: gitIn(directory), fetchedBy: git, request });
  else await git("checkout", "--quiet", "--detach", fetched);
  if (!request.skipSubmodules && existsSync(join(directory, ".gitmodules")))
    await gitIn(directory)("submodule", "update", "--quiet", "--init", "--recursive", "--depth=1");
  rmSync(keepGitDir ? repository : join(directory, ".git"), { recursive: true, force: true });
  return { path: subdirectoryOf(request), commit, timestamp };
}

/** Of our own: newer versions of git let nobody write FETCH_HEAD. */
const fetched = "refs/slipway/fetched";

function isCommit(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

/** What the other side calls the ref: of a branch and a tag of one name the branch. A commit is its own name. */
async function resolveRef(git: Git, { ref, url }: GitRequest): Promise<string> {
  if (isCommit(ref)) return ref;
  if (ref.startsWith("-")) throw new SlipwayError("invalid_argument", "GIT_REF_MALFORMED", `invalid git ref ${goQuote(ref)}`, { url: withoutPassword(url) });
  const named = ref === "" ? await defaultBranch(git, url) : ref;
  const output = await git("ls-remote", "origin", named, `${named}^{}`);
  const known = new Set(output.split("\n").map((line) => line.split("\t")[1] ?? ""));
  const under = (prefix: string): string => prefix + (named.startsWith(prefix) ? named.slice(prefix.length) : named);
  const found = [under("refs/"), under("refs/heads/"), under("refs/tags/")].find((name) => known.has(name));
  // servers list the commit of an annotated tag so, and give the tag
  if (found !== undefined) return found.replace(/\^\{\}$/, "");
  throw new SlipwayError("not_found", "GIT_REF_NOT_FOUND", `repository does not contain ref ${named}, output: ${goQuote(output)}`, { ref: named });
}

async function defaultBranch(git: Git, url: string): Promise<string> {
  let answer: string;
  try {
    answer = await git("ls-remote", "--symref", "origin", "HEAD");
  } catch (error) {
    if (!isSlipwayError(error, "GIT_FAILED")) throw error;
    const message = error.message.replace(/^failed to fetch remote /, "error fetching default branch for repository ");
    throw new SlipwayError(error.kind, error.code, message, error.details, error);
  }
  const branch = /^ref: (\S+)\tHEAD$/m.exec(answer)?.[1];
  if (branch !== undefined) return branch;
  throw new SlipwayError("not_found", "GIT_REF_NOT_FOUND", `could not find default branch for repository: ${withoutPassword(url)}`, { ref: "HEAD" });
}

/** `fetched` becomes what the ref names: one commit where the server gives single ones, else everything that leads to it. */
async function fetchRef(git: Git, ref: string, { url, signal }: GitRequest): Promise<void> {
  const attempts = [
    () => git("fetch", "--quiet", "--depth=1", "--no-tags", "origin", "--", `+${ref}:${fetched}`),
    // Servers of plain files have no shallow history.
    () => git("fetch", "--quiet", "--no-tags", "origin", "--", `+${ref}:${fetched}`),
    // Not every server gives any commit that it has.
    ...(isCommit(ref) ? [() => git("fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*")] : []),
  ];
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      await attempt();
      failure = undefined;
      break;
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  if (!isCommit(ref)) return;
  try {
    await git("update-ref", fetched, `${ref}^{commit}`);
  } catch (error) {
    signal.throwIfAborted();
    const address = withoutPassword(url);
    const message = `failed to checkout remote ${address}: git stderr:\nfatal: unable to read tree (${ref})\n: exit status 128`;
    throw new SlipwayError("not_found", "GIT_COMMIT_NOT_FOUND", message, { url: address, ref }, error);
  }
}

interface KeptCheckout {
  readonly git: Git;
  /** runs in the repository that was fetched into */
  readonly fetchedBy: Git;
  readonly request: GitRequest;
}

/** As BuildKit leaves it: the commit alone, under its ref as a tag and, unless it is an annotated tag, as a branch; logs are empty. */
async function checkOutFrom(repository: string, ref: string, { git, fetchedBy, request: { directory, url } }: KeptCheckout): Promise<void> {
  const name = isCommit(ref) ? "" : ref.replace(/^refs\/(?:heads|tags)\//, "");
  if (name !== "") await fetchedBy("update-ref", `refs/tags/${name}`, fetched);
  const isTag = (await fetchedBy("cat-file", "-t", fetched)).trim() === "tag";
  const wanted = name === "" ? fetched : isTag ? `refs/tags/${name}:refs/tags/${name}` : `${name}:${name}`;
  await git("remote", "add", "--", "origin", url);
  // by its address: a path would be cloned with everything that is in it
  const local = ["-c", "protocol.file.allow=always", "-c", "safe.directory=*", "fetch", "--quiet", "--update-head-ok", "--depth=1"];
  await git(...local, `file://${repository}`, wanted);
  await git("checkout", "--quiet", "--detach", "FETCH_HEAD");
  await git("reflog", "expire", "--expire=now", "--all");
  // the latter by older versions of git only
  for (const left of ["FETCH_HEAD", "branches"]) rmSync(join(directory, ".git", left), { recursive: true, force: true });
}

/** Every part must be a directory itself: no symlink, so that nothing leads out of the work tree. */
function subdirectoryOf({ directory, subdirectory }: GitRequest): string {
  const parts = posix
    .join("/", subdirectory)
    .split("/")
    .filter((part) => part !== "");
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
      env: { ...gitEnvironment(), GIT_CONFIG_NOSYSTEM: "1" },
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
