/** `rmi`: names go one by one, the image with its last one; containers hold on to both. */
import { SlipwayError } from "../../base/errors.ts";
import { shortId, type Digest } from "../../oci/digest.ts";
import { familiarRepository, parseReference, repositoryName } from "../../oci/reference.ts";
import type { Store } from "../../store/index.ts";
import type { RemoveLine } from "../api.ts";
import { removalEvents } from "../events/tell.ts";
import { familiar, requireImage, type FoundImage } from "../image-names.ts";
import { usersOfImage } from "./container-users.ts";
import { chooseImage, imagesOf } from "./variants.ts";

export interface RemoveOptions {
  readonly force?: boolean;
  /** there are no parents here that could stay: it changes nothing */
  readonly noPrune?: boolean;
  /** only these of an index's platforms; they go with `force` alone */
  readonly platforms?: readonly string[];
}

/** A name that keeps an image: a tag, or a repository's digest where the repository has no tag on the image. */
interface Holder {
  readonly shown: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/**
 * By name: the name goes, and the image with its last one. By id: image and all names go, several only with `force`. Files that
 * nothing reaches any more are deleted. Fails with NO_SUCH_IMAGE (not_found), IMAGE_IN_USE (conflict) in Docker's words.
 */
export function removeImage(store: Store, ref: string, options: RemoveOptions = {}): readonly RemoveLine[] {
  const { force = false, platforms = [] } = options;
  const { id, lines } = store.transaction(() => {
    if (platforms.length > 0) return { id: "", lines: removeVariants(store, ref, platforms, force) };
    const found = requireImage(store, ref);
    return { id: found.id, lines: removeRows(store, found, force) };
  });
  store.events.append(removalEvents(id, lines));
  if (lines.some((line) => "deleted" in line)) store.collect();
  return lines;
}

/** Names stay until the last platform goes. */
function removeVariants(store: Store, ref: string, platforms: readonly string[], force: boolean): readonly RemoveLine[] {
  const chosen = platforms.map((platform) => chooseImage(store, ref, platform));
  const user = usersOfImage(
    store,
    chosen.map(({ image }) => image),
  ).find(({ running }) => running || !force);
  if (user !== undefined)
    throw inUse(`unable to delete ${ref} (${platforms.join(", ")}) - container ${user.id.slice(0, 12)} is using it`, chosen[0]?.image as Digest, user.id);
  if (!force)
    throw new SlipwayError("conflict", "IMAGE_IN_USE", "Content will be removed from all images referencing this variant. Use --force to force delete.", {
      ref,
      platforms,
    });
  const images = [...new Set(chosen.map(({ image }) => image))];
  for (const image of images) {
    const holders = store.indexes.holding(image);
    store.indexes.removeMember(image);
    for (const holder of holders) if (store.indexes.members(holder).length === 0) store.indexes.remove(holder);
    store.images.remove(image);
  }
  return images.map((deleted) => ({ deleted }));
}

/** Rows only: the caller collects. */
export function removeRows(store: Store, found: FoundImage, force: boolean): readonly RemoveLine[] {
  const holders = holdersOf(store, found.id);
  const own = ownHolders(found, holders);
  if (own === undefined) return removeById(store, found.id, holders, force);
  const user = usersOfImage(store, imagesBehind(store, found.id))[0];
  if (own.length < holders.length) return untag(store, found.id, own);
  if (user === undefined) return deleteImage(store, found.id, holders);
  if (force) return untag(store, found.id, own);
  const name = own[0]?.shown ?? shortId(found.id);
  throw inUse(
    `unable to delete ${name} (must be forced) - container ${user.id.slice(0, 12)} is using its referenced image ${shortId(found.id)}`,
    found.id,
    user.id,
  );
}

function holdersOf(store: Store, id: Digest): readonly Holder[] {
  const tags = store.images
    .names(id)
    .map((name): Holder => ({ shown: familiar(name), repository: repositoryName(parseReference(name)), tag: name, digest: undefined }));
  const tagged = new Set(tags.map(({ repository }) => repository));
  const untagged = store.images.repoDigests(id).filter(({ repository }) => !tagged.has(repository));
  return [
    ...tags,
    ...untagged.map(({ repository, digest }): Holder => ({
      shown: `${familiarRepository(parseReference(repository))}@${digest}`,
      repository,
      tag: undefined,
      digest,
    })),
  ];
}

/** The holders that the user's word names; undefined for an id. A digest names the tags of its repository. */
function ownHolders({ name, repoDigest }: FoundImage, holders: readonly Holder[]): readonly Holder[] | undefined {
  if (name !== undefined) return holders.filter(({ tag }) => tag === name);
  if (repoDigest === undefined) return undefined;
  return holders.filter(({ repository, digest }) => repository === repoDigest.repository && (digest === undefined || digest === repoDigest.digest));
}

function removeById(store: Store, id: Digest, holders: readonly Holder[], force: boolean): readonly RemoveLine[] {
  const user = usersOfImage(store, imagesBehind(store, id))[0];
  if (user?.running === true)
    throw inUse(`unable to delete ${shortId(id)} (cannot be forced) - image is being used by running container ${user.id.slice(0, 12)}`, id, user.id);
  if (user !== undefined && !force)
    throw inUse(`unable to delete ${shortId(id)} (must be forced) - image is being used by stopped container ${user.id.slice(0, 12)}`, id, user.id);
  if (holders.length > 1 && !force) throw inUse(`unable to delete ${shortId(id)} (must be forced) - image is referenced in multiple repositories`, id);
  if (store.images.get(id)?.own === false)
    throw inUse(`unable to delete ${shortId(id)} (cannot be forced) - it is one of the platforms of image ${shortId(store.indexes.holding(id)[0] ?? id)}`, id);
  return deleteImage(store, id, holders);
}

function imagesBehind(store: Store, id: Digest): readonly Digest[] {
  return imagesOf(store, id);
}

function inUse(message: string, image: Digest, container?: string): SlipwayError {
  return new SlipwayError("conflict", "IMAGE_IN_USE", `conflict: ${message}`, { image, ...(container === undefined ? {} : { container }) });
}

function untag(store: Store, id: Digest, holders: readonly Holder[]): readonly RemoveLine[] {
  for (const { tag, repository } of holders) {
    if (tag !== undefined) store.images.untag(tag);
    forgetDigests(store, id, repository);
  }
  return holders.map(({ shown }) => ({ untagged: shown }));
}

/** A repository's digests go with its last tag. */
function forgetDigests(store: Store, id: Digest, repository: string): void {
  if (store.images.names(id).some((name) => repositoryName(parseReference(name)) === repository)) return;
  for (const known of store.images.repoDigests(id)) if (known.repository === repository) store.images.removeRepoDigest(repository, known.digest, id);
}

function deleteImage(store: Store, id: Digest, holders: readonly Holder[]): readonly RemoveLine[] {
  const deleted = forgetImage(store, id);
  return [...holders.map(({ shown }) => ({ untagged: shown })), ...(deleted ? [{ deleted: id }] : [])];
}

/** Rows only, of an image or an index with what it alone keeps. false: an index has the image, so only its names went. */
export function forgetImage(store: Store, id: Digest): boolean {
  if (store.indexes.get(id) === undefined) return store.images.remove(id);
  store.indexes.remove(id);
  return true;
}
