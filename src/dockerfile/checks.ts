import type { IgnoreMatcher } from "./ignore.ts";
import type { Dockerfile, Warning } from "./instruction.ts";
export interface CheckOptions { readonly ignore?: IgnoreMatcher }
export function checkDockerfile(dockerfile: Dockerfile, options?: CheckOptions): readonly Warning[] { return options ? [] : dockerfile.warnings; }
