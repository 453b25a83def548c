/**
 * The public library: every use case as a typed call. Long work returns a `Task`: an AsyncIterable of progress with the
 * result beside it; `AbortSignal` cancels it and everything below it, and what had finished stays in the store.
 */
import type { AttestationOptions, AttestedImage } from "./attestation-api.ts";
import type { LockOptions, LockResult } from "./lock-api.ts";
import type { ErrorKind } from "../base/errors.ts";
import type { ProgressEvent } from "../base/progress.ts";
import type { Digest } from "../oci/digest.ts";
import type { ContainerConfig } from "../oci/image-config.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { CacheSource, CacheTarget } from "./build/cache/cache-api.ts";
import type { ContainerApi } from "./container-api.ts";
import type { BuilderApi } from "./builder-api.ts";
import type { DebugApi } from "./debug-api.ts";
import type { AccountApi, RegistryApi } from "./registry-api.ts";
import type { PackagesApi } from "./packages-api.ts";
import type { SystemApi } from "./system-api.ts";
import type { TransferApi } from "./transfer-api.ts";
import type { PolicyApi, PolicySettings } from "./policy-api.ts";
import type { TwiceOptions, TwiceResult } from "./twice-api.ts";
import type { NetworkApi } from "./networks-api.ts";
import type { VolumeApi } from "./volumes-api.ts";
import type { TrustApi } from "./trust-api.ts";

/**
 * Iterate for progress, await `result` for the outcome. Not iterating is fine: events are dropped, the work goes on.
 * A failure rejects `result` and ends the iteration without throwing there.
 */
export interface Task<Result, Event = ProgressEvent> extends AsyncIterable<Event> {
  readonly result: Promise<Result>;
}

/* ---- build ---- */

export type BuildContext =
  /** a directory on this machine */
  | { readonly kind: "directory"; readonly path: string }
  /** a tar stream (plain, gzip, bzip2, xz, zstd), or the bytes of a lone Dockerfile: told apart by content, as `docker build -` does */
  | { readonly kind: "stream"; readonly source: AsyncIterable<Uint8Array> }
  /** git URL with `#ref:dir`, or http(s) URL of a tar or Dockerfile */
  | { readonly kind: "url"; readonly url: string };

export type DockerfileSource =
  /** relative to the context directory when not absolute; may lie outside the context */
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "text"; readonly text: string }
  /** fetched with http(s) */
  | { readonly kind: "url"; readonly url: string };

export interface SecretSource {
  readonly id: string;
  /** exactly one of the three */
  readonly file?: string;
  readonly env?: string;
  /** the value itself, or a callback asked when a step first needs it */
  readonly value?: string | Uint8Array | (() => Promise<string | Uint8Array>);
}

export interface SshSource {
  /** "default" or an id */
  readonly id: string;
  /** agent socket or key files; empty: SSH_AUTH_SOCK */
  readonly paths: readonly string[];
}

export type BuildOutput =
  /** keeps the image in the store (default) */
  | { readonly type: "image"; readonly attributes: Readonly<Record<string, string>> }
  /** docker-archive / OCI layout as a tar file, or a directory for oci with tar=false; dest "-" is standard output */
  | { readonly type: "docker" | "oci"; readonly dest: string | undefined; readonly attributes: Readonly<Record<string, string>> }
  /** `platformSplit`: a directory for each platform (`linux_arm64/`); default where several were asked for */
  | { readonly type: "tar" | "local"; readonly dest: string; readonly platformSplit?: boolean; readonly attestationPrefix?: string }
  | { readonly type: "registry"; readonly attributes: Readonly<Record<string, string>> }
  | { readonly type: "cacheonly" };

