/** Which tags a registry gave for a digest when it was asked: scopes and signatures may be about tags, of which an image in the store has no trace. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { repositoryName, type Reference } from "../../oci/reference.ts";

const maxTags = 100;

function pathOf(root: string, repository: string, digest: Digest): string {
  return join(root, "policy", "tags", createHash("sha256").update(`${repository}\n${digest}`).digest("hex"));
}

/** Of a name with a digest nothing: beside that anybody may write any tag. */
export function rememberTag(root: string, { tag, digest: asked, ...reference }: Reference, digest: Digest): void {
  if (tag === undefined || asked !== undefined) return;
  const repository = repositoryName(reference);
  const known = knownTags(root, repository, digest);
  if (known.includes(tag)) return;
  const path = pathOf(root, repository, digest);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, [...known, tag].slice(-maxTags).join("\n"), { mode: 0o600 });
}

export function knownTags(root: string, repository: string, digest: Digest): readonly string[] {
  try {
    return readFileSync(pathOf(root, repository, digest), "utf8").split("\n");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
