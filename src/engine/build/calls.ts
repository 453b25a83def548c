/** What `build --call` asks of a Dockerfile: warnings, the parameters of a target, the targets. Nothing is built. */
import { asSlipwayError } from "../../base/errors.ts";
import { listTargets, outlineTarget } from "../../dockerfile/outline.ts";
import type { ResolvedImage } from "../../graph/lowering.ts";
import type { Platform } from "../../oci/platform.ts";
import type { CallOptions, CheckResult, OutlineResult, TargetsResult } from "../api.ts";
import { definitionStep, emitWarnings, openBuild, reportIgnoreFile, type BuildSurroundings } from "./build-image.ts";
import { linesOf, withExcerpt, type FurtherFault } from "./diagnostics.ts";
import { failOnWarnings, failureOf, lintBuild, lintUnparsed, parseBuild, type LintContext, type ParsedBuild } from "./lint.ts";
import type { LoadedDockerfile } from "./load-dockerfile.ts";
import type { OpenedContext } from "./open-context.ts";
import { lintContextOf, lowerBuild } from "./lower-build.ts";
import { unwantedFiles } from "./unwanted-files.ts";
import { targetPlatforms } from "./target-platforms.ts";

interface OpenedCall {
  readonly context: OpenedContext;
  readonly loaded: LoadedDockerfile;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
}

async function openCall(options: CallOptions, surroundings: BuildSurroundings): Promise<OpenedCall> {
  const signal = options.signal ?? new AbortController().signal;
  return { ...(await openBuild(options, surroundings, signal)), buildArgs: new Map(Object.entries(options.buildArgs ?? {})), signal };
}

/** `--call=check`. What would fail the build is part of the result; only what keeps it from starting is thrown. */
export async function checkBuild(options: CallOptions, surroundings: BuildSurroundings): Promise<CheckResult> {
  const opened = await openCall(options, surroundings);
  const { loaded, buildArgs, signal } = opened;
  const source = { fileName: loaded.name, text: loaded.text };
  let parsed: ParsedBuild;
  try {
    parsed = parseBuild(loaded, options.shownAs);
  } catch (error) {
    return { warnings: lintUnparsed(loaded, buildArgs, options.shownAs), error: checkError(error), source };
  }
  // without a target all stages count; the platform does not, as for Docker
  const lowered = await lowerDry({ ...options, platforms: [] }, surroundings, { ...opened, parsed, allStages: (options.target ?? "") === "" });
  signal.throwIfAborted();
  const warnings = lintBuild(parsed, lowered.lint);
  if ("error" in lowered) return { warnings, error: checkError(withExcerpt(lowered.error, parsed.source)), source };
  try {
    failOnWarnings(parsed, lowered.lint);
    return { warnings, error: undefined, source };
  } catch (error) {
    return { warnings, error: checkError(error), source };
  }
}

function checkError(error: unknown): CheckResult["error"] {
  const failure = asSlipwayError(error);
  const excerpt = failure.details["excerpt"];
  const also = failure.details["also"];
  return {
    message: failure.message,
    lines: linesOf(failure),
    excerpt: typeof excerpt === "string" ? excerpt : "",
    // as withExcerpt() has made them
    also: Array.isArray(also) ? (also as readonly FurtherFault[]) : [],
  };
}

/** `--call=outline`. Fails as the build would. */
export async function outlineBuild(options: CallOptions, surroundings: BuildSurroundings): Promise<OutlineResult> {
  const opened = await openCall(options, surroundings);
  const { loaded, buildArgs, signal } = opened;
  const { onProgress } = surroundings;
  let parsed: ParsedBuild;
  try {
    parsed = parseBuild(loaded, options.shownAs);
  } catch (error) {
    emitWarnings(onProgress, definitionStep(options), lintUnparsed(loaded, buildArgs, options.shownAs));
    throw error;
  }
  const lowered = await lowerDry(options, surroundings, { ...opened, parsed, allStages: false });
  signal.throwIfAborted();
  emitWarnings(onProgress, definitionStep(options), lintBuild(parsed, lowered.lint));
  if ("error" in lowered) throw withExcerpt(lowered.error, parsed.source);
  failOnWarnings(parsed, lowered.lint);
  const { stages } = parsed.dockerfile;
  const wanted = (options.target ?? "").toLowerCase();
  const target = wanted === "" ? stages.length - 1 : stages.findLastIndex(({ name }) => name === wanted);
  return { ...outlineTarget(parsed.dockerfile, target, lowered.lint), source: { fileName: loaded.name, text: loaded.text } };
}

/** `--call=targets`. Fails with DOCKERFILE_PARSE, but not for a `# check=` that cannot be read: as for Docker, nothing is checked. */
export async function targetsOfBuild(options: CallOptions, surroundings: BuildSurroundings): Promise<TargetsResult> {
  const { loaded } = await openCall(options, surroundings);
  return { targets: listTargets(parseBuild(loaded, options.shownAs, true).dockerfile), source: { fileName: loaded.name, text: loaded.text } };
}

interface DryInput extends OpenedCall {
  readonly parsed: ParsedBuild;
  readonly allStages: boolean;
}

/** Lowers with the bases' configs alone, to learn what the checks have to know; of several platforms for the first. */
async function lowerDry(
  options: CallOptions,
  surroundings: BuildSurroundings,
  { parsed, context, signal, allStages }: DryInput,
): Promise<{ readonly lint: LintContext } | { readonly lint: LintContext; readonly error: unknown }> {
  const { platforms: all, ...targets } = targetPlatforms({ platforms: options.platforms ?? [] });
  const platform = all[0] as Platform;
  const images = new Map<string, ResolvedImage>();
  const known = lintContextOf(options, parsed, platform, images);
  const resolver = { ...surroundings, signal };
  try {
    const [lowered] = await lowerBuild(options, {
      contextId: context.id,
      parsed,
      targets: { ...targets, platforms: [platform], several: false },
      images,
      resolver,
      dryRun: { allStages },
    });
    await reportIgnoreFile(surroundings.onProgress, context);
    return { lint: { ...known, ...lowered?.lint, ...unwantedFiles(context, parsed.ignore) } };
  } catch (error) {
    return { lint: { ...known, failure: failureOf(error, parsed) }, error };
  }
}