export interface BuildOptions extends AttestationOptions {
  readonly context: BuildContext;
  /** default: `Dockerfile` in the context */
  readonly dockerfile?: DockerfileSource;
  /** image names; each is parsed and completed as Docker does */
  readonly tags?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly noCache?: boolean;
  /** caches of elsewhere that steps may be taken from */
  readonly cacheFrom?: readonly CacheSource[];
  /** where the build's steps are written for others, when it is done */
  readonly cacheTo?: readonly CacheTarget[];
  /** stage names whose steps run again */
  readonly noCacheFilter?: readonly string[];
  /** ask the registry for newer bases */
  readonly pull?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  /** `[type:]key=value` as on the command line */
  readonly annotations?: readonly string[];
  /**
   * `linux/arm64`, "local"; commas separate several. More than one builds each in one solve and makes an index: one image id, one name.
   * Default: this machine's.
   */
  readonly platforms?: readonly string[];
  readonly secrets?: readonly SecretSource[];
  readonly ssh?: readonly SshSource[];
  /** name → directory, `docker-image://ref`, `oci-layout://dir[@digest]`, git or http URL, `target:` is not accepted here */
  readonly buildContexts?: Readonly<Record<string, string>>;
  /** `host:ip`, `host=ip`, `host-gateway` */
  readonly addHosts?: readonly string[];
  readonly network?: "default" | "none" | "host";
  readonly shmSizeBytes?: number;
  /** `nofile=1024:2048` */
  readonly ulimits?: readonly string[];
  readonly outputs?: readonly BuildOutput[];
  /** "own" or true: one layer for what this Dockerfile adds; the base's layers stay as they are, digests included */
  readonly squash?: boolean | "own";
  /** entitlements: network.host, security.insecure */
  readonly allow?: readonly string[];
  /** how many steps of this store that failed or were interrupted stay to be looked at, the newest; default SLIPWAY_KEEP_FAILED, else 5 */
  readonly keepFailed?: number;
  /**
   * One commit, one image. Default: in a checkout, for what is as the commit has it, by the times of last changes. true: all files, at
   * SOURCE_DATE_EPOCH, which is the commit's time unless it is given. false: files have the times and modes that they lie there with.
   */
  readonly reproducible?: boolean;
  /** everything remote is what the lock says, and nothing else is: see `lock` */
  readonly frozen?: boolean;
  /** default: `slipway.lock` beside the Dockerfile, else in the context */
  readonly lockFile?: string;
  /** receives the bytes of an output with dest "-" */
  readonly stdout?: (chunk: Uint8Array) => Promise<void>;
  readonly signal?: AbortSignal;
}

export type { AttestationOptions, AttestedImage, BuildAttestation } from "./attestation-api.ts";
export type { LockChange } from "./lock/lock-file.ts";

export interface BuildResult {
  /** undefined for outputs that make no image; of several platforms the index's */
  readonly imageId: Digest | undefined;
  /** of an archive: the manifest or index in it */
  readonly manifest: Descriptor | undefined;
  /** what is said of what was pushed */
  readonly attested?: readonly AttestedImage[];
  readonly tags: readonly string[];
  /** what `--metadata-file` holds */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly warnings: readonly BuildWarning[];
}

export interface BuildWarning {
  readonly rule: string;
  /** a rule that Docker does not have: it fails no build and changes no exit code */
  readonly isOwn: boolean;
  readonly message: string;
  readonly description: string;
  readonly url: string;
  readonly line: number | undefined;
  /** 1-based and inclusive */
  readonly lines: Lines | undefined;
  /** the marked excerpt */
  readonly excerpt: string;
}

export interface Lines {
  readonly start: number;
  readonly end: number;
}

/** What is asked of a Dockerfile without building it. */
export interface CallOptions extends BuildOptions {
  /** the Dockerfile's name above excerpts; default as for builds */
  readonly shownAs?: string;
}

export interface DockerfileContent {
  readonly fileName: string;
  readonly text: Uint8Array;
}

