/** The Dockerfile as text, syntax tree and warnings, ready for lowering. */
import { assertChecks, checkDockerfile } from "../../dockerfile/checks.ts";
import { createIgnoreMatcher, parseIgnore, type IgnoreMatcher } from "../../dockerfile/ignore.ts";
import type { Dockerfile } from "../../dockerfile/instruction.ts";
import { parseDockerfile } from "../../dockerfile/parse.ts";
import type { BuildWarning } from "../api.ts";
import { buildWarningFrom, withExcerpt, type DockerfileText } from "./diagnostics.ts";
import type { LoadedDockerfile } from "./open-context.ts";

export interface ParsedBuild {
  readonly dockerfile: Dockerfile;
  readonly source: DockerfileText;
  readonly ignore: IgnoreMatcher | undefined;
}

/** Fails with DOCKERFILE_PARSE and an excerpt. */
export function parseBuild(loaded: LoadedDockerfile): ParsedBuild {
  const source = { name: loaded.name, text: loaded.text.toString() };
  try {
    const dockerfile = parseDockerfile(loaded.text, { fileName: loaded.name });
    const patterns = loaded.ignoreText === undefined ? [] : parseIgnore(loaded.ignoreText);
    return { dockerfile, source, ignore: patterns.length === 0 ? undefined : createIgnoreMatcher(patterns) };
  } catch (error) {
    throw withExcerpt(error, source);
  }
}

/** What lowering learned that makes the rules sharper; without it (`--check`) they keep quiet where they cannot know. */
export interface LintContext {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly reachable?: ReadonlySet<number>;
  /** variables of an external base by its name as written, undefined when it was not looked at */
  readonly baseVariables?: (image: string) => Iterable<string> | undefined;
}

export function lintBuild({ dockerfile, source, ignore }: ParsedBuild, context: LintContext): readonly BuildWarning[] {
  return checkDockerfile(dockerfile, { ...context, ...(ignore === undefined ? {} : { ignore }) }).map((warning) => buildWarningFrom(warning, source));
}

/** `# check=error=true`: fails with CHECK_FAILED. */
export function failOnWarnings({ dockerfile, ignore }: ParsedBuild, context: LintContext): void {
  const options = { ...context, ...(ignore === undefined ? {} : { ignore }) };
  assertChecks(dockerfile, checkDockerfile(dockerfile, options), options);
}
