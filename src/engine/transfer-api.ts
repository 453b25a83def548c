/** The library's calls about images elsewhere: looking into them and moving them, without bringing them into the store. */

import type { ProgressSink } from "../base/progress.ts";
import type { Digest } from "../oci/digest.ts";
import type { Descriptor, Index } from "../oci/manifest.ts";
import type { Reference } from "../oci/reference.ts";
import type { FoundRepository, RegistryAccess } from "../registry/index.ts";
import type { Filters, Task } from "./api.ts";
import type { LayersReport } from "./layers-api.ts";

export interface FileEntry {
  /** absolute: "/etc/passwd" */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "char" | "block" | "fifo";
  /** permission bits with setuid, setgid, sticky */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** 0 for everything but files */
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  /** of a symlink, "" otherwise */
  readonly linkname: string;
  readonly device: { readonly major: number; readonly minor: number };
}

export interface FileChange {
  readonly kind: "added" | "changed" | "removed";
  /** absolute */
  readonly path: string;
  /** bytes of the file now; 0 when it was removed */
  readonly sizeBytes: number;
  /** bytes of the file before, of a removed directory all of it */
  readonly beforeBytes: number;
}

/** Where images are named: see docs/copy.md. */
export interface LocationOptions {
  /** one of an index's platforms; default: this machine's */
  readonly platform?: string;
  /** what paths of locations are relative to; default: the process's directory */
  readonly cwd?: string;
  /** read for DOCKER_HOST, and ssh's; default: the process's */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** How the registry or the daemon at one end of a copy is reached, where its own files are not to say it. Paths are relative to `cwd`. */
export interface PlaceAccess extends RegistryAccess {
  /** of docker-daemon: in the place of DOCKER_HOST */
  readonly daemonHost?: string;
}

export interface CopyOptions extends LocationOptions {
  readonly source?: PlaceAccess;
  readonly target?: PlaceAccess;
  /** an index with all its images; the default, but for Docker's archives and its daemon, which get this machine's image */
  readonly all?: boolean;
  /** from a registry into another: also what refers to the images, and cosign's tags .sig, .att and .sbom */
  readonly referrers?: boolean;
  /**
   * BuildKit's attestations of an index: as they are, as referrers of its images (into a registry), or left out. Without them the index is another
   * one, and a lone image stands for itself.
   */
  readonly attestations?: "index" | "referrers" | "none";
}

export interface CopyEvent {
  readonly kind: "blob" | "manifest" | "referrer";
  readonly digest: Digest;
  /** "copying" comes often; the others once, at the end */
  readonly status: "copying" | "copied" | "exists" | "mounted" | "written";
  readonly currentBytes: number;
  readonly sizeBytes: number;
}

export interface ManifestAnnotations {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly osVersion?: string;
  /** added to those that are there */
  readonly osFeatures?: readonly string[];
}

export interface ManifestInspection {
  /** `value` is a list's document, not one manifest's */
  readonly list: boolean;
  /** Docker's object, key for key */
  readonly value: object;
}

export interface PushedEntry {
  /** "host/name@sha256:…" */
  readonly ref: string;
  readonly digest: Digest;
}

export interface ManifestOptions {
  /** the registry may speak plain http, or have a certificate that nobody knows */
  readonly insecure?: boolean;
  readonly signal?: AbortSignal;
}

/** `docker manifest`: lists of images that registries have, kept in the store until they are pushed. */
export interface ManifestApi {
  /** Answers the list's full name. Fails with LIST_EXISTS (already_exists) unless `amend`. */
  create(list: string, images: readonly string[], options?: ManifestOptions & { readonly amend?: boolean }): Promise<string>;
  annotate(list: string, image: string, annotations: ManifestAnnotations): void;
  inspect(image: string, options?: ManifestOptions & { readonly list?: string; readonly verbose?: boolean }): Promise<ManifestInspection>;
  /** Copies what the list's repository lacks and pushes the list. Answers digests in Docker's order. Fails with NO_SUCH_MANIFEST (not_found). */
  push(
    list: string,
    options?: ManifestOptions & { readonly purge?: boolean },
  ): Promise<{ readonly manifests: readonly PushedEntry[]; readonly digest: Digest }>;
  remove(list: string): void;
}

export interface RemoteImage {
  /** "" where the name means an image, no index */
  readonly platform: string;
  /** the config as it is written */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface RemoteAttestation {
  /** of the image that it is about */
  readonly platform: string;
  /** "https://slsa.dev/provenance/v0.2", "https://spdx.dev/Document" */
  readonly predicateType: string;
  readonly predicate: unknown;
}

export interface RemoteInspection {
  readonly reference: Reference;
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly index: Index | undefined;
  readonly images: readonly RemoteImage[];
  readonly attestations: readonly RemoteAttestation[];
}

export interface CreateIndexOptions {
  readonly sources: readonly string[];
  /** names for the result; the first one's repository is where digests alone are looked for */
  readonly tags?: readonly string[];
  readonly preferIndex?: boolean;
  readonly platforms?: readonly string[];
  readonly annotations?: readonly string[];
  /** a vertex for each tag, with a line for each image that goes there */
  readonly onProgress?: ProgressSink;
  readonly signal?: AbortSignal;
}

export interface CopiedEntry {
  readonly digest: Digest;
  /** full names */
  readonly from: string;
  readonly to: string;
}

/** `docker buildx imagetools` */
export interface ImagetoolsApi {
  /** `details`: also configs and attestations of all its images */
  inspect(name: string, options?: { readonly details?: boolean; readonly signal?: AbortSignal }): Promise<RemoteInspection>;
  /** Pushes the document under each tag, after the images of other repositories that it names. Answers its descriptor. */
  create(options: CreateIndexOptions): Promise<{ readonly digest: Digest; readonly mediaType: string; readonly copied: readonly CopiedEntry[] }>;
  /** The document that `create` would push, as bytes. */
  preview(options: CreateIndexOptions): Promise<Uint8Array>;
}

export interface TransferApi {
  readonly imagetools: ImagetoolsApi;
  readonly manifests: ManifestApi;
  /**
   * Repositories by a word, "docker.io"'s without a host before it ("registry.example/word"). Filters are Docker's: is-official, is-automated, stars.
   * Fails with INVALID_FILTER and INVALID_LIMIT (invalid_argument), SEARCH_UNAVAILABLE (unavailable).
   */
  search(term: string, options?: { readonly limit?: number; readonly filters?: Filters; readonly signal?: AbortSignal }): Promise<readonly FoundRepository[]>;
  /** All tags of a registry's repository, in the registry's order. */
  tags(repository: string, options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
  /** A directory's entries; of anything else itself. Fails with FILE_NOT_FOUND (not_found). */
  listFiles(image: string, path: string, options?: LocationOptions & { readonly recursive?: boolean }): Promise<readonly FileEntry[]>;
  readFile(image: string, path: string, options?: LocationOptions): AsyncIterable<Uint8Array>;
  /** A tar archive of the path, its members below the path's last name. */
  archivePath(image: string, path: string, options?: LocationOptions & { readonly followLink?: boolean }): AsyncIterable<Uint8Array>;
  /** Writes the path to `destination` by the rules of Docker's cp. */
  copyPath(
    image: string,
    path: string,
    destination: string,
    options?: LocationOptions & { readonly followLink?: boolean; readonly keepOwners?: boolean },
  ): Promise<{ readonly path: string; readonly sizeBytes: number }>;
  /** From one place to another, digests unchanged; `digest` is that of what was copied. */
  copy(source: string, target: string, options?: CopyOptions): Task<{ readonly digest: Digest; readonly mediaType: string }, CopyEvent>;
  /** The other end of a push over ssh, on standard streams. */
  receive(input: AsyncIterable<Uint8Array>, answer: (line: string) => Promise<void>, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** What refers to a registry's image (a name, or a name with a digest): signatures, SBOMs. */
  referrers(image: string, options?: { readonly artifactType?: string; readonly signal?: AbortSignal }): Promise<readonly Descriptor[]>;
  /** Puts a manifest that names a subject into the repository. Fails with NO_SUBJECT (invalid_argument). */
  attach(repository: string, manifest: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<Descriptor>;
  /** What each layer of an image adds, changes and removes, and which bytes of it no container sees. */
  layers(image: string, options?: LocationOptions): Promise<LayersReport>;
  /** What `after` has that `before` has not, sorted by path. Without `before`: what the topmost layer of `after` changed. */
  diff(before: string | undefined, after: string, options?: LocationOptions): Promise<readonly FileChange[]>;
}
