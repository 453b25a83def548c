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
  /** an external base image by what FROM and its --platform say once expanded, so that its variables count as defined; undefined when not known: then UndefinedVar keeps quiet */
  readonly baseImage?: ((image: string, platform: string | undefined) => BaseImage | undefined) | undefined;
  /** a directory `…/node_modules` that is part of the context, for NestedNodeModules; asked for when needed */
  readonly nestedNodeModules?: (() => string | undefined) | undefined;
  /** the `.git` that is part of the context, for RepositoryCopied; asked for when needed */
  readonly repository?: (() => string | undefined) | undefined;
  /** stages whose instructions are looked at, by index; default all */
  readonly reachable?: ReadonlySet<number> | undefined;
  /** where the build fails; default: it gets to the end of the file */
  readonly failure?: BuildFailure | undefined;
}

export interface BaseImage {
  readonly variables: Iterable<readonly [name: string, value: string]>;
  /** ONBUILD instructions, as text */
  readonly triggers: readonly string[];
  /** where it is for another platform than the stage */
  readonly mismatch?: { readonly actual: string; readonly expected: string } | undefined;
}

/** Docker warns while it works, so that nothing is said of what comes after a failure. */
export type BuildFailure =
  /** the file does not parse: see parsePrefix() */
  | { readonly during: "parsing" }
  /** a FROM fails (`platform`: its --platform), or what all stages together need; no instruction is looked at */
  | { readonly during: "stages"; readonly lines: LineRange | undefined; readonly platform?: boolean }
  /** `trigger`: which one of those that the FROM on these lines brings, from 0 */
  | { readonly during: "instruction"; readonly lines: LineRange; readonly trigger?: number | undefined };

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

/** A word that cannot be expanded: the build itself will say so. `unmatched`: variables without value that it used before its fault. */
export class UnexpandableWord extends Error {
  readonly unmatched: readonly string[];

  constructor(unmatched: readonly string[]) {
    super("unexpandable word");
    this.unmatched = unmatched;
  }
}

/** undefined for a word that cannot be expanded. */
export function tryExpand(
  context: Pick<CheckContext, "dockerfile">,
  word: string,
  variables: VariableLookup,
  options: { readonly heredoc?: boolean } = {},
): ExpandedWords | undefined {
  try {
    return expandOrStop(context, word, variables, options);
  } catch (error) {
    if (error instanceof UnexpandableWord) return undefined;
    throw error;
  }
}

/** Throws UnexpandableWord. */
export function expandOrStop(
  context: Pick<CheckContext, "dockerfile">,
  word: string,
  variables: VariableLookup,
  options: { readonly heredoc?: boolean } = {},
): ExpandedWords {
  const heredoc = options.heredoc === true;
  try {
    return expandWords(word, variables, { escape: heredoc ? "\\" : context.dockerfile.directives.escape, skipQuotes: heredoc });
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    const { unmatched } = error.details;
    throw new UnexpandableWord(Array.isArray(unmatched) ? unmatched.map(String) : []);
  }
}
