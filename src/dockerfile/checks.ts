import type { IgnoreMatcher } from "./ignore.ts";
import type { Dockerfile, Warning } from "./instruction.ts";

export interface CheckOptions {
  /** --build-arg values */
  readonly buildArgs?: ReadonlyMap<string, string>;
  /** the context's ignore rules, for CopyIgnoredFile */
  readonly ignore?: IgnoreMatcher;
  /** rules that are off by default and wanted, or "all" */
  readonly experimental?: readonly string[] | "all";
  /** TARGETPLATFORM, BUILDPLATFORM … as the build sets them */
  readonly platformArgs?: ReadonlyMap<string, string>;
  /** variables of an external base image by its expanded name, so that they count as defined */
  readonly baseEnv?: (image: string) => Iterable<string> | undefined;
}

/** BuildKit's lint rules, ordered by line. `# check=skip=…` is honoured. */
export function checkDockerfile(dockerfile: Dockerfile, options?: CheckOptions): readonly Warning[] {
  throw new Error(`not written yet ${dockerfile.stages.length} ${options?.experimental}`);
}
