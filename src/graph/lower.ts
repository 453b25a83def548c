/**
 * Dockerfile → graph. Stages are lowered on demand from the target backwards, so what nothing needs is never looked at;
 * base images that are not resolved yet are collected and asked for together.
 */
import { goQuote } from "../base/go-text.ts";
import { SlipwayError } from "../base/errors.ts";
import { familiarName, parseReference } from "../oci/reference.ts";
import { platformFrom, type Platform } from "../oci/platform.ts";
import type { ContainerConfig } from "../oci/image-config.ts";
import type { FromInstruction, Instruction, LineRange, Stage } from "../dockerfile/instruction.ts";
import { findSuggestion, withSuggestion } from "../dockerfile/suggest.ts";
import { lowerArg, lowerCmd, lowerEntrypoint, lowerEnv, lowerExpose, lowerHealthcheck, lowerLabel, lowerStopsignal, lowerVolume } from "./lower-config.ts";
import { lowerCopy, lowerWorkdir } from "./lower-copy.ts";
import { lowerRun } from "./lower-run.ts";
import { imageKey, type ImageNeed, type LowerOptions, type Lowering, type NamedContext, type ResolvedImage } from "./lowering.ts";
import { parseEpoch } from "./epoch.ts";
import { fileNameOfUrl, parseGitUrl, type GitSource } from "./remote-source.ts";
import type { GitOp } from "./op.ts";
import { completeImageName } from "./base-name.ts";
import { checkSources, numberedImages, resolveFroms, type NumberedImages, type ResolvedFrom } from "./check-stages.ts";
import { evaluateGlobals } from "./global-args.ts";
import { isScanned } from "./scan-args.ts";
import { scratchState, StageState, withPath, type StageContext } from "./stage-state.ts";
import { laterMount, laterStage, stageName } from "./stage-order.ts";
import { parseTriggers } from "./triggers.ts";
import { setLast, type Variables } from "./variables.ts";
import { createVertex, plainMetadata, type Vertex } from "./vertex.ts";
import { contentOf, wholeTree } from "./whole-tree.ts";
import { withLines } from "./with-lines.ts";

/** Fails with DOCKERFILE_PARSE, TARGET_NOT_FOUND, STAGE_CYCLE, INVALID_PLATFORM …, `details.lines` naming the instruction. */
export function lowerDockerfile(options: LowerOptions): Lowering {
  return new Lowerer(options).lower();
}

/** Thrown inside to leave a stage whose base is not resolved yet; never leaves this file. */
class Unresolved extends Error {}

class Lowerer {
  readonly #options: LowerOptions;
  readonly #globals: Variables;
  readonly #escape: "\\" | "`";
  readonly #stages: readonly Stage[];
  readonly #states = new Map<number, StageState | "lowering">();
  readonly #needs = new Map<string, ImageNeed>();
  readonly #epoch: number | undefined;
  readonly #froms: readonly ResolvedFrom[];
  readonly #numbered: NumberedImages;

  constructor(options: LowerOptions) {
    this.#options = options;
    this.#escape = options.dockerfile.directives.escape;
    this.#stages = options.dockerfile.stages;
    this.#globals = evaluateGlobals(options);
    this.#epoch = parseEpoch(options.buildArgs.get("SOURCE_DATE_EPOCH"));
    this.#froms = resolveFroms(options, this.#globals);
    this.#numbered = numberedImages(this.#stages);
  }

