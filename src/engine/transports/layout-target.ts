/** An OCI layout in a directory, new or with other images in it. Blobs that are there stay; the index is replaced last. */
import { closeSync, fdatasyncSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeDirectories } from "../../base/make-directories.ts";
import { goJson } from "../../base/canonical-json.ts";
import { asSlipwayError } from "../../base/errors.ts";
import { userMode } from "../../base/umask.ts";
import { mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { blobName } from "../archive/archive-plan.ts";
import { changeLayoutIndex, partialName, replaceFile } from "../archive/layout-files.ts";
import type { Document } from "./image-source.ts";
import type { ImageTarget } from "./image-target.ts";

const refName = "org.opencontainers.image.ref.name";

/** Fails with the codes of the file system, and as the blobs' sources do. */
export function layoutTarget(place: string, directory: string, tag: string | undefined): ImageTarget {
  const putBytes = (descriptor: Descriptor, bytes: Uint8Array): void => {
    if (isThere(directory, descriptor)) return;
    replaced(prepared(directory, blobName(descriptor.digest)), bytes);
  };
  return {
    name: place,
    parallel: 3,
    putBlob: async ({ descriptor, open }) => {
      if (isThere(directory, descriptor)) return "exists";
      await writeStream(prepared(directory, blobName(descriptor.digest)), open());
      return "copied";
    },
    putDocument: async ({ descriptor, bytes }) => putBytes(descriptor, bytes),
    putRoot: async (document) => {
      putBytes(document.descriptor, document.bytes);
      replaced(prepared(directory, "oci-layout"), Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
      addEntry(directory, entryOf(document, tag));
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** What index.json says of an image: artifacts with their type, so that readers of the index know them. */
export function entryOf({ descriptor, bytes }: Document, tag: string | undefined): Descriptor {
  const { mediaType, digest, size } = descriptor;
  const parsed = parseManifestOrIndex(bytes, mediaType);
  const artifactType = parsed.kind === "manifest" ? parsed.manifest.artifactType : parsed.index.artifactType;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(tag === undefined ? {} : { annotations: { [refName]: tag } }),
  };
}

/** An entry of the same tag is replaced; without a tag one of the same digest. */
function addEntry(directory: string, entry: Descriptor): void {
  const tag = entry.annotations?.[refName];
  const isSame = (other: Descriptor): boolean => other.annotations?.[refName] === tag && (tag !== undefined || other.digest === entry.digest);
  try {
    changeLayoutIndex(directory, (entries) =>
      goJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...entries.filter((other) => !isSame(other)), entry] }),
    );
  } catch (error) {
    throw asSlipwayError(error, "unavailable", "EXPORT_FAILED");
  }
}

function isThere(directory: string, { digest, size }: Descriptor): boolean {
  return statSync(join(directory, blobName(digest)), { throwIfNoEntry: false })?.size === size;
}

function prepared(directory: string, path: string): string {
  try {
    makeDirectories(dirname(join(directory, path)), userMode("directory"));
  } catch (error) {
    throw asSlipwayError(error, "unavailable", "EXPORT_FAILED");
  }
  return join(directory, path);
}

function replaced(path: string, bytes: Uint8Array): void {
  try {
    replaceFile(path, bytes);
  } catch (error) {
    throw asSlipwayError(error, "unavailable", "EXPORT_FAILED");
  }
}

/** The file appears whole or not at all. Fails with EXPORT_FAILED and as the chunks do. */
export async function writeStream(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const partial = partialName(path);
  const fd = openSync(partial, "w", userMode("file"));
  try {
    for await (const chunk of chunks) for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at);
    fdatasyncSync(fd);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw asSlipwayError(error, "unavailable", "EXPORT_FAILED");
  } finally {
    closeSync(fd);
  }
}
