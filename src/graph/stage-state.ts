/** The state of one stage while its instructions are lowered: the file system so far, the config so far, what words can see. */
import { goQuote } from "../base/go-text.ts";
import { SlipwayError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { ContainerConfig, HistoryEntry } from "../oci/image-config.ts";
import type { Platform } from "../oci/platform.ts";
import type { Instruction, LineRange, Stage } from "../dockerfile/instruction.ts";
import { expandWord, expandWords } from "../dockerfile/word.ts";
import type { DraftHistory } from "./lowering.ts";
import { platformPrefix } from "./platform-args.ts";
import { formatVariables, parseVariables } from "./variables.ts";
import type { Vertex, VertexMetadata } from "./vertex.ts";

/** Docker's PATH for images that have none. */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Whatever image is built on, its PATH is set. */
export function withPath(env: readonly string[]): readonly string[] {
  return env.some((entry) => entry.startsWith("PATH=")) ? env : [...env, `PATH=${defaultPath}`];
}

/** What instructions add to line by line has a Map of its own: the state is changed in place, thousands of ENV cost no copies. */
type DraftConfig = { -readonly [Key in keyof Omit<ContainerConfig, "Env" | "Labels">]: ContainerConfig[Key] };

export interface StageContext {
  readonly stage: Stage;
  readonly platform: Platform;
  readonly escape: "\\" | "`";
  /** "build" or "stage-2", "" in a Dockerfile of one unnamed stage */
  readonly displayName: string;
  /** names of steps begin with the platform, as in builds for several */
  readonly showPlatform: boolean;
  readonly ignoreCache: boolean;
  readonly contextId: string;
}

export class StageState {
  readonly context: StageContext;
  root: Vertex | undefined;
  readonly config: DraftConfig;
  /** the image's own environment */
  readonly env: Map<string, string>;
  readonly labels: Map<string, string>;
  author: string | undefined;
  baseHistory: readonly HistoryEntry[];
  baseChain: readonly Digest[];
  /** of the image that the stage makes, where the build names none: what its base says of itself */
  readonly imagePlatform: Platform;
  readonly history: DraftHistory[] = [];
  /** ENV and ARG together, as RUN and words see them */
  readonly variables: Map<string, string>;
  /** ARGs in the order of declaration, for RUN's history line */
  readonly declaredArgs = new Set<string>();
  /** of ARGs that no command sees: which bills are asked for */
  readonly scanWords = new Map<string, string>();
  cmdSet = false;
  stepsDone = 0;
  stepsTotal = 0;
  readonly #positions = new Map<string, number>();

  constructor(
    context: StageContext,
    base: {
      readonly root: Vertex | undefined;
      readonly config: ContainerConfig;
      readonly author: string | undefined;
      readonly history: readonly HistoryEntry[];
      readonly chain: readonly Digest[];
      readonly platform: Platform;
    },
  ) {
    this.context = context;
    this.root = base.root;
    const { Env = [], Labels = {}, ...config } = base.config;
    this.config = config;
    this.env = parseVariables(Env);
    this.labels = new Map(Object.entries(Labels));
    this.author = base.author;
    this.baseHistory = base.history;
    this.baseChain = base.chain;
    this.imagePlatform = base.platform;
    this.variables = new Map(this.env);
  }

  get workdir(): string {
    const directory = this.config.WorkingDir ?? "";
    return directory === "" ? "/" : directory;
  }

  get shell(): readonly string[] {
    const shell = this.config.Shell ?? [];
    return shell.length === 0 ? ["/bin/sh", "-c"] : shell;
  }

  /** The config as the instructions so far leave it; Env and Labels are absent where there are none. */
  finishedConfig(): ContainerConfig {
    return {
      ...this.config,
      ...(this.env.size === 0 ? {} : { Env: formatVariables(this.env) }),
      ...(this.labels.size === 0 ? {} : { Labels: Object.fromEntries(this.labels) }),
    };
  }

  /** One word with the stage's variables. Fails with DOCKERFILE_PARSE in BuildKit's words, naming the line. */
  expand(word: string, lines: LineRange): string {
    return this.#at(lines, word, () => expandWord(word, this.variables, { escape: this.context.escape }).result);
  }

  expandList(word: string, lines: LineRange): readonly string[] {
    return this.#at(lines, word, () => expandWords(word, this.variables, { escape: this.context.escape }).words);
  }

  #at<T>(lines: LineRange, word: string, body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      const message = error.message.startsWith("failed to process") ? error.message : `failed to process ${goQuote(word)}: ${error.message}`;
      throw new SlipwayError("invalid_argument", "DOCKERFILE_PARSE", message, { ...error.details, lines }, error);
    }
  }

  addHistory(createdBy: string, vertex?: Vertex): void {
    const entry: HistoryEntry = { created_by: createdBy, comment: "buildkit.dockerfile.v0", ...(vertex === undefined ? { empty_layer: true } : {}) };
    this.history.push({ entry, vertex });
  }

  /** "[build 2/9] " for the next step that makes a vertex. */
  nextPrefix(): string {
    this.stepsDone++;
    const width = String(this.stepsTotal).length;
    const { platform, showPlatform, displayName } = this.context;
    const name = [showPlatform ? platformPrefix(platform, this.variables) : "", displayName].filter((part) => part !== "").join(" ");
    const step = String(this.stepsDone).padStart(width, " ");
    return `[${name === "" ? "" : `${name} `}${step}/${this.stepsTotal}] `;
  }

  metadata(instruction: Instruction, name: string, description: string): VertexMetadata {
    return {
      name,
      lines: instruction.lines,
      slot: this.slot(instruction),
      description,
      instruction: instruction.code,
      baseImage: this.baseChain.join(" "),
      ignoreCache: this.context.ignoreCache,
      arguments: {},
    };
  }

  /** The place of an instruction: the n-th of its kind in its stage. */
  slot(instruction: Pick<Instruction, "type">): string {
    const position = (this.#positions.get(instruction.type) ?? 0) + 1;
    this.#positions.set(instruction.type, position);
    const stage = this.context.stage.name ?? String(this.context.stage.index);
    return [this.context.contextId, this.context.platform.architecture, stage, instruction.type, position].join("|");
  }
}

/** FROM scratch. */
export function scratchState(context: StageContext): StageState {
  const config = { Env: withPath([]), WorkingDir: "/" };
  return new StageState(context, { root: undefined, config, author: undefined, history: [], chain: [], platform: context.platform });
}

/** An absolute path from one that may be relative to the working directory; a trailing slash is kept. */
export function absolutePath(path: string, workdir: string): string {
  const joined = path.startsWith("/") ? path : `${workdir}/${path}`;
  const clean = cleanPath(joined);
  const directory = path === "" || path === "." || path.endsWith("/") || path.endsWith("/.");
  return directory && clean !== "/" ? `${clean}/` : clean;
}

/** Go's path.Clean for absolute paths. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}
