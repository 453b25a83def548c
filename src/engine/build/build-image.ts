/** The build use case: context and Dockerfile in, graph solved, image or files out. Reads as its own table of contents. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import { hostPlatform, normalizePlatform, parsePlatform, type Platform } from "../../oci/platform.ts";
import type { ProgressSink } from "../../base/progress.ts";
import type { IgnoreMatcher } from "../../dockerfile/ignore.ts";
import { parseCheckArgument, type BaseImage } from "../../dockerfile/checks.ts";
import { createIgnoreMatcher, parseIgnore } from "../../dockerfile/ignore.ts";
import { formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts";
import { lowerDockerfile } from "../../graph/lower.ts";
import { imageKey, type LowerOptions, type Lowering, type NamedContext, type ResolvedImage } from "../../graph/lowering.ts";
import { isGitUrl, isHttpUrl } from "../../graph/remote-source.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { createNetworkPool, type NetworkPool } from "../../runtime/network-pool.ts";
import { parseUlimit } from "../../runtime/ulimit.ts";
import { contextIndexPath, FileDigests } from "../../solver/file-digests.ts";
import type { Result } from "../../solver/results.ts";
import { Solver } from "../../solver/solver.ts";
import type { Store } from "../../store/index.ts";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BuildOptions, BuildResult, BuildWarning } from "../api.ts";
import { parseTagName } from "../image-names.ts";
import { enforceCacheCeiling } from "../system/cache-ceiling.ts";
import { ContextView } from "./context-view.ts";
import { withExcerpt } from "./diagnostics.ts";
import { exportResult } from "./export-result.ts";
import { failOnWarnings, failureOf, lintBuild, lintUnparsed, parseBuild, type ParsedBuild } from "./lint.ts";
import { layoutImage } from "./layout-context.ts";
import { dockerfileName, fetchDockerfile, loadDockerfile, type LoadedDockerfile } from "./load-dockerfile.ts";
import { openContext, remoteStepName, type OpenedContext } from "./open-context.ts";
import { runStepOf } from "./progress-steps.ts";
import { findNestedNodeModules } from "./nested-node-modules.ts";
import { gitTree, httpTree } from "./remote-inputs.ts";
import { resolveBase } from "./resolve-bases.ts";
import { BuildSecrets, checkSecrets } from "./step-secrets.ts";

export interface BuildSurroundings {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
  readonly onProgress: ProgressSink;
}

type Lowered = Extract<Lowering, { kind: "done" }>;

/** Failures carry `details.excerpt` and `details.vertex` where they have a place. */
export async function buildImage(options: BuildOptions, surroundings: BuildSurroundings): Promise<BuildResult> {
  const signal = options.signal ?? new AbortController().signal;
  const tags = (options.tags ?? []).map(parseTagName);
  const platform = targetPlatform(options.platforms);
  for (const ulimit of options.ulimits ?? []) parseUlimit(ulimit);
  checkSecrets(options.secrets ?? []);
  const { context, loaded } = await openBuild(options, surroundings, signal);
  const parsed = parseWarning(loaded, options, surroundings);
  for (let attempt = 1; ; attempt++) {
    try {
      return await buildOnce(options, surroundings, { context, parsed, platform, tags, signal });
    } catch (error) {
      // Somebody pruned what the cache had just promised: what is gone is made again.
      if (!isSlipwayError(error, "LAYER_MISSING") || attempt === maxAttempts) throw withExcerpt(error, parsed.source);
    }
  }
}

const maxAttempts = 3;

interface OpenedBuild {
  readonly context: OpenedContext;
  readonly parsed: ParsedBuild;
  readonly platform: Platform;
  readonly tags: readonly string[];
  readonly signal: AbortSignal;
}