  lower(): Lowering {
    const target = this.#findTarget();
    checkSources(this.#stages, { froms: this.#froms, contexts: new Set(this.#options.namedContexts.keys()), numbered: this.#numbered });
    if (this.#options.allStages === true) this.#stages.forEach(({ index }) => this.#stateIfResolved(index));
    const state = this.#stateIfResolved(target);
    if (this.#needs.size > 0 || state === undefined) return { kind: "need", images: [...this.#needs.values()] };
    const labels = this.#options.labels;
    const finished = state.finishedConfig();
    const config: ContainerConfig = Object.keys(labels).length === 0 ? finished : { ...finished, Labels: { ...finished.Labels, ...labels } };
    return {
      kind: "done",
      root: state.root,
      stages: [...this.#states.values()].flatMap((each) => (each === "lowering" ? [] : (each.root ?? []))),
      image: {
        platform: this.#options.platformGiven ? this.#options.targetPlatform : state.imagePlatform,
        author: state.author,
        config,
        baseHistory: state.baseHistory,
        history: state.history,
      },
      baseChain: state.baseChain,
      epoch: this.#epoch,
      scanned: this.#scanned(target, state),
      reachable: new Set(this.#states.keys()),
    };
  }

  #scanned(target: number, result: StageState): readonly { readonly name: string; readonly root: Vertex | undefined }[] {
    const stages = this.#stages.flatMap((stage) => {
      const state = stage.index === target ? undefined : this.#states.get(stage.index);
      if (state === undefined || state === "lowering" || !isScanned("stage", stageName(stage), state.scanWords, this.#globals)) return [];
      return [{ name: stageName(stage), root: state.root }];
    });
    if (!isScanned("context", stageName(this.#stages[target] as Stage), result.scanWords, this.#globals)) return stages;
    const source = this.#contextVertex({ kind: "local" }, "context");
    return [...stages, { name: "context", root: wholeTree(source, { ...source.metadata, name: "[internal] the build context as it is scanned" }) }];
  }

  #stateIfResolved(index: number): StageState | undefined {
    try {
      return this.#state(index);
    } catch (error) {
      if (error instanceof Unresolved) return undefined;
      throw error;
    }
  }

  #findTarget(): number {
    const { target } = this.#options;
    if (target === undefined || target === "") return this.#stages.length - 1;
    const index = this.#stages.findLastIndex((stage) => stage.name === target.toLowerCase());
    if (index >= 0) return index;
    const names = this.#stages.flatMap((stage) => stage.name ?? []);
    throw new SlipwayError(
      "not_found",
      "TARGET_NOT_FOUND",
      withSuggestion(`target stage ${goQuote(target)} could not be found`, findSuggestion(target, names)),
      {
        target,
        stages: names,
        remedy: names.length === 0 ? "the Dockerfile has no named stage" : `stages of this Dockerfile: ${names.join(", ")}`,
      },
    );
  }

  /** The stage's finished state. Throws Unresolved after noting what is missing. */
  #state(index: number): StageState {
    const known = this.#states.get(index);
    if (known === "lowering") {
      const stage = this.#stages[index] as Stage;
      throw new SlipwayError("invalid_argument", "STAGE_CYCLE", `circular dependency detected on stage: ${stageName(stage)}`, { lines: stage.from.lines });
    }
    if (known !== undefined) return known;
    this.#states.set(index, "lowering");
    try {
      const state = this.#lowerStage(this.#stages[index] as Stage);
      this.#states.set(index, state);
      return state;
    } catch (error) {
      this.#states.delete(index);
      throw error;
    }
  }

  #lowerStage(stage: Stage): StageState {
    const { name: baseName, platform } = this.#froms[stage.index] as ResolvedFrom;
    this.#noteSources(stage);
    const context = this.#contextOf(stage, platform);
    const triggers: Instruction[] = [];
    const state = this.#baseState(stage, context, baseName, triggers);
    const instructions = [...triggers, ...stage.instructions];
    state.stepsTotal = state.stepsDone + instructions.filter((instruction) => stepTypes.has(instruction.type)).length;
    this.#finishFromName(state, baseName);
    for (const [at, instruction] of instructions.entries()) {
      try {
        this.#lowerInstruction(state, stage, instruction);
      } catch (error) {
        throw withLines(error, instruction.lines, at < triggers.length ? { trigger: at } : {});
      }
    }
    return state;
  }

  /** All bases are asked for in one round: what COPY --from names is looked at before the stage is left for its own base. */
  #noteSources(stage: Stage): void {
    for (const instruction of stage.instructions) {
      if (instruction.type !== "copy" || instruction.from === undefined) continue;
      try {
        this.#source(stage, this.#numbered.get(instruction) ?? instruction.from, instruction.lines);
      } catch (error) {
        // what is wrong is said when the instruction's turn comes
        if (!(error instanceof Unresolved || error instanceof SlipwayError)) throw error;
      }
    }
  }

  #contextOf(stage: Stage, platform: Platform): StageContext {
    const { noCache, showPlatform, contextId } = this.#options;
    const several = this.#stages.length > 1;
    return {
      stage,
      platform,
      escape: this.#escape,
      displayName: several ? stageName(stage) : (stage.name ?? ""),
      showPlatform,
      ignoreCache: typeof noCache === "boolean" ? noCache : stage.name !== undefined && noCache.has(stage.name),
      contextId,
    };
  }

  #namedBase({ name }: Stage, baseName: string): NamedContext | undefined {
    const { namedContexts } = this.#options;
    return (name === undefined ? undefined : namedContexts.get(name)) ?? namedContexts.get(baseName.toLowerCase());
  }

