/** A cache in a directory: an OCI layout whose index names cache manifests by tags. */
import { createReadStream, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectories } from "../../../base/make-directories.ts";
import { changeLayoutIndex, partialName, replaceFile } from "../../archive/layout-files.ts";
import { asSlipwayError, errnoOf, SlipwayError } from "../../../base/errors.ts";
import { userMode } from "../../../base/umask.ts";
import { digestOf, hexOf, type Digest } from "../../../oci/digest.ts";
import type { Descriptor } from "../../../oci/manifest.ts";
import { parseIndex } from "../../../oci/parse-manifest.ts";
import type { Store } from "../../../store/index.ts";
import type { CacheReader, CacheWriter } from "./cache-place.ts";

const refName = "org.opencontainers.image.ref.name";
const maxDocumentBytes = 64 << 20;

function blobPath(directory: string, digest: Digest): string {
  return join(directory, "blobs", digest.slice(0, digest.indexOf(":")), hexOf(digest));
}

/** Fails with CACHE_NOT_FOUND (not_found) when the directory has no such cache. */
export function localReader(directory: string, wanted: { readonly digest?: string; readonly tag?: string }): CacheReader {
  const read = (digest: Digest): Buffer => {
    const path = blobPath(directory, digest);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) throw new SlipwayError("not_found", "BLOB_NOT_FOUND", `blob ${digest} is not in ${directory}`, { digest });
    if (size > maxDocumentBytes) throw new SlipwayError("data_loss", "BLOB_TOO_LARGE", `blob ${digest} has ${size} bytes`, { digest, size });
    const bytes = readFileSync(path);
    if (digestOf(bytes) !== digest) throw new SlipwayError("data_loss", "DIGEST_MISMATCH", `blob ${digest} in ${directory} is damaged`, { digest });
    return bytes;
  };
  return {
    manifest: async () => read(wanted.digest === undefined ? digestOfTag(directory, wanted.tag ?? "latest") : (wanted.digest as Digest)),
    document: async ({ digest }) => read(digest),
    open: ({ digest }) => createReadStream(blobPath(directory, digest)),
  };
}

function digestOfTag(directory: string, tag: string): Digest {
  const { manifests } = readIndex(directory);
  const found = manifests.find(({ annotations }) => annotations?.[refName] === tag);
  if (found === undefined) throw new SlipwayError("not_found", "CACHE_NOT_FOUND", `no cache ${tag} in ${directory}`, { directory, tag });
  return found.digest;
}

function readIndex(directory: string): { readonly manifests: readonly Descriptor[] } {
  try {
    return parseIndex(readFileSync(join(directory, "index.json")));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    throw new SlipwayError("not_found", "CACHE_NOT_FOUND", `${join(directory, "index.json")}: no such file or directory`, { directory });
  }
}

/** The index is written last; caches of other tags stay. */
export function localWriter(store: Store, directory: string, tag: string): CacheWriter {
  const write = async (digest: Digest, content: AsyncIterable<Uint8Array> | Uint8Array): Promise<void> => {
    const path = blobPath(directory, digest);
    const partial = partialName(path);
    makeDirectories(join(directory, "blobs", "sha256"), userMode("directory"));
    try {
      await writeFile(partial, content, { mode: userMode("file") });
      renameSync(partial, path);
    } catch (error) {
      throw asSlipwayError(error, "unavailable", "OUTPUT_FILE");
    } finally {
      rmSync(partial, { force: true });
    }
  };
  return {
    layer: async (descriptor) => {
      if (statSync(blobPath(directory, descriptor.digest), { throwIfNoEntry: false })?.size === descriptor.size) return;
      await write(descriptor.digest, store.blobs.verified(descriptor.digest));
    },
    document: async (descriptor, bytes) => await write(descriptor.digest, bytes),
    manifest: async (descriptor, bytes) => {
      await write(descriptor.digest, bytes);
      replaceFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
      changeLayoutIndex(directory, (entries) => {
        const others = entries.filter(({ annotations }) => annotations?.[refName] !== tag);
        const manifests = [...others, { ...descriptor, annotations: { [refName]: tag } }];
        return JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests });
      });
    },
  };
}
