/** What all checks share: where warnings go, and word expansion that never throws. */
import { SlipwayError } from "../base/errors.ts";
import type { Dockerfile, LineRange } from "./instruction.ts";
import type { IgnoreMatcher } from "./ignore.ts";
import type { RuleArguments, RuleName } from "./rules.ts";
import { findSuggestion } from "./suggest.ts";
import { expandWords, type ExpandedWords, type VariableLookup } from "./word.ts";

export interface CheckOptions {
  /** --build-arg values; BUILDKIT_DOCKERFILE_CHECK replaces the file's `# check=` */
  readonly buildArgs?: ReadonlyMap<string, string> | undefined;
  /** the context's ignore rules, for CopyIgnoredFile */
  readonly ignore?: IgnoreMatcher | undefined;
  /** values of TARGETPLATFORM, BUILDPLATFORM …; default: linux on this machine's architecture */
  readonly platformArgs?: ReadonlyMap<string, string> | undefined;
  /** the names in an external base image's Env, so that they count as defined; undefined when not known: then UndefinedVar keeps quiet */
  readonly baseVariables?: ((image: string) => Iterable<string> | undefined) | undefined;
  /** stages whose instructions are looked at, by index; default all */
  readonly reachable?: ReadonlySet<number> | undefined;
}

export type Report = <Name extends RuleName>(name: Name, lines: LineRange, ...args: RuleArguments<Name>) => void;

export interface CheckContext {
  readonly dockerfile: Dockerfile;
  readonly options: CheckOptions;
  readonly report: Report;
  /** "did you mean", for the first hundred names only: a hostile file has thousands of each */
  readonly suggest: (name: string, options: Iterable<string>) => string | undefined;
}

const maximumSuggestions = 100;

export function createCheckContext(dockerfile: Dockerfile, options: CheckOptions, report: Report): CheckContext {
  let suggestions = 0;
  const suggest: CheckContext["suggest"] = (name, known) => (suggestions++ < maximumSuggestions ? findSuggestion(name, known) : undefined);
  return { dockerfile, options, report, suggest };
}

/** undefined for a word that cannot be expanded: the build itself will say so. */
export function tryExpand(
  context: CheckContext,
  word: string,
  variables: VariableLookup,
  options: { readonly heredoc?: boolean } = {},
): ExpandedWords | undefined {
  const heredoc = options.heredoc === true;
  try {
    return expandWords(word, variables, { escape: heredoc ? "\\" : context.dockerfile.directives.escape, skipQuotes: heredoc });
  } catch (error) {
    if (error instanceof SlipwayError) return undefined;
    throw error;
  }
}
