/** The Dockerfile as text, syntax tree and warnings, ready for lowering. */
import { SlipwayError } from "../../base/errors.ts";
import { assertChecks, checkDockerfile, type BaseImage, type BuildFailure } from "../../dockerfile/checks.ts";
import { createIgnoreMatcher, parseIgnore, type IgnoreMatcher } from "../../dockerfile/ignore.ts";
import type { Dockerfile } from "../../dockerfile/instruction.ts";
import { parseDockerfile, parsePrefix } from "../../dockerfile/parse.ts";
import type { BuildWarning } from "../api.ts";
import { buildWarningFrom, linesOf, withExcerpt, type DockerfileText } from "./diagnostics.ts";
import type { LoadedDockerfile } from "./load-dockerfile.ts";

export interface ParsedBuild {
  readonly dockerfile: Dockerfile;
  readonly source: DockerfileText;
  readonly ignore: IgnoreMatcher | undefined;
  /** the ignore file's patterns, as it has them */
  readonly excluded?: readonly string[];
}

/** `shownAs`: the Dockerfile's name above excerpts. Fails with DOCKERFILE_PARSE and an excerpt. */
export function parseBuild(loaded: LoadedDockerfile, shownAs = loaded.name, ignoresCheck = false): ParsedBuild {
  const source = { name: shownAs, text: loaded.text.toString() };
  try {
    const dockerfile = parseDockerfile(loaded.text, { fileName: loaded.name, ignoresCheck, syntax: loaded.syntax });
    const patterns = loaded.ignoreText === undefined ? [] : parseIgnore(loaded.ignoreText);
    const excluded = patterns.map(({ pattern }) => pattern);
    return { dockerfile, source, ignore: patterns.length === 0 ? undefined : createIgnoreMatcher(patterns), excluded };
  } catch (error) {
    throw withExcerpt(error, source);
  }
}

/** What stands in a file that does not parse before its fault is warned of all the same. */
export function lintUnparsed(loaded: LoadedDockerfile, buildArgs: ReadonlyMap<string, string>, shownAs = loaded.name): readonly BuildWarning[] {
  const dockerfile = parsePrefix(loaded.text);
  if (dockerfile === undefined) return [];
  return lintBuild({ dockerfile, source: { name: shownAs, text: loaded.text.toString() }, ignore: undefined }, { buildArgs, failure: { during: "parsing" } });
}

const betweenStages: ReadonlySet<string> = new Set(["STAGE_CYCLE", "INVALID_STAGE_INDEX", "TARGET_NOT_FOUND"]);

/** How far lowering got when it failed. */
export function failureOf(error: unknown, { dockerfile }: ParsedBuild): BuildFailure {
  const lines = error instanceof SlipwayError ? linesOf(error) : undefined;
  if (!(error instanceof SlipwayError) || lines === undefined || betweenStages.has(error.code)) return { during: "stages", lines: undefined };
  const { trigger, metadataOf, imageName } = error.details;
  // images are looked for when every FROM has been read
  if (metadataOf !== undefined || imageName !== undefined) return { during: "stages", lines: undefined };
  const isFrom = trigger === undefined && dockerfile.stages.some(({ from }) => from.lines.start === lines.start);
  if (isFrom) return { during: "stages", lines, platform: error.code === "INVALID_PLATFORM" };
  return { during: "instruction", lines, trigger: typeof trigger === "number" ? trigger : undefined };
}

/** What lowering learned that makes the rules sharper. */
export interface LintContext {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly reachable?: ReadonlySet<number>;
  /** TARGETPLATFORM and its like */
  readonly platformArgs?: ReadonlyMap<string, string>;
  /** an external base by its name and its own platform, undefined when it was not looked at */
  readonly baseImage?: (image: string, platform: string | undefined) => BaseImage | undefined;
  readonly failure?: BuildFailure;
  readonly nestedNodeModules?: () => string | undefined;
  readonly repository?: () => string | undefined;
}

export function lintBuild({ dockerfile, source, ignore }: ParsedBuild, context: LintContext): readonly BuildWarning[] {
  return checkDockerfile(dockerfile, { ...context, ignore }).map((warning) => buildWarningFrom(warning, source));
}

/** `# check=error=true`: fails with CHECK_FAILED. */
export function failOnWarnings({ dockerfile, ignore }: ParsedBuild, context: LintContext): void {
  const options = { ...context, ignore };
  assertChecks(dockerfile, checkDockerfile(dockerfile, options), options);
}
