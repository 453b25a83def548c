/** Caches that builds share: where they are read from and written to. */

export type CacheSource =
  | { readonly type: "registry"; readonly ref: string }
  /** a directory; the newest of its index unless a digest or a tag says which */
  | { readonly type: "local"; readonly src: string; readonly digest?: string; readonly tag?: string }
  /** a type that is not known here: it is told and left out, as a cache that cannot be read */
  | { readonly type: "unknown"; readonly name: string };

/** Which cache mounts of RUN go with the cache: all of the build's steps, or those of these ids. */
export type CacheMountChoice = "all" | readonly string[];

export interface CacheExportSettings {
  /** "min": the layers of the result; "max": those of all steps */
  readonly mode: "min" | "max";
  readonly compression: "gzip" | "zstd" | "uncompressed";
  readonly compressionLevel?: number;
  /** blobs that are compressed in another way too */
  readonly forceCompression: boolean;
  /** OCI's media types, else Docker's */
  readonly ociMediaTypes: boolean;
  /** an image manifest, which every registry takes, else an index */
  readonly imageManifest: boolean;
  readonly mounts: CacheMountChoice;
  /** a failed export is a warning */
  readonly ignoreError: boolean;
}

export type CacheTarget =
  | ({ readonly type: "registry"; readonly ref: string } & CacheExportSettings)
  | ({ readonly type: "local"; readonly dest: string; readonly tag: string } & CacheExportSettings)
  /** into the image's own config: whoever pulls the image has its cache */
  | { readonly type: "inline" };