async function buildOnce(options: BuildOptions, surroundings: BuildSurroundings, opened: OpenedBuild): Promise<BuildResult> {
  const { onProgress } = surroundings;
  const { context, parsed, platform, signal } = opened;
  const buildArgs = new Map(Object.entries(options.buildArgs ?? {}));
  const images = new Map<string, ResolvedImage>();
  const baseImage = (image: string) => baseImageOf(images, image, platform);
  let lowered: Lowered;
  try {
    lowered = await lower(options, surroundings, { ...opened, buildArgs, images });
  } catch (error) {
    if (!signal.aborted) emitWarnings(onProgress, definitionStep(options), lintBuild(parsed, { buildArgs, baseImage, failure: failureOf(error, parsed) }));
    throw error;
  }
  const nestedNodeModules = () => findNestedNodeModules(context.directory, parsed.ignore);
  const lint = { buildArgs, reachable: lowered.reachable, baseImage, nestedNodeModules };
  const warnings = lintBuild(parsed, lint);
  emitWarnings(onProgress, definitionStep(options), warnings);
  failOnWarnings(parsed, lint);
  await reportIgnoreFile(onProgress, context);
  return await solveAndExport(options, surroundings, { ...opened, lowered, warnings });
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

export function targetPlatform(platforms: readonly string[] | undefined): Platform {
  const [first, ...others] = (platforms ?? []).flatMap((text) => text.split(",")).filter((text) => text !== "");
  if (others.length > 0)
    throw new SlipwayError("unsupported", "SEVERAL_PLATFORMS", "building for several platforms at once is not supported yet", {
      platforms,
      remedy: "build for one platform at a time",
    });
  return first === undefined || first === "local" ? hostPlatform() : normalizePlatform(parsePlatform(first));
}

export async function openBuild(
  options: BuildOptions,
  { store, onProgress }: BuildSurroundings,
  signal: AbortSignal,
): Promise<{ readonly context: OpenedContext; readonly loaded: LoadedDockerfile }> {
  parseCheckArgument(new Map(Object.entries(options.buildArgs ?? {})));
  const open = async (): Promise<OpenedContext> => await openContext(options.context, store, signal);
  const context = options.context.kind === "url" ? await runStepOf(onProgress, remoteStepName(options.context.url), open) : await open();
  const given = options.dockerfile;
  const source =
    given?.kind === "url" ? await runStepOf(onProgress, `[internal] load ${given.url}`, async () => await fetchDockerfile(given.url, store, signal)) : given;
  const loaded = await runStepOf(onProgress, definitionStep(options), async (step) => {
    const found = loadDockerfile(context, source);
    step.status("transferring dockerfile:", found.text.length, undefined, true);
    return found;
  });
  return { context, loaded };
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
  for (const { rule, message: text, url, line, description, isOwn } of warnings) {
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
      ...(line === undefined ? {} : { lines: { start: line, end: line } }),
    });
  }
}

interface LowerInput extends Omit<OpenedBuild, "tags"> {
  readonly buildArgs: ReadonlyMap<string, string>;
  /** filled while base images are resolved */
  readonly images: Map<string, ResolvedImage>;
  /** nothing will be built: all stages, and no base image's layers */
  readonly dryRun?: { readonly allStages: boolean };
}

/** What the checks want to know of a resolved base image. */
export function baseImageOf(images: ReadonlyMap<string, ResolvedImage>, image: string, platform: Platform): BaseImage | undefined {
  try {
    const found = images.get(imageKey(formatReference(withDefaultTag(parseReference(image))), platform));
    if (found === undefined) return undefined;
    const { Env, OnBuild } = found.config.config;
    const variables = (Env ?? []).map((entry) => {
      const equals = entry.indexOf("=");
      return equals < 0 ? ([entry, ""] as const) : ([entry.slice(0, equals), entry.slice(equals + 1)] as const);
    });
    return { variables, triggers: OnBuild ?? [] };
  } catch {
    return undefined;
  }
}

/** Asks for base images until the graph is complete. */
export async function lower(
  options: BuildOptions,
  surroundings: BuildSurroundings,
  { context, parsed, platform, buildArgs, images, signal, dryRun }: LowerInput,
): Promise<Lowered> {
  const lowerOptions: LowerOptions = {
    dockerfile: parsed.dockerfile,
    contextId: context.id,
    buildArgs,
    target: options.target,
    allStages: dryRun?.allStages ?? false,
    labels: options.labels ?? {},
    buildPlatform: hostPlatform(),
    targetPlatform: platform,
    showPlatform: false,
    network: options.network ?? "default",
    extraHosts: options.addHosts ?? [],
    shmSizeBytes: options.shmSizeBytes,
    ulimits: options.ulimits ?? [],
    noCache: options.noCache === true ? true : new Set((options.noCacheFilter ?? []).map((name) => name.toLowerCase())),
    namedContexts: await namedContexts(options.buildContexts ?? {}, { store: surroundings.store, platform, signal }),
    images,
  };
  const resolver = { ...surroundings, signal, pull: options.pull === true, configOnly: dryRun !== undefined };
  for (;;) {
    const lowering = lowerDockerfile(lowerOptions);
    if (lowering.kind === "done") return lowering;
    await Promise.all(lowering.images.map(async (need) => images.set(imageKey(need.reference, need.platform), await resolveBase(resolver, need))));
  }
}