  #baseState(stage: Stage, context: StageContext, baseName: string, triggers: Instruction[]): StageState {
    const named = this.#namedBase(stage, baseName);
    const earlier = named === undefined ? this.#findStage(baseName, stage.index) : undefined;
    if (earlier !== undefined) {
      const base = this.#state(earlier);
      triggers.push(...parseTriggers(base.config.OnBuild ?? [], stage.from.lines));
      const { OnBuild: _, ...config } = base.finishedConfig();
      // It runs where the stage below runs, whatever the build is for.
      const state = new StageState(
        { ...context, platform: base.context.platform },
        { root: base.root, config, author: base.author, history: base.baseHistory, chain: base.baseChain, platform: base.imagePlatform },
      );
      state.history.push(...base.history);
      // ARGs of the stage it stands on stay in sight; what that stage's config says comes again behind them.
      state.variables.clear();
      for (const [key, value] of [...base.variables, ...state.env]) setLast(state.variables, key, value);
      for (const key of base.declaredArgs) state.declaredArgs.add(key);
      for (const [key, value] of base.scanWords) state.scanWords.set(key, value);
      return state;
    }
    // Whatever FROM says: an empty image is for the platform of the build.
    if (named === undefined && baseName === "scratch") return scratchState({ ...context, platform: this.#options.targetPlatform });
    if (named !== undefined && named.kind !== "image" && named.kind !== "resolved") {
      const state = scratchState(context);
      state.root = this.#contextRoot(named, stage, baseName);
      return state;
    }
    const image = this.#namedImage(named, baseName, context.platform, { lines: stage.from.lines, place: stage.from.lines });
    return this.#imageState(context, image, stage.from, triggers);
  }

  /** FROM of a named context that is a directory: its content is the stage's first layer. */
  #contextRoot(named: NamedContext, stage: Stage, name: string): Vertex {
    const source = this.#contextVertex(named, name.toLowerCase());
    return wholeTree(source, { ...source.metadata, lines: stage.from.lines, name: `[context ${name}] as a stage` });
  }

