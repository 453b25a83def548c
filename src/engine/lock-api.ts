/** The library's words for locks. */
import type { BuildOptions, DockerfileSource } from "./api.ts";
import type { LockChange } from "./lock/lock-file.ts";

export interface LockOptions extends Pick<
  BuildOptions,
  "context" | "buildArgs" | "buildContexts" | "target" | "platforms" | "pull" | "lockFile" | "attestations" | "signal"
> {
  /** default: `Dockerfile` in the context; several share one lock */
  readonly dockerfiles?: readonly DockerfileSource[];
  /** true: ask again what everything is; or only what has these names, as the Dockerfile has them */
  readonly update?: boolean | readonly string[];
  /** entries that the Dockerfiles do not need with these build args stay */
  readonly keep?: boolean;
  /** leave out what `# syntax=` names, for which no image is needed here; default: as the lock has it */
  readonly builtinSyntax?: boolean;
  /** nothing is written */
  readonly check?: boolean;
}

export interface LockResult {
  readonly path: string;
  /** entries that stayed too */
  readonly changes: readonly LockChange[];
  /** the lock had everything, and nothing else */
  readonly isCurrent: boolean;
  readonly isWritten: boolean;
}