async function namedContexts(
  contexts: Readonly<Record<string, string>>,
  { store, platform, signal }: { readonly store: Store; readonly platform: Platform; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, NamedContext>> {
  const named = new Map<string, NamedContext>();
  for (const [name, value] of Object.entries(contexts)) {
    const layout = value.startsWith("oci-layout://");
    named.set(name.toLowerCase(), layout ? { kind: "resolved", image: await layoutImage(store, name, value, platform, signal) } : namedContext(value));
  }
  return named;
}

function namedContext(value: string): NamedContext {
  if (value.startsWith("docker-image://")) return { kind: "image", reference: value.slice("docker-image://".length) };
  if (isGitUrl(value)) return { kind: "git", url: value };
  return isHttpUrl(value) ? { kind: "http", url: value } : { kind: "local" };
}

interface SolveInput extends OpenedBuild {
  readonly lowered: Lowered;
  readonly warnings: readonly BuildWarning[];
}

async function solveAndExport(options: BuildOptions, surroundings: BuildSurroundings, input: SolveInput): Promise<BuildResult> {
  const { store, onProgress } = surroundings;
  const { lowered, context, parsed, signal } = input;
  const digests = new FileDigests();
  const indexPath = contextIndexPath(store.layout.contexts, context.directory);
  let networks: NetworkPool | undefined;
  using secrets = new BuildSecrets(options.secrets ?? [], options.ssh ?? [], (label) => store.lease().temporaryPath(label));
  const solver = new Solver({
    store,
    signal,
    onProgress,
    allow: new Set(options.allow ?? []),
    sources: {
      local: async (name) => {
        if (name === "context") digests.load(indexPath);
        return openLocal(name, options, context, parsed.ignore, digests);
      },
      git: (vertex) => gitTree(store, vertex, signal),
      http: (vertex) => httpTree(store, vertex, signal),
      image: async () => {},
    },
    execution: {
      secrets,
      networks: () =>
        (networks ??= createNetworkPool({ directory: store.layers.workDirectory("networks"), onWarning: (message) => warn(onProgress, message) })),
    },
  });
  try {
    const root = lowered.root === undefined ? undefined : await solver.solve(lowered.root);
    const chain = root?.kind === "layers" ? root.chain : [];
    const times = new Map<Digest, number>();
    for (const { vertex } of lowered.image.history) {
      const result = vertex === undefined ? undefined : await solver.solve(vertex);
      if (vertex !== undefined && result?.kind === "layers") times.set(vertex.digest, result.createdMs);
    }
    return await exportResult({ store, onProgress, options, lowered, chain, times, tags: input.tags, warnings: input.warnings, signal });
  } finally {
    if (context.id === context.directory) digests.save(indexPath, () => store.lease().temporaryPath("context-index"));
    store.cache.touch(solver.usedKeys);
    enforceCacheCeiling(store);
    await networks?.close();
  }
}

/** Has a line of its own: the step that it concerns is running already. */
function warn(sink: ProgressSink, message: string): void {
  const name = "[internal] network of RUN steps";
  const vertex = { type: "vertex", id: digestOf(name), name, inputs: [], startedMs: Date.now() } as const;
  sink(vertex);
  sink({ type: "warning", vertex: vertex.id, message, detail: [], url: "" });
  sink({ ...vertex, completedMs: Date.now(), cached: false });
}

/** A named context has its own `.dockerignore`. */
function openLocal(
  name: string,
  options: BuildOptions,
  context: OpenedContext,
  ignore: IgnoreMatcher | undefined,
  digests: FileDigests,
): Extract<Result, { kind: "tree" }> {
  if (name === "context")
    return { kind: "tree", root: context.directory, tree: { view: new ContextView(context.directory, ignore), digests, keepXattrs: false } };
  const entry = Object.entries(options.buildContexts ?? {}).find(([key]) => key.toLowerCase() === name);
  const root = resolve(entry?.[1] ?? "");
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new SlipwayError("invalid_argument", "INVALID_CONTEXT", `failed to get build context ${name}: stat ${entry?.[1] ?? ""}: no such file or directory`, {
      name,
    });
  }
  return { kind: "tree", root, tree: { view: new ContextView(root, ignoreOf(root)), digests: new FileDigests(), keepXattrs: false } };
}

function ignoreOf(root: string): IgnoreMatcher | undefined {
  try {
    const patterns = parseIgnore(readFileSync(join(root, ".dockerignore")));
    return patterns.length === 0 ? undefined : createIgnoreMatcher(patterns);
  } catch {
    return undefined;
  }
}
