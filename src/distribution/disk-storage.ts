/**
 * A registry's content in a directory, for one server at a time:
 *
 *     blobs/sha256/<hex>                           the bytes, once for all repositories
 *     repositories/<name>/_blobs/sha256:<hex>      this repository has the blob
 *     repositories/<name>/_manifests/sha256:<hex>  { mediaType, referral? }; the bytes are a blob
 *     repositories/<name>/_tags/<tag>              the digest
 *     repositories/<name>/_uploads/<id>            what was received so far, kept over a restart
 *
 * Names of repositories have no component that begins with "_". Files appear whole, by rename; what a killed server left
 * half-written is an upload that its client may continue.
 */
import { createHash, randomUUID, type Hash } from "node:crypto";
import { createReadStream, existsSync, globSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { makeDirectories } from "../base/make-directories.ts";
import { algorithmOf, hexOf, isDigest, type Digest } from "../oci/digest.ts";
import type { ByteRange, DistributionStorage, Referral, StoredManifest } from "./storage.ts";

type Folder = "_blobs" | "_manifests" | "_tags" | "_uploads";

interface ManifestRecord {
  readonly mediaType: string;
  readonly referral?: Referral;
}

const namesIn = (directory: string): readonly string[] => (existsSync(directory) ? readdirSync(directory).toSorted() : []);

async function synced(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

export function createDiskStorage(root: string): DistributionStorage {
  const repositoriesRoot = path.join(root, "repositories");
  const temporary = path.join(root, "temporary");
  for (const directory of [repositoriesRoot, temporary]) makeDirectories(directory);
  /** of uploads that this process began or continued from their first byte */
  const hashes = new Map<string, Hash>();

  const folder = (name: string, kind: Folder): string => path.join(repositoriesRoot, name, kind);
  const entry = (name: string, kind: Folder, key: string): string => path.join(repositoriesRoot, name, kind, key);
  const blobFile = (digest: Digest): string => path.join(root, "blobs", algorithmOf(digest), hexOf(digest));
  const has = (name: string, digest: Digest): boolean => existsSync(entry(name, "_blobs", digest)) && existsSync(blobFile(digest));

  function write(file: string, bytes: Uint8Array | string): void {
    const draft = path.join(temporary, randomUUID());
    writeFileSync(draft, bytes, { flush: true });
    makeDirectories(path.dirname(file));
    renameSync(draft, file);
  }

  function remove(file: string): boolean {
    const there = existsSync(file);
    rmSync(file, { force: true });
    return there;
  }

  /** The bytes go when no repository has them any more. */
  function dropBytes(digest: Digest): void {
    const users = globSync(`**/{_blobs,_manifests}/${digest}`, { cwd: repositoriesRoot });
    if (users.length === 0) rmSync(blobFile(digest), { force: true });
  }

  function record(name: string, digest: Digest): ManifestRecord | undefined {
    const file = entry(name, "_manifests", digest);
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as ManifestRecord) : undefined;
  }

  async function append(name: string, id: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await open(entry(name, "_uploads", id), "a");
    const hash = hashes.get(id);
    try {
      for await (const chunk of bytes) {
        await file.appendFile(chunk);
        hash?.update(chunk);
      }
    } catch (error) {
      hashes.delete(id);
      throw error;
    } finally {
      await file.close();
    }
  }

  async function digestOfUpload(file: string, id: string, algorithm: "sha256" | "sha512"): Promise<Digest> {
    const running = algorithm === "sha256" ? hashes.get(id) : undefined;
    if (running !== undefined) return `sha256:${running.digest("hex")}` as Digest;
    const hash = createHash(algorithm);
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
    return `${algorithm}:${hash.digest("hex")}` as Digest;
  }

  async function commit(name: string, id: string, digest: Digest): Promise<boolean> {
    const file = entry(name, "_uploads", id);
    const isRight = (await digestOfUpload(file, id, algorithmOf(digest))) === digest;
    hashes.delete(id);
    if (!isRight) {
      rmSync(file, { force: true });
      return false;
    }
    await synced(file);
    makeDirectories(path.dirname(blobFile(digest)));
    // in this order a server that is killed in between leaves an upload, not bytes that nobody names
    write(entry(name, "_blobs", digest), "");
    renameSync(file, blobFile(digest));
    return true;
  }

  function put(name: string, { digest, mediaType, bytes }: StoredManifest, tag?: string, referral?: Referral): void {
    write(blobFile(digest), bytes);
    write(entry(name, "_manifests", digest), JSON.stringify({ mediaType, referral }));
    if (tag !== undefined) write(entry(name, "_tags", tag), digest);
  }

  function resolveTag(name: string, tag: string): Digest | undefined {
    const file = entry(name, "_tags", tag);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    return isDigest(text) ? text : undefined;
  }

  function removeManifest(name: string, digest: Digest): boolean {
    for (const tag of namesIn(folder(name, "_tags"))) if (resolveTag(name, tag) === digest) rmSync(entry(name, "_tags", tag), { force: true });
    const removed = remove(entry(name, "_manifests", digest));
    dropBytes(digest);
    return removed;
  }

  return {
    repositories: async () =>
      globSync("**/_manifests", { cwd: repositoriesRoot })
        .filter((one) => readdirSync(path.join(repositoriesRoot, one)).length > 0)
        .map((one) => path.posix.dirname(one))
        .toSorted(),
    blobSize: async (name, digest) => (has(name, digest) ? statSync(blobFile(digest)).size : undefined),
    readBlob: (_, digest, range?: ByteRange) => createReadStream(blobFile(digest), { highWaterMark: 256 * 1024, ...range }),
    mountBlob: async (from, to, digest) => {
      if (!has(from, digest)) return false;
      write(entry(to, "_blobs", digest), "");
      return true;
    },
    deleteBlob: async (name, digest) => {
      const removed = remove(entry(name, "_blobs", digest));
      if (removed) dropBytes(digest);
      return removed;
    },
    createUpload: async (name) => {
      const id = randomUUID();
      hashes.set(id, createHash("sha256"));
      makeDirectories(folder(name, "_uploads"));
      writeFileSync(entry(name, "_uploads", id), "", { flag: "wx" });
      return id;
    },
    uploadSize: async (name, id) => statSync(entry(name, "_uploads", id), { throwIfNoEntry: false })?.size,
    appendUpload: append,
    commitUpload: commit,
    cancelUpload: async (name, id) => {
      hashes.delete(id);
      return remove(entry(name, "_uploads", id));
    },
    manifests: async (name) => namesIn(folder(name, "_manifests")).filter(isDigest),
    manifest: async (name, digest) => {
      const found = record(name, digest);
      return found === undefined ? undefined : { digest, mediaType: found.mediaType, bytes: readFileSync(blobFile(digest)) };
    },
    putManifest: async (name, manifest, tag, referral) => put(name, manifest, tag, referral),
    deleteManifest: async (name, digest) => removeManifest(name, digest),
    tags: async (name) => (namesIn(folder(name, "_manifests")).length === 0 ? undefined : namesIn(folder(name, "_tags"))),
    resolveTag: async (name, tag) => resolveTag(name, tag),
    deleteTag: async (name, tag) => remove(entry(name, "_tags", tag)),
    referrers: async (name, subject) =>
      namesIn(folder(name, "_manifests"))
        .flatMap((digest) => (isDigest(digest) ? (record(name, digest)?.referral ?? []) : []))
        .filter((one) => one.subject === subject)
        .map(({ descriptor }) => descriptor),
  };
}
