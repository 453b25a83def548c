/** The build use case: context and Dockerfile in, graph solved, image or files out. Reads as its own table of contents. */
import { booleanFromText, goQuote } from "../../base/go-text.ts";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { ProgressSink } from "../../base/progress.ts";
import { parseCheckArgument } from "../../dockerfile/checks.ts";
import type { ResolvedImage } from "../../graph/lowering.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { parseUlimit } from "../../runtime/ulimit.ts";
import type { Solver } from "../../solver/solver.ts";
import type { Chain, Store } from "../../store/index.ts";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { PolicyGate } from "../policy-gate.ts";
import type { BuildOptions, BuildResult, BuildWarning } from "../api.ts";
import { parseTagName } from "../image-names.ts";
import type { BuildCaches } from "./cache/build-caches.ts";
import { openCaches } from "./cache/open-caches.ts";
import { parseAttestations, type AttestationRequests } from "../provenance/attestation-options.ts";
import { SourceRevisions, type BuildFacts } from "../provenance/build-facts.ts";
import type { BuildScans } from "../provenance/build-scans.ts";
import { withExcerpt } from "./diagnostics.ts";
import { exportResult } from "./export-result.ts";
import type { PlatformResult } from "./exportable.ts";
import { parseImageOutput } from "./image-output.ts";
import { failOnWarnings, failureOf, lintBuild, lintUnparsed, parseBuild, type LintContext, type ParsedBuild } from "./lint.ts";
import { lintContextOf, lowerBuild, type LoweredPlatform } from "./lower-build.ts";
import { dockerfileName, fetchDockerfile, loadDockerfile, type LoadedDockerfile } from "./load-dockerfile.ts";
import { openContext, remoteStepName, type OpenedContext } from "./open-context.ts";
import { runStepOf } from "./progress-steps.ts";
import { beforeKey, type SourcePins } from "./remote-inputs.ts";
import type { PinImage } from "./resolve-bases.ts";
import { checkSecrets } from "./step-secrets.ts";
import { settle, type Settling } from "./settling.ts";
import { unwantedFiles } from "./unwanted-files.ts";
import { withSolver } from "./with-solver.ts";
import { targetPlatforms, type TargetPlatforms } from "./target-platforms.ts";

export interface BuildSurroundings {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
  readonly onProgress: ProgressSink;
  readonly gate?: PolicyGate;
  /** where git knows the context's files, if not in the context */
  readonly checkout?: string | undefined;
}

/** Failures carry `details.excerpt` and `details.vertex` where they have a place. */
export async function buildImage(asked: BuildOptions, surroundings: BuildSurroundings): Promise<BuildResult> {
  const signal = asked.signal ?? new AbortController().signal;
  const startedMs = Date.now();
  const attestations = parseAttestations(asked.attestations ?? [], asked.noDefaultAttestations === true);
  const tags = (asked.tags ?? []).map(parseTagName);
  const targets = targetPlatforms(asked);
  for (const output of asked.outputs ?? []) if ("attributes" in output) parseImageOutput(output.attributes);
  for (const ulimit of asked.ulimits ?? []) parseUlimit(ulimit);
  checkSecrets(asked.secrets ?? []);
  const { context, loaded } = await openBuild(asked, surroundings, signal);
  const { options, settling } = await settle({
    options: asked,
    context,
    dockerfile: loaded.path,
    store: surroundings.store,
    signal,
    checkout: surroundings.checkout,
  });
  const parsed = parseWarning(loaded, options, surroundings);
  await using caches = await openCaches(options, surroundings, signal);
  for (let attempt = 1; ; attempt++) {
    try {
      return await buildOnce(options, surroundings, { context, settling, parsed, targets, tags, signal, caches, attestations, startedMs });
    } catch (error) {
      // Somebody pruned what the cache had just promised: what is gone is made again.
      if (!isSlipwayError(error, "LAYER_MISSING") || attempt === maxAttempts) throw withExcerpt(error, parsed.source);
    }
  }
}

const maxAttempts = 3;

interface OpenedBuild {
  readonly context: OpenedContext;
  readonly settling: Settling;
  readonly parsed: ParsedBuild;
  readonly targets: TargetPlatforms;
  readonly tags: readonly string[];
  readonly signal: AbortSignal;
  readonly caches: BuildCaches;
  readonly attestations: AttestationRequests;
  readonly startedMs: number;
}