export interface CheckError {
  readonly message: string;
  readonly lines: Lines | undefined;
  readonly excerpt: string;
  /** what else is wrong with the file, further down */
  readonly also: readonly { readonly message: string; readonly excerpt: string }[];
}

export interface CheckResult {
  readonly warnings: readonly BuildWarning[];
  /** why a build would fail before its first step, also when `# check=error=true` makes the warnings fail it */
  readonly error: CheckError | undefined;
  readonly source: DockerfileContent;
}

/** What a target takes. */
export interface OutlineResult {
  /** "" for a stage without name */
  readonly name: string;
  readonly description: string;
  readonly args: readonly { readonly name: string; readonly description: string; readonly value: string | undefined; readonly lines: Lines }[];
  readonly secrets: readonly { readonly name: string; readonly required: boolean; readonly lines: Lines }[];
  readonly ssh: readonly { readonly name: string; readonly required: boolean; readonly lines: Lines }[];
  readonly source: DockerfileContent;
}

export interface TargetsResult {
  readonly targets: readonly {
    /** "" for a stage without name */
    readonly name: string;
    readonly description: string;
    readonly isDefault: boolean;
    /** as written behind FROM */
    readonly base: string;
    readonly platform: string | undefined;
    readonly lines: Lines;
  }[];
  readonly source: DockerfileContent;
}

/* ---- images ---- */

export type Filters = Readonly<Record<string, readonly string[]>>;

/** One platform's image of an index, or a lone image. */
export interface ImageVariant {
  /** `os/arch[/variant]` */
  readonly platform: string;
  readonly id: Digest;
  readonly createdSeconds: number;
  /** bytes of the unpacked layers */
  readonly sizeBytes: number;
  readonly containers: number;
  readonly layers: readonly { readonly diffId: Digest; readonly sizeBytes: number; readonly shared: boolean }[];
}

/** An image; or an index, whose facts are those of its image for this machine where the field does not say otherwise. */
export interface ImageSummary {
  readonly id: Digest;
  /** familiar names: "nginx:alpine", "localhost:5000/a:1" */
  readonly repoTags: readonly string[];
  /** "nginx@sha256:…" */
  readonly repoDigests: readonly string[];
  readonly parentId: string;
  /** seconds since the epoch */
  readonly createdSeconds: number;
  /** bytes of the unpacked layers, of all platforms together */
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  /** running or stopped containers made from it, of any platform */
  readonly containers: number;
  readonly platform: string;
  /** more than one for an index */
  readonly variants: readonly ImageVariant[];
  /** an image without a name that no other image needs */
  readonly dangling: boolean;
  /** of all platforms, each once; `shared`: other images have it too */
  readonly layers: readonly { readonly diffId: Digest; readonly sizeBytes: number; readonly shared: boolean }[];
}

/** Docker's `image inspect` object, key for key. */
export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created: string;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: ContainerConfig;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly Size: number;
  readonly GraphDriver: { readonly Data: Readonly<Record<string, string>> | null; readonly Name: string };
  readonly RootFS: { readonly Type: "layers"; readonly Layers: readonly string[] | null };
  readonly Metadata: { readonly LastTagTime: string };
}

export interface HistoryItem {
  /** image id for the newest entry, "<missing>" for the others, as Docker shows them */
  readonly id: string;
  /** of lines without a time the year 1, -62135596800 */
  readonly createdSeconds: number;
  readonly createdBy: string;
  readonly sizeBytes: number;
  readonly comment: string;
  readonly tags: readonly string[];
}

export type RemoveLine = { readonly untagged: string } | { readonly deleted: string };

export interface PruneResult {
  readonly removed: readonly RemoveLine[];
  readonly reclaimedBytes: number;
}

