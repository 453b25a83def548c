/**
 * `dir:DIRECTORY`, skopeo's own way to keep one image: manifest.json, blobs under their digests without the algorithm, the manifests of an index as
 * `HEX.manifest.json`. @see containers-transports(5)
 */
import { createReadStream, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeDirectories } from "../../base/make-directories.ts";
import { asSlipwayError, SlipwayError } from "../../base/errors.ts";
import { userMode } from "../../base/umask.ts";
import { digestOf, hexOf, type Digest } from "../../oci/digest.ts";
import { maxDocumentBytes, parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { replaceFile } from "../archive/layout-files.ts";
import { readBounded } from "./directory-files.ts";
import { checked, checkedDocument, notInPlace, type Document, type ImageSource } from "./image-source.ts";
import type { ImageTarget } from "./image-target.ts";
import { writeStream } from "./layout-target.ts";

const version = "Directory Transport Version: 1.1\n";
const ownFile = /^(?:[0-9a-f]{64,128}(?:\.manifest\.json)?|manifest\.json|signature-\d+|version)$/;

function documentName(digest: Digest): string {
  return `${hexOf(digest)}.manifest.json`;
}

/** Fails with IMAGE_NOT_IN_PLACE (not_found), DOCUMENT_TOO_LARGE (resource_exhausted) and, for what is damaged, DIGEST_MISMATCH (data_loss). */
export function flatSource(place: string, directory: string): ImageSource {
  const sizeOf = (name: string): number | undefined => statSync(join(directory, name), { throwIfNoEntry: false })?.size;
  const read = (name: string): Buffer => {
    const size = sizeOf(name);
    if (size === undefined) throw notInPlace(place, `there is no ${name} in it`);
    return readBounded(name, size, maxDocumentBytes, () => readFileSync(join(directory, name)));
  };
  const described = (bytes: Uint8Array, digest: Digest): Document => ({
    bytes,
    descriptor: { mediaType: parseManifestOrIndex(bytes).mediaType, digest, size: bytes.length },
  });
  const root = (): Document => {
    const bytes = read("manifest.json");
    return described(bytes, digestOf(bytes));
  };
  return {
    name: place,
    root: async () => root(),
    document: async (digest) => {
      const top = root();
      return top.descriptor.digest === digest ? top : described(checkedDocument(read(documentName(digest)), digest), digest);
    },
    has: ({ digest }) => sizeOf(documentName(digest)) !== undefined || root().descriptor.digest === digest,
    blob: (descriptor) => {
      const name = hexOf(descriptor.digest);
      if (sizeOf(name) === undefined) throw notInPlace(place, `blob ${descriptor.digest} is missing`);
      return checked(createReadStream(join(directory, name), { highWaterMark: 256 * 1024 }), descriptor);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** One image, in the place of the one that lies there. Fails with TARGET_UNSUPPORTED where something else lies there, and with EXPORT_FAILED. */
export function flatTarget(place: string, directory: string): ImageTarget {
  prepareDirectory(place, directory);
  const isThere = (name: string, size: number): boolean => statSync(join(directory, name), { throwIfNoEntry: false })?.size === size;
  const kept = new Set(["version", "manifest.json"]);
  const put = (name: string, bytes: Uint8Array | string): void => {
    kept.add(name);
    try {
      replaceFile(join(directory, name), bytes);
    } catch (error) {
      throw asSlipwayError(error, "unavailable", "EXPORT_FAILED");
    }
  };
  return {
    name: place,
    parallel: 3,
    putBlob: async ({ descriptor: { digest, size }, open }) => {
      const name = hexOf(digest);
      kept.add(name);
      if (isThere(name, size)) return "exists";
      await writeStream(join(directory, name), open());
      return "copied";
    },
    putDocument: async ({ descriptor: { digest }, bytes }) => put(documentName(digest), bytes),
    putRoot: async ({ bytes }) => {
      put("version", version);
      put("manifest.json", bytes);
      for (const name of readdirSync(directory)) if (ownFile.test(name) && !kept.has(name)) rmSync(join(directory, name), { force: true });
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function prepareDirectory(place: string, directory: string): void {
  try {
    makeDirectories(directory, userMode("directory"));
    if (readdirSync(directory).length === 0 || statSync(join(directory, "version"), { throwIfNoEntry: false }) !== undefined) return;
  } catch (error) {
    throw asSlipwayError(error, "unavailable", "EXPORT_FAILED");
  }
  throw new SlipwayError("failed_precondition", "TARGET_UNSUPPORTED", `${place}: not a containers image directory, don't want to overwrite important data`, {
    place,
    bare: true,
  });
}