async function buildOnce(options: BuildOptions, surroundings: BuildSurroundings, opened: OpenedBuild): Promise<BuildResult> {
  const { onProgress } = surroundings;
  const { context, parsed, targets, signal } = opened;
  const images = new Map<string, ResolvedImage>();
  const pins = options.frozen === true ? new (await import("../lock/frozen-build.ts")).FrozenBuild(options, context, parsed) : undefined;
  let platforms: readonly LoweredPlatform[];
  try {
    platforms = await lowerBuild(options, { contextId: context.id, parsed, targets, images, resolver: { ...surroundings, signal, pin: pins?.image } });
    pins?.check(platforms);
  } catch (error) {
    const failure = failureOf(error, parsed);
    if (!signal.aborted)
      for (const platform of targets.platforms)
        emitWarnings(onProgress, definitionStep(options), lintBuild(parsed, { ...lintContextOf(options, parsed, platform, images), failure }));
    throw error;
  }
  const unwanted = unwantedFiles(context, parsed.ignore);
  const warnings = warningsOf(
    parsed,
    platforms.map(({ lint }) => ({ ...lint, ...unwanted })),
  );
  emitWarnings(onProgress, definitionStep(options), warnings);
  for (const platform of targets.repeated) warnOfRepeated(onProgress, definitionStep(options), platform);
  for (const { lint } of platforms) failOnWarnings(parsed, { ...lint, ...unwanted });
  await reportIgnoreFile(onProgress, context);
  const scanning = await planScans(options, { ...surroundings, pin: pins?.image }, opened, platforms);
  return await solveAndExport(options, surroundings, { ...opened, platforms, warnings, pins, images, scanning, revisions: new SourceRevisions() });
}

/** The step is one that is over already. */
function warnOfRepeated(sink: ProgressSink, step: string, platform: string): void {
  sink({ type: "warning", vertex: digestOf(step), message: `Duplicate platform result requested ${goQuote(platform)}`, detail: [], url: "" });
}

/** What was found for one platform is not said again for the next. */
function warningsOf(parsed: ParsedBuild, lints: readonly LintContext[]): readonly BuildWarning[] {
  const keyOf = ({ rule, line, message }: BuildWarning): string => `${rule} ${line} ${message}`;
  const found: BuildWarning[] = [];
  for (const lint of lints) {
    const known = new Set(found.map(keyOf));
    found.push(...lintBuild(parsed, lint).filter((warning) => !known.has(keyOf(warning))));
  }
  return found;
}

/** Warns of what stands before the fault where the file does not parse. */
function parseWarning(loaded: LoadedDockerfile, options: BuildOptions, { onProgress }: BuildSurroundings): ParsedBuild {
  try {
    return parseBuild(loaded);
  } catch (error) {
    emitWarnings(onProgress, definitionStep(options), lintUnparsed(loaded, new Map(Object.entries(options.buildArgs ?? {}))));
    throw error;
  }
}

export async function openBuild(
  options: BuildOptions,
  { store, onProgress }: BuildSurroundings,
  signal: AbortSignal,
): Promise<{ readonly context: OpenedContext; readonly loaded: LoadedDockerfile }> {
  parseCheckArgument(new Map(Object.entries(options.buildArgs ?? {})));
  const keepGitDir = booleanFromText(options.buildArgs?.["BUILDKIT_CONTEXT_KEEP_GIT_DIR"] ?? "") === true;
  const open = async (): Promise<OpenedContext> => await openContext(options.context, store, signal, { keepGitDir });
  const context = options.context.kind === "url" ? await openRemote(options.context.url, onProgress, open) : await open();
  const given = options.dockerfile;
  const source =
    given?.kind === "url" ? await runStepOf(onProgress, `[internal] load ${given.url}`, async () => await fetchDockerfile(given.url, store, signal)) : given;
  const loaded = await runStepOf(onProgress, definitionStep(options), async (step) => {
    const found = orFailure(() => loadDockerfile(context, source));
    step.status("transferring dockerfile:", found instanceof SlipwayError ? 2 : found.text.length, undefined, true);
    return found;
  });
  if (loaded instanceof SlipwayError) throw loaded;
  const syntax = options.buildArgs?.["BUILDKIT_SYNTAX"] ?? "";
  return { context, loaded: syntax === "" ? loaded : { ...loaded, syntax } };
}

/** For Docker the step is done that found nothing: it fails at what comes next. */
function orFailure(load: () => LoadedDockerfile): LoadedDockerfile | SlipwayError {
  try {
    return load();
  } catch (error) {
    if (isSlipwayError(error, "DOCKERFILE_NOT_FOUND")) return error;
    throw error;
  }
}

/** Docker reads the Dockerfile where it reads the context. */
async function openRemote(url: string, onProgress: ProgressSink, open: () => Promise<OpenedContext>): Promise<OpenedContext> {
  try {
    return await beforeKey(runStepOf(onProgress, remoteStepName(url), open));
  } catch (error) {
    if (!isSlipwayError(error)) throw error;
    const isDownload = error.code === "DOWNLOAD_FAILED";
    if (!isDownload && !error.code.startsWith("GIT_")) throw error;
    const message = `failed to read ${isDownload ? "downloaded context" : "dockerfile"}: ${error.message}`;
    throw new SlipwayError(error.kind, error.code, message, error.details, error);
  }
}

