/** The Dockerfile's graph for each platform: base images are asked for together, until every graph is complete. */
import { SlipwayError } from "../../base/errors.ts";
import { listVertices } from "../../graph/vertex.ts";
import { formatPlatform, hostPlatform, normalizePlatform, parsePlatform, type Platform } from "../../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts";
import type { BaseImage } from "../../dockerfile/checks.ts";
import { lowerDockerfile } from "../../graph/lower.ts";
import { imageKey, type ImageNeed, type LowerOptions, type Lowering, type NamedContext, type ResolvedImage } from "../../graph/lowering.ts";
import { platformArgs, targetStageOf } from "../../graph/platform-args.ts";
import { isGitUrl, isHttpUrl } from "../../graph/remote-source.ts";
import type { Store } from "../../store/index.ts";
import type { BuildOptions } from "../api.ts";
import type { PolicyGate } from "../policy-gate.ts";
import type { LintContext, ParsedBuild } from "./lint.ts";
import { resolveBase, type BaseResolver } from "./resolve-bases.ts";
import type { TargetPlatforms } from "./target-platforms.ts";

export type Lowered = Extract<Lowering, { kind: "done" }>;

export interface LoweredPlatform {
  readonly platform: Platform;
  readonly lowered: Lowered;
  /** what lowering learned that makes the lint rules sharper */
  readonly lint: LintContext;
}

export interface LowerInput {
  readonly contextId: string;
  readonly parsed: ParsedBuild;
  readonly targets: TargetPlatforms;
  /** filled while base images are resolved */
  readonly images: Map<string, ResolvedImage>;
  readonly resolver: Omit<BaseResolver, "pull" | "showPlatform" | "configOnly">;
  /** nothing will be built: no base image's layers, and perhaps all stages */
  readonly dryRun?: { readonly allStages: boolean };
}

/** What resolved bases tell the checks; lowering adds which stages count. */
export function lintContextOf(
  { buildArgs = {}, target }: BuildOptions,
  { dockerfile }: ParsedBuild,
  platform: Platform,
  images: ReadonlyMap<string, ResolvedImage>,
): LintContext {
  return {
    buildArgs: new Map(Object.entries(buildArgs)),
    platformArgs: platformArgs(hostPlatform(), platform, targetStageOf(dockerfile, target)),
    baseImage: (image, own) => baseImageOf(images, image, own === undefined || own === "" ? platform : own),
  };
}

export async function lowerBuild(options: BuildOptions, input: LowerInput): Promise<readonly LoweredPlatform[]> {
  const { contextId, parsed, targets, resolver, images, dryRun } = input;
  const { store, signal } = resolver;
  const gate = dryRun === undefined ? resolver.gate : undefined;
  const buildArgs = new Map(Object.entries(options.buildArgs ?? {}));
  const inputs: LowerOptions[] = [];
  for (const platform of targets.platforms) {
    const namedContexts = await contextsFor(options.buildContexts ?? {}, { store, gate, platform, signal });
    inputs.push({
      dockerfile: parsed.dockerfile,
      contextId: slotsOf(contextId, platform),
      buildArgs,
      target: options.target,
      allStages: dryRun?.allStages ?? false,
      labels: options.labels ?? {},
      buildPlatform: hostPlatform(),
      targetPlatform: platform,
      platformGiven: targets.given,
      showPlatform: targets.several,
      network: options.network ?? "default",
      extraHosts: options.addHosts ?? [],
      shmSizeBytes: options.shmSizeBytes,
      ulimits: options.ulimits ?? [],
      epochInRun: options.reproducible === true,
      noCache: options.noCache === true ? true : new Set((options.noCacheFilter ?? []).map((name) => name.toLowerCase())),
      namedContexts,
      images,
    });
  }
  const asking = { ...resolver, pull: options.pull === true, showPlatform: targets.several, configOnly: dryRun !== undefined };
  for (;;) {
    const lowerings = inputs.map((input) => ({ input, lowering: lowerDockerfile(input) }));
    const done = lowerings.flatMap(({ input, lowering }) =>
      lowering.kind === "done" ? [loweredPlatform(options, parsed, input.targetPlatform, lowering, images)] : [],
    );
    if (done.length === inputs.length) {
      if (dryRun === undefined) for (const { lowered } of done) refuseEmptyCommands(lowered);
      return done;
    }
    const needs = lowerings.flatMap(({ lowering }) => (lowering.kind === "need" ? lowering.images : []));
    await Promise.all(eachOnce(needs).map(async (need) => images.set(imageKey(need.reference, need.platform), await resolveBase(asking, need))));
  }
}

