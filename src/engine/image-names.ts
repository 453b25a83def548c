/** What a user may call an image: names, ids, prefixes of ids, repository digests. */
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { isDigest, type Digest } from "../oci/digest.ts";
import { familiarName, familiarRepository, formatReference, parseReference, repositoryName, withDefaultTag } from "../oci/reference.ts";
import type { Store } from "../store/index.ts";

export interface FoundImage {
  /** an image's, or that of an index with images for several platforms */
  readonly id: Digest;
  /** the full name by which it was found; undefined when it was found by id */
  readonly name: string | undefined;
  /** found as name@digest */
  readonly repoDigest: { readonly repository: string; readonly digest: Digest } | undefined;
}

export function noSuchImage(ref: string): SlipwayError {
  return new SlipwayError("not_found", "NO_SUCH_IMAGE", `No such image: ${shown(ref)}`, { ref });
}

/** Docker completes the tag in its answer: "No such image: x:latest". */
function shown(ref: string): string {
  try {
    return familiarName(withDefaultTag(parseReference(ref)));
  } catch {
    return ref;
  }
}

/** undefined when there is no such image. Names win over ids. Fails with AMBIGUOUS_ID (invalid_argument). */
export function findImage(store: Store, ref: string): FoundImage | undefined {
  if (isDigest(ref)) {
    const known = store.images.get(ref) ?? store.indexes.get(ref);
    return known === undefined ? byDocument(store, ref) : { id: ref, name: undefined, repoDigest: undefined };
  }
  const named = byName(store, ref);
  if (named !== undefined) return named;
  const hex = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(ref)?.[1];
  if (hex === undefined) return undefined;
  const ids = store.images.byPrefix(hex);
  if (ids.length > 1) throw new SlipwayError("invalid_argument", "AMBIGUOUS_ID", `multiple IDs found with provided prefix: ${ref}`, { prefix: ref });
  return ids[0] === undefined ? undefined : { id: ids[0], name: undefined, repoDigest: undefined };
}

/** By the digest of a manifest or of an index that it came with. */
function byDocument(store: Store, digest: Digest): FoundImage | undefined {
  const named = (id: Digest): boolean => store.images.repoDigests(id).some((known) => known.digest === digest);
  const found =
    store.indexes.all().find(({ id, document }) => document === digest || named(id)) ??
    store.images.all().find(({ id, manifest }) => manifest === digest || named(id));
  return found === undefined ? undefined : { id: found.id, name: undefined, repoDigest: undefined };
}

function byName(store: Store, ref: string): FoundImage | undefined {
  let reference;
  try {
    reference = withDefaultTag(parseReference(ref));
  } catch (error) {
    if (error instanceof SlipwayError && error.code === "INVALID_REFERENCE") return undefined;
    throw error;
  }
  if (reference.digest !== undefined) {
    const repository = repositoryName(reference);
    const id = store.images.byRepoDigest(repository, reference.digest);
    return id === undefined ? undefined : { id, name: undefined, repoDigest: { repository, digest: reference.digest } };
  }
  const name = formatReference(reference);
  const id = store.images.byName(name);
  return id === undefined ? undefined : { id, name, repoDigest: undefined };
}

/** Fails with NO_SUCH_IMAGE (not_found), or INVALID_IMAGE_NAME (invalid_argument) where no image can have that name, in Docker's words. */
export function requireImage(store: Store, ref: string): FoundImage {
  const found = findImage(store, ref);
  if (found !== undefined) return found;
  try {
    parseReference(ref);
  } catch (error) {
    if (!isSlipwayError(error, "INVALID_REFERENCE") || ref === "" || isDigest(ref)) throw noSuchImage(ref);
    throw new SlipwayError("invalid_argument", "INVALID_IMAGE_NAME", error.message, { ref }, error);
  }
  throw noSuchImage(ref);
}

/** A full name to tag with. Fails with INVALID_REFERENCE, INVALID_IMAGE_NAME; a digest is refused. */
export function parseTagName(text: string): string {
  const reference = withDefaultTag(parseReference(text));
  if (reference.digest !== undefined)
    throw new SlipwayError("invalid_argument", "INVALID_REFERENCE", "refusing to create a tag with a digest reference", { got: text, bare: true });
  if (familiarRepository(reference) === "sha256") {
    throw new SlipwayError("invalid_argument", "INVALID_IMAGE_NAME", "refusing to create an ambiguous tag using digest algorithm as name", { got: text });
  }
  return formatReference(reference);
}

export function familiar(name: string): string {
  return familiarName(parseReference(name));
}