export function definitionStep({ dockerfile }: BuildOptions): string {
  return `[internal] load build definition from ${dockerfileName(dockerfile)}`;
}

export async function reportIgnoreFile(onProgress: ProgressSink, context: OpenedContext): Promise<void> {
  await runStepOf(onProgress, "[internal] load .dockerignore", async (step) => {
    const size = statSync(join(context.directory, ".dockerignore"), { throwIfNoEntry: false })?.size ?? 2;
    step.status("transferring context:", size, undefined, true);
  });
}

export function emitWarnings(sink: ProgressSink, step: string, warnings: readonly BuildWarning[]): void {
  const vertex = digestOf(step);
  const shown = new Set<string>();
  for (const { rule, message: text, url, line, lines, description, isOwn, excerpt } of warnings) {
    const message = `${rule}: ${text}${line === undefined ? "" : ` (line ${line})`}`;
    // said once, however often it is found
    if (shown.has(message)) continue;
    shown.add(message);
    sink({
      type: "warning",
      vertex,
      message,
      detail: [description],
      url,
      ...(isOwn ? { isOwn } : {}),
      ...(lines === undefined ? {} : { lines, excerpt }),
    });
  }
}

/** Undefined where no bill is asked for: then nothing of it is loaded. */
async function planScans(
  { noCache = false }: BuildOptions,
  surroundings: BuildSurroundings & { readonly pin: PinImage | undefined },
  { attestations: { sbom }, context, signal }: OpenedBuild,
  platforms: readonly LoweredPlatform[],
): Promise<BuildScans | undefined> {
  if (sbom === undefined) return undefined;
  const { BuildScans: Scans } = await import("../provenance/build-scans.ts");
  return await Scans.plan(sbom, { ...surroundings, signal, contextId: context.id, noCache }, platforms);
}

interface SolveInput extends OpenedBuild {
  readonly scanning: BuildScans | undefined;
  readonly pins: SourcePins | undefined;
  readonly platforms: readonly LoweredPlatform[];
  readonly warnings: readonly BuildWarning[];
  readonly images: ReadonlyMap<string, ResolvedImage>;
  readonly revisions: SourceRevisions;
}

async function solveAndExport(options: BuildOptions, surroundings: BuildSurroundings, input: SolveInput): Promise<BuildResult> {
  const { platforms, targets, signal } = input;
  const ofResult = new Set(platforms.flatMap(({ lowered }) => lowered.image.history.flatMap(({ vertex }) => vertex?.digest ?? [])));
  input.caches.begin((step) => ofResult.has(step));
  const scanned = input.scanning?.roots ?? [];
  return await withSolver(options, surroundings, { ...input, scanned }, async (solver, exchange) => {
    const results = await Promise.all(platforms.map((platform) => solvePlatform(solver, platform, input.settling)));
    const scans = await input.scanning?.run(solver);
    const inlineCache = (chain: Chain): string | undefined => input.caches.inline(exchange, chain);
    const result = await exportResult({
      ...surroundings,
      options,
      results,
      targets,
      tags: input.tags,
      warnings: input.warnings,
      signal,
      inlineCache,
      attestations: input.attestations,
      scans,
      facts: factsOf(options, input),
    });
    await input.caches.write(
      exchange,
      results.map(({ chain }) => chain),
    );
    return result;
  });
}

function factsOf({ context: { kind } }: BuildOptions, { context, parsed, startedMs, images, revisions, scanning }: SolveInput): BuildFacts {
  return {
    startedMs,
    contextSource: context.source,
    directory: kind === "directory" ? context.directory : undefined,
    dockerfile: parsed.source,
    excluded: parsed.excluded ?? [],
    images,
    revisions,
    scanner: scanning?.scanner,
  };
}

/** One solver for all: what platforms have in common is solved once. */
async function solvePlatform(solver: Solver, { platform, lowered }: LoweredPlatform, { clocks }: Settling): Promise<PlatformResult> {
  const root = lowered.root === undefined ? undefined : await solver.solve(lowered.root);
  const times = new Map<Digest, number>();
  for (const { vertex } of lowered.image.history) {
    const result = vertex === undefined ? undefined : await solver.solve(vertex);
    if (vertex !== undefined && result?.kind === "layers") times.set(vertex.digest, result.createdMs);
  }
  const [clock, definition] = [lowered.root === undefined ? 0 : await solver.clockOf(lowered.root), await clocks?.definition()];
  const clockSeconds = clock === undefined || definition === undefined ? undefined : Math.max(clock, definition);
  return { platform, lowered, chain: root?.kind === "layers" ? root.chain : [], times, clockSeconds };
}