export interface ImageApi extends RegistryApi {
  list(options?: { readonly all?: boolean; readonly filters?: Filters; readonly reference?: string }): readonly ImageSummary[];
  /**
   * `ref` is a name, an id or a unique prefix of one; `platform` one of an index's platforms, else it is this machine's.
   * Fails with NO_SUCH_IMAGE, NO_MATCHING_PLATFORM (not_found), AMBIGUOUS_ID (invalid_argument).
   */
  inspect(ref: string, options?: { readonly platform?: string }): ImageInspect;
  tag(source: string, target: string): void;
  /**
   * Fails with IMAGE_IN_USE (conflict) in Docker's words. Lines come in Docker's order. `platforms`: only these of an index, which
   * keeps its names until its last image goes; needs `force`.
   */
  remove(ref: string, options?: { readonly force?: boolean; readonly noPrune?: boolean; readonly platforms?: readonly string[] }): readonly RemoveLine[];
  history(ref: string, options?: { readonly platform?: string }): readonly HistoryItem[];
  /** One tar that is a docker-archive and an OCI layout at once. */
  save(refs: readonly string[], options?: { readonly platform?: string; readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  /** `loaded`: familiar names, or ids of untagged images, in the archive's order. `platform`: of an index only that. */
  load(
    source: AsyncIterable<Uint8Array>,
    options?: { readonly platform?: string; readonly signal?: AbortSignal },
  ): Task<{ readonly loaded: readonly ({ readonly name: string } | { readonly id: Digest })[] }>;
  /** A root file system tar (any compression), here or behind http, becomes an image of one layer. `changes` are Dockerfile lines. */
  import(
    source: AsyncIterable<Uint8Array> | { readonly url: string },
    options?: {
      readonly reference?: string;
      readonly changes?: readonly string[];
      readonly message?: string;
      readonly platform?: string;
      readonly signal?: AbortSignal;
    },
  ): Promise<Digest>;
  prune(options?: { readonly all?: boolean; readonly filters?: Filters; readonly dryRun?: boolean }): Promise<PruneResult>;
}

export interface OpenOptions {
  /** store directory; default: SLIPWAY_ROOT, else /var/lib/slipway as root, else $XDG_DATA_HOME/slipway */
  readonly root?: string;
  /** which policy files count, and what they are overridden for */
  readonly policy?: PolicySettings;
}

export interface SlipwayApi {
  build(options: BuildOptions): Task<BuildResult>;
  /** `build --check`: lints without building; base images' configs are asked for, their layers are not */
  check(options: CallOptions): Task<CheckResult>;
  /** `build --call=outline`: the build arguments, secrets and SSH sockets that the target takes */
  outline(options: CallOptions): Task<OutlineResult>;
  lock(options: LockOptions): Task<LockResult>;
  /** Builds as ever, then from scratch as on another machine, and compares; no image stays. */
  buildTwice(options: TwiceOptions): Task<TwiceResult>;
  /** `build --call=targets`: the stages */
  targets(options: CallOptions): Task<TargetsResult>;
  readonly images: ImageApi;
  readonly containers: ContainerApi;
  readonly volumes: VolumeApi;
  readonly networks: NetworkApi;
  readonly system: SystemApi;
  readonly transfer: TransferApi;
  readonly accounts: AccountApi;
  readonly builders: BuilderApi;
  readonly packages: PackagesApi;
  readonly debug: DebugApi;
  readonly trust: TrustApi;
  readonly policy: PolicyApi;
  close(): Promise<void>;
}

export type { CacheExportSettings, CacheMountChoice, CacheSource, CacheTarget } from "./build/cache/cache-api.ts";
export type { ErrorKind };
export type * from "./container-api.ts";
export type * from "./lock-api.ts";
export type * from "./networks-api.ts";
export type * from "./volumes-api.ts";
export type * from "./system-api.ts";
export type * from "./transfer-api.ts";
export type * from "./builder-api.ts";
export type * from "./packages-api.ts";
export type * from "./debug-api.ts";
export type * from "./layers-api.ts";
export type * from "./trust-api.ts";
export type * from "./policy-api.ts";
export type * from "./twice-api.ts";
