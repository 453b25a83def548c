/** Remote sources as Docker tells them apart: git repositories, files and archives behind http. Pure text. */
import { SlipwayError } from "../base/errors.ts";

export interface GitSource {
  readonly url: string;
  readonly ref: string;
  readonly subdirectory: string;
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

/** `URL#ref:subdirectory`. Fails with INVALID_GIT_URL. */
export function parseGitUrl(text: string): GitSource {
  const full = text.startsWith("github.com/") ? `https://${text}` : text;
  const hash = full.indexOf("#");
  const url = hash < 0 ? full : full.slice(0, hash);
  const fragment = hash < 0 ? "" : full.slice(hash + 1);
  if (url.startsWith("-") || /[\u0000-\u001f]/.test(full))
    throw new SlipwayError("invalid_argument", "INVALID_GIT_URL", `invalid git URL ${JSON.stringify(text)}`, { url: text });
  const colon = fragment.indexOf(":");
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  const subdirectory = colon < 0 ? "" : fragment.slice(colon + 1);
  if (ref.startsWith("-") || subdirectory.split("/").includes(".."))
    throw new SlipwayError("invalid_argument", "INVALID_GIT_URL", `invalid git URL fragment ${JSON.stringify(fragment)}`, { url: text });
  return { url, ref, subdirectory };
}

/** The file's name from the URL's path, as ADD uses it. */
export function fileNameOfUrl(url: string): string {
  const path = new URL(url).pathname;
  const last = path.slice(path.lastIndexOf("/") + 1);
  return last === "" ? "__unnamed__" : decodeURIComponent(last);
}
