/** Remote sources as Docker tells them apart: git repositories, files and archives behind http. Pure text. */
import { booleanFromText, goQuote } from "../base/go-text.ts";
import { SlipwayError } from "../base/errors.ts";

export interface GitSource {
  readonly url: string;
  readonly ref: string;
  readonly subdirectory: string;
  /** undefined: the address does not say */
  readonly keepGitDir: boolean | undefined;
  readonly skipSubmodules: boolean;
  /** commit that must be found, or "" */
  readonly checksum: string;
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

/** `git@host:path`, git:// and ssh:// always; http(s) only when the path ends in `.git` (before any fragment). */
export function isGitUrl(text: string): boolean {
  if (/^(?:git|ssh):\/\//.test(text) || /^[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:[^/].*/.test(text) || text.startsWith("git@")) return true;
  return /^https?:\/\/[^#?]*\.git(?:[#?].*)?$/.test(text);
}

/**
 * What a build's context may be besides: github.com/user/repo without a scheme, and a repository on this machine. A
 * Dockerfile's own ADD must never reach the machine's files, so file:// counts here only.
 */
export function isGitContext(text: string): boolean {
  return text.startsWith("github.com/") || text.startsWith("file://") || isGitUrl(text);
}

function invalidUrl(message: string, url: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_GIT_URL", message, { url });
}

/** `URL#ref:subdirectory`, or `URL?ref=…&subdir=…`. Fails with INVALID_GIT_URL. */
export function parseGitUrl(text: string): GitSource {
  const full = text.startsWith("github.com/") ? `https://${text}` : text;
  if (full.startsWith("-") || /[\u0000-\u001f]/.test(full)) throw invalidUrl(`invalid git URL ${goQuote(text)}`, text);
  const hash = full.indexOf("#");
  const address = hash < 0 ? full : full.slice(0, hash);
  const fragment = hash < 0 ? "" : full.slice(hash + 1);
  const colon = fragment.indexOf(":");
  const named = { ref: colon < 0 ? fragment : fragment.slice(0, colon), subdirectory: colon < 0 ? "" : fragment.slice(colon + 1) };
  const question = address.indexOf("?");
  const url = question < 0 ? address : address.slice(0, question);
  return {
    url,
    keepGitDir: undefined,
    skipSubmodules: false,
    checksum: "",
    ...named,
    ...(question < 0 ? {} : queryOf(address.slice(question + 1), named, text)),
  };
}

const refPrefixes: Readonly<Record<string, string>> = { ref: "", tag: "refs/tags/", branch: "refs/heads/" };

/** What a query says, which must not contradict the fragment nor itself. */
function queryOf(query: string, named: Pick<GitSource, "ref" | "subdirectory">, url: string): Partial<GitSource> {
  let { ref, subdirectory } = named;
  let checksum = "";
  let keepGitDir: boolean | undefined;
  let skipSubmodules = false;
  const seen = new Set<string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (seen.has(key)) throw invalidUrl(`query "${key}" has multiple values`, url);
    if (value === "" && key !== "keep-git-dir" && key !== "submodules") throw invalidUrl(`query "${key}" has no value`, url);
    seen.add(key);
    if (seen.has("tag") && seen.has("branch")) throw invalidUrl("branch conflicts with tag", url);
    const prefix = refPrefixes[key];
    if (prefix !== undefined) {
      if (ref !== "" && ref !== prefix + value) throw invalidUrl(`ref conflicts: "${ref}" vs "${prefix}${value}"`, url);
      ref = prefix + value;
    } else if (key === "subdir") {
      if (subdirectory !== "" && subdirectory !== value) throw invalidUrl(`subdir conflicts: "${subdirectory}" vs "${value}"`, url);
      subdirectory = value;
    } else if (key === "checksum" || key === "commit") checksum = value;
    else if (key === "keep-git-dir") keepGitDir = flagOf(key, value, url);
    else if (key === "submodules") skipSubmodules = !flagOf(key, value, url);
    else throw invalidUrl(`unexpected query "${key}"`, url);
  }
  return { ref, subdirectory, checksum, keepGitDir, skipSubmodules };
}

/** The name alone says yes. */
function flagOf(key: string, value: string, url: string): boolean {
  const flag = value === "" || booleanFromText(value);
  if (flag === undefined) throw invalidUrl(`invalid ${key} value: ${goQuote(value)}`, url);
  return flag;
}

/** The file's name from the URL's path, as ADD uses it; of an address that is none it does not matter. */
export function fileNameOfUrl(url: string): string {
  const [, path = ""] = /^[a-z]+:\/\/[^/?#]*([^?#]*)/.exec(url) ?? [];
  const last = decoded(path).replace(/\/+$/, "").split("/").at(-1) ?? "";
  if (last === "..") return "download";
  return last === "" || last === "." ? "__unnamed__" : last;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}
