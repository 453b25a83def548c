/** What BuildKit calls the content of a download or a repository. */
import { goJson } from "../../base/canonical-json.ts";
import type { GitOp } from "../../graph/op.ts";
import { digestOf } from "../../oci/digest.ts";

/** The whole ref belongs to it where the repository's own directory is kept, and is not known here unless it is a commit. */
export function gitKey(
  { ref, subdirectory, keepGitDir, skipSubmodules }: Pick<GitOp, "ref" | "subdirectory" | "keepGitDir" | "skipSubmodules">,
  commit: string,
): string | undefined {
  if ((keepGitDir && ref !== commit) || skipSubmodules) return undefined;
  return `${commit}${keepGitDir ? ".git" : ""}${subdirectory === "" ? "" : `:${subdirectory}`}`;
}

/** A file with a checksum is that, whenever it was changed. */
export function httpKey(fileName: string, sha256: string, lastModified: string): string {
  const fields = { Filename: fileName, Perm: 0, UID: 0, GID: 0, Checksum: `sha256:${sha256}`, ...(lastModified === "" ? {} : { LastModTime: lastModified }) };
  return digestOf(goJson(fields));
}