/** `RUN []`: as for Docker, wrong only when it is to run. */
function refuseEmptyCommands({ root }: Lowered): void {
  const isEmpty = root !== undefined && listVertices([root]).some(({ op }) => op.type === "exec" && op.args.length === 0);
  if (isEmpty) throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", "failed to marshal LLB definition: arguments are required", { lines: undefined });
}

/** Steps for another platform are compared with what they were for that platform. */
function slotsOf(contextId: string, platform: Platform): string {
  return formatPlatform(platform) === formatPlatform(hostPlatform()) ? contextId : `${contextId}|${formatPlatform(platform)}`;
}

function eachOnce(needs: readonly ImageNeed[]): readonly ImageNeed[] {
  return [...new Map(needs.map((need) => [imageKey(need.reference, need.platform), need])).values()];
}

function loweredPlatform(
  options: BuildOptions,
  parsed: ParsedBuild,
  platform: Platform,
  lowered: Lowered,
  images: ReadonlyMap<string, ResolvedImage>,
): LoweredPlatform {
  return { platform, lowered, lint: { ...lintContextOf(options, parsed, platform, images), reachable: lowered.reachable } };
}

/** What the checks want to know of a resolved base image. */
function baseImageOf(images: ReadonlyMap<string, ResolvedImage>, image: string, given: Platform | string): BaseImage | undefined {
  try {
    const platform = typeof given === "string" ? normalizePlatform(parsePlatform(given)) : given;
    const found = images.get(imageKey(formatReference(withDefaultTag(parseReference(image))), platform));
    if (found === undefined) return undefined;
    const { os, architecture, variant } = found.config;
    const { Env, OnBuild } = found.config.config;
    const variables = (Env ?? []).map((entry) => {
      const equals = entry.indexOf("=");
      return equals < 0 ? ([entry, ""] as const) : ([entry.slice(0, equals), entry.slice(equals + 1)] as const);
    });
    const fits = os === platform.os && architecture === platform.architecture;
    const actual = formatPlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
    return { variables, triggers: OnBuild ?? [], mismatch: fits ? undefined : { actual, expected: formatPlatform(platform) } };
  } catch {
    return undefined;
  }
}

async function contextsFor(
  contexts: Readonly<Record<string, string>>,
  { platform, ...call }: { readonly store: Store; readonly gate: PolicyGate | undefined; readonly platform: Platform; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, NamedContext>> {
  const named = new Map<string, NamedContext>();
  for (const [name, value] of Object.entries(contexts)) {
    if (!value.startsWith("oci-layout://")) {
      named.set(name.toLowerCase(), namedContext(value));
      continue;
    }
    const { layoutImage } = await import("./layout-context.ts");
    named.set(name.toLowerCase(), { kind: "resolved", image: await layoutImage(call, name, value, platform) });
  }
  return named;
}

function namedContext(value: string): NamedContext {
  if (value.startsWith("docker-image://")) return { kind: "image", reference: value.slice("docker-image://".length) };
  if (isGitUrl(value)) return { kind: "git", url: value };
  return isHttpUrl(value) ? { kind: "http", url: value } : { kind: "local" };
}
