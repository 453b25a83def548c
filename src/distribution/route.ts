/** Paths of the registry's API as values; names are checked here, so that nothing behind sees "..", "%2e" or a backslash. */
import { isDigest } from "../oci/digest.ts";
import type { Digest } from "../oci/digest.ts";
import { refuse, type Answer } from "./answer.ts";

export type ManifestName = { readonly tag: string } | { readonly digest: Digest };

export type Route =
  | { readonly type: "base" }
  | { readonly type: "catalog" }
  | { readonly type: "tags"; readonly repository: string }
  | { readonly type: "manifest"; readonly repository: string; readonly name: ManifestName }
  | { readonly type: "blob"; readonly repository: string; readonly digest: Digest }
  | { readonly type: "uploads"; readonly repository: string }
  | { readonly type: "upload"; readonly repository: string; readonly id: string }
  | { readonly type: "referrers"; readonly repository: string; readonly digest: Digest };

const repositoryPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const uploadPattern = /^[A-Za-z0-9-]{1,64}$/;
const maxNameLength = 255;

export function isRepositoryName(text: string): boolean {
  return text.length <= maxNameLength && repositoryPattern.test(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

const badDigest = (): Answer => refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content");

/** The route, or the answer to a path that is none. */
export function parseRoute(path: string): Route | Answer {
  if (path === "/v2/" || path === "/v2") return { type: "base" };
  if (path === "/v2/_catalog") return { type: "catalog" };
  const [, name = "", kind = "", rest = ""] = /^\/v2\/(.+)\/(tags\/list|manifests|blobs\/uploads|blobs|referrers)(?:\/([^/]*))?$/.exec(path) ?? [];
  if (kind === "") return refuse(404, "UNSUPPORTED", "the path is none of the registry's API");
  const repository = decoded(name);
  if (!isRepositoryName(repository)) return refuse(400, "NAME_INVALID", "invalid repository name", { name: name.slice(0, maxNameLength) });
  const last = decoded(rest);
  switch (kind) {
    case "tags/list":
      return rest === "" ? { type: "tags", repository } : refuse(404, "UNSUPPORTED", "the path is none of the registry's API");
    case "blobs/uploads":
      if (last === "") return { type: "uploads", repository };
      return uploadPattern.test(last) ? { type: "upload", repository, id: last } : refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    case "manifests":
      if (isDigest(last)) return { type: "manifest", repository, name: { digest: last } };
      if (tagPattern.test(last)) return { type: "manifest", repository, name: { tag: last } };
      return last.includes(":") ? badDigest() : refuse(400, "TAG_INVALID", "manifest tag did not match URI");
    case "blobs":
      return isDigest(last) ? { type: "blob", repository, digest: last } : badDigest();
    default:
      return isDigest(last) ? { type: "referrers", repository, digest: last } : badDigest();
  }
}
