/** What lowering takes and gives: a pure function of the Dockerfile, the options and the resolved base images. */
import type { Digest } from "../oci/digest.ts";
import type { ContainerConfig, HistoryEntry, ImageConfig } from "../oci/image-config.ts";
import type { Platform } from "../oci/platform.ts";
import type { Dockerfile, LineRange } from "../dockerfile/instruction.ts";
import type { Vertex } from "./vertex.ts";

export interface ResolvedImage {
  /** full name, with the digest it was found at where there is one: shown behind FROM */
  readonly reference: string;
  /** of its config: what an image without a registry's digest is known by */
  readonly id?: Digest;
  readonly config: ImageConfig;
  readonly chain: readonly Digest[];
  readonly platform: Platform;
}

export type NamedContext =
  | { readonly kind: "local" }
  /** a reference that replaces the name */
  | { readonly kind: "image"; readonly reference: string }
  /** an image that is here already, from an OCI layout */
  | { readonly kind: "resolved"; readonly image: ResolvedImage }
  | { readonly kind: "git" | "http"; readonly url: string };

export interface LowerOptions {
  readonly dockerfile: Dockerfile;
  /** tells one project's steps from another's when misses are explained */
  readonly contextId: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** undefined: the last stage */
  readonly target: string | undefined;
  /** also the stages that the target does not need, for what they are warned of */
  readonly allStages?: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  /** the caller named the target platform: the image gets it, whatever its base is for */
  readonly platformGiven: boolean;
  /** true: prefix steps with the platform, as in builds for several */
  readonly showPlatform: boolean;
  readonly network: "default" | "none" | "host";
  readonly extraHosts: readonly string[];
  readonly shmSizeBytes: number | undefined;
  readonly ulimits: readonly string[];
  /** RUN's commands see SOURCE_DATE_EPOCH without ARG */
  readonly epochInRun?: boolean;
  readonly noCache: boolean | ReadonlySet<string>;
  readonly namedContexts: ReadonlyMap<string, NamedContext>;
  /** images by imageKey(reference, platform) */
  readonly images: ReadonlyMap<string, ResolvedImage>;
}

export interface ImageNeed {
  readonly reference: string;
  /** as the Dockerfile has it: messages begin with it; undefined: the command line names it */
  readonly written: string | undefined;
  readonly platform: Platform;
  /** the instruction that asks for it, where Docker's messages name it */
  readonly lines: LineRange | undefined;
  /** the same, always */
  readonly place: LineRange;
  /** names of the Dockerfile's stages: one of them may have been meant */
  readonly stages: readonly string[];
}

/** A history line that is still to get its time; with a vertex, it stands for that vertex's layer. */
export interface DraftHistory {
  readonly entry: HistoryEntry;
  readonly vertex: Vertex | undefined;
}

export interface DraftImage {
  readonly platform: Platform;
  readonly author: string | undefined;
  readonly config: ContainerConfig;
  /** of the base image, unchanged */
  readonly baseHistory: readonly HistoryEntry[];
  readonly history: readonly DraftHistory[];
}

export type Lowering =
  | { readonly kind: "need"; readonly images: readonly ImageNeed[] }
  | {
      readonly kind: "done";
      /** undefined: nothing was added to scratch */
      readonly root: Vertex | undefined;
      /** what each stage that was looked at comes to */
      readonly stages: readonly Vertex[];
      readonly image: DraftImage;
      /** layers of the base that root stands on: what squash keeps */
      readonly baseChain: readonly Digest[];
      /** SOURCE_DATE_EPOCH, seconds */
      readonly epoch: number | undefined;
      /** what a bill of the build lists besides the result: stages by name, and "context" */
      readonly scanned: readonly { readonly name: string; readonly root: Vertex | undefined }[];
      /** indexes of the stages that the target needs */
      readonly reachable: ReadonlySet<number>;
    };

export function imageKey(reference: string, platform: Platform): string {
  return `${platform.os}/${platform.architecture}/${platform.variant ?? ""} ${reference}`;
}
