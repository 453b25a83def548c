/** The library's calls that move images between the store and registries. */
import type { Digest } from "../oci/digest.ts";
import type { Credential, DeviceLoginOptions, KeptIn } from "../registry/index.ts";
import type { Task } from "./api.ts";

/** Docker's pull and push lines: `id` is a layer's short id, absent on lines about the whole. */
export interface PullEvent {
  readonly id?: string;
  readonly status: string;
  readonly current?: number;
  readonly total?: number;
}

/** How layers are compressed on their way to a registry. */
export interface LayerCompression {
  readonly type: "gzip" | "zstd" | "estargz" | "uncompressed";
  /** 1 to 9 for gzip and estargz, 1 to 22 for zstd; the type's own when absent */
  readonly level?: number;
  /** layers that are compressed in another way too, as those of a base may be */
  readonly force: boolean;
}

export interface RegistryApi {
  /** `allPlatforms`: every image of an index, with its attestations. `reference` in full, `status` Docker's "Downloaded newer image for …" / "Image is up to date for …" line. */
  pull(
    reference: string,
    options?: { readonly platform?: string; readonly allTags?: boolean; readonly allPlatforms?: boolean; readonly signal?: AbortSignal },
  ): Task<{ readonly reference: string; readonly id: Digest; readonly digest: Digest; readonly status: string }, PullEvent>;
  /**
   * Sends an image under its name; what was pulled goes byte for byte. `allTags`: every tag of the repository that is here. `reference` in
   * full; of several tags the repository, and the last one's digest. `partOf`: the index that the name stands for here, where not all of
   * its images are here, so that what was pushed is another document.
   */
  push(
    reference: string,
    options?: {
      readonly platform?: string;
      readonly allTags?: boolean;
      readonly compression?: LayerCompression;
      /** also layers that are not to be distributed; daemon.json names registries that get them always */
      readonly nondistributable?: boolean;
      readonly signal?: AbortSignal;
    },
  ): Task<{ readonly reference: string; readonly digest: Digest; readonly sizeBytes: number; readonly partOf?: Digest }, PullEvent>;
}

/** `host` as in a reference: "docker.io", "registry.example:5000". */
export interface AccountApi {
  /** What the machine's files and helpers say; undefined where nothing is known. */
  known(host: string): Promise<Credential | undefined>;
  /**
   * Asks the registry, and keeps the credential where the user's config file says. Fails with LOGIN_REFUSED (unauthenticated),
   * CREDENTIAL_HELPER_FAILED and CREDENTIAL_FILE.
   */
  login(host: string, credential: Credential, options?: { readonly signal?: AbortSignal }): Promise<KeptIn>;
  /**
   * Docker Hub's sign-in by the browser: `onCode` hears which code to show and which address to open. Fails with HUB_LOGIN_UNAVAILABLE
   * (unavailable) where that is not to be had, with HUB_LOGIN_FAILED (unauthenticated), and as `login` does.
   */
  loginByDevice(options: DeviceLoginOptions): Promise<KeptIn>;
  /** Whether there was something to forget. */
  logout(host: string): Promise<boolean>;
}
