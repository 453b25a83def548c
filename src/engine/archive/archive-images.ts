/** Images as one tar stream (docker-archive and OCI layout at once) or as an OCI layout in a directory. Equal images give equal bytes. */
import { renameSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectories } from "../../base/make-directories.ts";
import { asSlipwayError } from "../../base/errors.ts";
import { userMode } from "../../base/umask.ts";
import { createEntry, encodeHeader, endOfArchive, paddingLength } from "../../tar/index.ts";
import { changeLayoutIndex, partialName, replaceFile } from "./layout-files.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import type { Store } from "../../store/index.ts";
import {
  blobName,
  indexDocument,
  planArchive,
  type ArchivedImage,
  type ArchivedIndex,
  type ArchiveFormat,
  type ArchivePlan,
  type PlannedBlob,
  type PlanOptions,
} from "./archive-plan.ts";

export type { ArchivedImage, ArchivedIndex, ArchiveFormat } from "./archive-plan.ts";

export interface ArchiveOptions {
  readonly format: ArchiveFormat;
  readonly signal?: AbortSignal;
}

/** Layers go out in whatever form lies here. Fails with LAYER_MISSING before the first byte. */
export async function* archiveImages(store: Store, images: readonly (ArchivedImage | ArchivedIndex)[], options: ArchiveOptions): AsyncGenerator<Uint8Array> {
  yield* writeArchive(store, await planArchive(store, images, options), options);
}

/** What was planned, as a tar. */
export async function* writeArchive(store: Store, plan: ArchivePlan, options: { readonly signal?: AbortSignal }): AsyncGenerator<Uint8Array> {
  yield directoryHeader("blobs");
  yield directoryHeader("blobs/sha256");
  for (const blob of plan.blobs) yield* blobMember(store, blob, options.signal);
  for (const [name, text] of plan.documents) yield smallMember(name, Buffer.from(text), name === "oci-layout" ? 0o444 : 0o644);
  yield endOfArchive;
}

function directoryHeader(path: string): Buffer {
  return encodeHeader(createEntry({ type: "directory", path }));
}

async function* blobMember(store: Store, { digest, size, source }: PlannedBlob, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if ("bytes" in source) {
    yield smallMember(blobName(digest), source.bytes, 0o444);
    return;
  }
  yield encodeHeader(createEntry({ type: "file", path: blobName(digest), size, mode: 0o444 }));
  for await (const chunk of store.blobs.verified(source.stored)) {
    signal?.throwIfAborted();
    yield chunk;
  }
  const padding = paddingLength(size);
  if (padding > 0) yield Buffer.alloc(padding);
}

function smallMember(path: string, bytes: Uint8Array, mode: number): Buffer {
  const header = encodeHeader(createEntry({ type: "file", path, size: bytes.length, mode }));
  return Buffer.concat([header, bytes, Buffer.alloc(paddingLength(bytes.length))]);
}

/**
 * Adds the images to the layout in `directory`, which is made when it is not there. Entries of the same name are replaced, all others
 * stay. The index is written last: whoever reads the layout meanwhile sees it as it was.
 */
export async function writeOciLayout(
  store: Store,
  images: readonly (ArchivedImage | ArchivedIndex)[],
  directory: string,
  options: Omit<PlanOptions, "format"> = {},
): Promise<ArchivePlan> {
  const plan = await planArchive(store, images, { ...options, format: "oci" });
  try {
    makeDirectories(join(directory, "blobs/sha256"), userMode("directory"));
    for (const blob of plan.blobs) {
      options.signal?.throwIfAborted();
      await writeBlob(store, blob, join(directory, blobName(blob.digest)));
    }
    replaceFile(join(directory, "oci-layout"), plan.documents.get("oci-layout") ?? "");
    changeLayoutIndex(directory, (entries) => {
      const kept = entries.filter((entry) => !plan.index.some((added) => isSameEntry(entry, added)));
      return indexDocument([...kept, ...plan.index], images);
    });
    return plan;
  } catch (error) {
    throw asSlipwayError(error);
  }
}

async function writeBlob(store: Store, { digest, size, source }: PlannedBlob, path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.size === size) return;
  const partial = partialName(path);
  try {
    await writeFile(partial, "bytes" in source ? source.bytes : store.blobs.verified(digest), { mode: userMode("file") });
    renameSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
}

const nameKey = "io.containerd.image.name";

/** The same name, or the same manifest where neither has one. */
function isSameEntry(a: Descriptor, b: Descriptor): boolean {
  const name = a.annotations?.[nameKey];
  return name === b.annotations?.[nameKey] && (name !== undefined || a.digest === b.digest);
}