  #imageState(context: StageContext, image: ResolvedImage, from: FromInstruction, triggers: Instruction[]): StageState {
    triggers.push(...parseTriggers(image.config.config.OnBuild ?? [], from.lines));
    const { OnBuild: _, ...config } = image.config.config;
    const root = imageVertex({ ...image, platform: context.platform }, from.lines, `${context.contextId}|${context.stage.name ?? context.stage.index}|from`);
    const state = new StageState(context, {
      root,
      config: { ...config, Env: withPath(config.Env ?? []) },
      author: image.config.author,
      history: image.config.history ?? [],
      chain: image.chain,
      platform: image.config.os === "" ? context.platform : platformFrom(image.config),
    });
    state.stepsDone = 1;
    return state;
  }

  /** FROM of an image is the stage's first step; its name needs the total, which is known only now. */
  #finishFromName(state: StageState, baseName: string): void {
    const { root } = state;
    if (state.stepsDone !== 1 || root?.op.type !== "image" || baseName === "") return;
    state.stepsDone = 0;
    const name = `${state.nextPrefix()}FROM ${root.op.reference}`;
    state.root = createVertex(root.op, root.inputs, { ...root.metadata, name });
  }

  /** FROM takes the nearest above of that name, as it is written. */
  #findStage(wanted: string, before: number): number | undefined {
    const index = this.#stages.findLastIndex((stage) => stage.index < before && stage.name === wanted);
    return index < 0 ? undefined : index;
  }

  #namedImage(named: NamedContext | undefined, name: string, platform: Platform, at: Pick<ImageNeed, "lines" | "place">): ResolvedImage {
    if (named?.kind === "resolved") return named.image;
    const isContext = named?.kind === "image";
    const reference = completeImageName(isContext ? named.reference : name, at.lines, isContext);
    const key = imageKey(reference, platform);
    const image = this.#options.images.get(key);
    if (image !== undefined) return image;
    const stages = this.#stages.flatMap((stage) => stage.name ?? []);
    if (!this.#needs.has(key)) this.#needs.set(key, { reference, written: isContext ? undefined : name, platform, ...at, stages });
    throw new Unresolved(familiarName(parseReference(reference)));
  }

  #contextVertex(context: NamedContext, name: string): Vertex {
    const metadata = plainMetadata({ name: "", slot: `${this.#options.contextId}|context|${name}`, description: `context ${name}` });
    switch (context.kind) {
      case "git":
        return createVertex(gitOp(parseGitUrl(context.url)), [], { ...metadata, name: `[context ${name}] load git source ${context.url}` });
      case "http": {
        const fileName = fileNameOfUrl(context.url);
        const file = createVertex({ type: "http", url: context.url, checksum: "", fileName }, [], { ...metadata, name: `[context ${name}] ${context.url}` });
        return contentOf(file, fileName, { ...metadata, name: `[context ${name}] content of ${fileName}` });
      }
      default:
        return createVertex({ type: "local", name }, [], {
          ...metadata,
          name: name === "context" ? "[internal] load build context" : `[context ${name}] load from client`,
        });
    }
  }

  /**
   * The vertex behind `--from` or, with its target, a mount's `from=`: a stage by name, for --from also by number, a named context,
   * an image; undefined name: the build context.
   */
  #source(stage: Stage, from: string | undefined, lines: LineRange, mountTarget?: string): Vertex | undefined {
    if (from === undefined) return this.#contextVertex({ kind: "local" }, "context");
    if (/\$/.test(from)) {
      throw new SlipwayError(
        "invalid_argument",
        "DOCKERFILE_PARSE",
        "'from' does not support variable expansion, define a new stage with the variable in FROM and copy from that",
        { lines },
      );
    }
    const named = this.#options.namedContexts.get(from.toLowerCase());
    if (named !== undefined && named.kind !== "image" && named.kind !== "resolved") return this.#contextVertex(named, from.toLowerCase());
    if (mountTarget === undefined && /^[+-]?\d+$/.test(from)) {
      const index = Number(from);
      if (index < 0 || index >= this.#stages.length)
        throw new SlipwayError("invalid_argument", "INVALID_STAGE_INDEX", `invalid stage index ${from}`, { index });
      if (index >= stage.index) throw laterStage(stage, from, lines);
      return this.#state(index).root;
    }
    const known = named === undefined ? this.#stages.findLast(({ name }) => name === from.toLowerCase()) : undefined;
    if (known !== undefined && known.index >= stage.index) {
      throw mountTarget === undefined ? laterStage(stage, from, lines) : laterMount(from, mountTarget, lines);
    }
    if (known !== undefined) return this.#state(known.index).root;
    if (named === undefined && from === "scratch") return undefined;
    // Docker names no line for a mount's image
    const image = this.#namedImage(named, from, this.#options.targetPlatform, {
      lines: mountTarget === undefined ? lines : undefined,
      place: lines,
    });
    return imageVertex(image, lines, `${this.#options.contextId}|from|${from}`);
  }

  #lowerInstruction(state: StageState, stage: Stage, instruction: Instruction): void {
    const source = (from: string | undefined, lines: LineRange, mountTarget?: string): Vertex | undefined =>
      this.#source(stage, this.#numbered.get(instruction) ?? from, lines, mountTarget);
    switch (instruction.type) {
      case "arg":
        return lowerArg(state, instruction, this.#options.buildArgs, this.#globals);
      case "env":
        return lowerEnv(state, instruction);
      case "label":
        return lowerLabel(state, instruction);
      case "run":
        return lowerRun(state, instruction, { ...this.#options, epoch: this.#epoch, source });
      case "copy":
      case "add":
        return lowerCopy(state, instruction, { source, epoch: this.#epoch });
      case "workdir":
        return lowerWorkdir(state, instruction, this.#epoch);
      case "user": {
        const user = state.expand(instruction.user, instruction.lines);
        state.config.User = user;
        return state.addHistory(`USER ${user}`);
      }
      case "expose":
        return lowerExpose(state, instruction);
      case "volume":
        return lowerVolume(state, instruction);
      case "cmd":
        return lowerCmd(state, instruction.command);
      case "entrypoint":
        return lowerEntrypoint(state, instruction.command);
      case "healthcheck":
        return lowerHealthcheck(state, instruction);
      case "shell":
        state.config.Shell = instruction.shell;
        return state.addHistory(`SHELL [${instruction.shell.join(" ")}]`);
      case "stopsignal":
        return lowerStopsignal(state, instruction);
      case "onbuild":
        state.config.OnBuild = [...(state.config.OnBuild ?? []), instruction.expression];
        return undefined;
      case "maintainer":
        state.author = instruction.maintainer;
        return state.addHistory(`MAINTAINER ${instruction.maintainer}`);
    }
  }
}

/** Instructions that are counted as steps in progress. */
const stepTypes: ReadonlySet<Instruction["type"]> = new Set(["run", "copy", "add", "workdir"]);

function gitOp(source: GitSource): GitOp {
  return { type: "git", ...source, keepGitDir: source.keepGitDir ?? false };
}

function imageVertex({ reference, platform, chain, config }: ResolvedImage, lines: LineRange, slot: string): Vertex {
  const name = `FROM ${reference}`;
  const createdMs = Date.parse(config.created ?? "");
  const createdSeconds = Number.isNaN(createdMs) ? 0 : Math.floor(createdMs / 1000);
  return createVertex({ type: "image", reference, platform, chain }, [], plainMetadata({ name, lines, slot, description: name, createdSeconds }));
}
